import type { ModelRow } from "../../db/mod.ts";
import { readCalibration } from "../../models/calibration.ts";
import type { Computing } from "./computing.ts";

/** The calibration rows that a registered model was imported with, read again from their file; nothing when there were none. */
export async function calibrationOf(
  { store }: Pick<Computing, "store">,
  { options }: Pick<ModelRow, "options">,
): Promise<number[][] | undefined> {
  return options.calibration === undefined ? undefined : readCalibration(await store.get(options.calibration));
}
