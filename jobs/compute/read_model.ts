import type { ImportOptions } from "../../db/mod.ts";
import { SottoError } from "../../errors.ts";
import { importModel, importOnnxModel } from "../../models/mod.ts";
import type { NetworkModel } from "../../models/network/types.ts";
import type { Model } from "../../models/types.ts";

/** A model of any kind, with what its circuit is planned from besides. */
export type ReadModel =
  | { readonly model: Model; readonly calibration?: undefined }
  | { readonly model: NetworkModel; readonly calibration: number[][] };

/**
 * Reads a model file as its import options say.
 * @throws SottoError `malformed_file`, `model_refused`, also for calibration rows of a model that is no network
 */
export function readModel(file: Uint8Array, options: ImportOptions, calibration: number[][] | undefined): ReadModel {
  if (calibration === undefined) return { model: importModel(options.format, file, options) };
  const model = importOnnxModel(file);
  if (model.kind === "network") return { model, calibration };
  throw new SottoError("model_refused", `calibration rows are for networks, this file holds a ${model.kind} model`);
}
