import type { LookupSetting } from "../backend.ts";
import type { TrainingSpec } from "./spec.ts";

/** Regressions need the most exact lookups; networks make hundreds of times as many and bear the faster ones. */
export function lookupSettingOf(spec: TrainingSpec): LookupSetting {
  return spec.kind === "mlp" ? 2 : 3;
}
