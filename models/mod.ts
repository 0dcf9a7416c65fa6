/** The folder's door: importing models, and running them in clear. */
import { SottoError } from "../errors.ts";
import { MODEL_BYTES_MAX } from "./limits.ts";
import { importLightgbm } from "./lightgbm.ts";
import { importOnnx, importOnnxModel } from "./onnx.ts";
import { moveThresholds } from "./quantile.ts";
import type { Model } from "./types.ts";
import { importXgboost } from "./xgboost.ts";

export { importLightgbm, importOnnx, importOnnxModel, importXgboost };
export { MODEL_BYTES_MAX } from "./limits.ts";
export { evaluate, type Evaluation, predict } from "./evaluate.ts";
export { finish } from "./output.ts";
export { castRow, type Cell, readCell, thresholds } from "./rows.ts";
export { randomRows } from "./self_check.ts";
export type * from "./types.ts";

/** The formats that can be imported. */
export const MODEL_FORMATS = ["xgboost", "lightgbm", "onnx"] as const;
export type ModelFormat = typeof MODEL_FORMATS[number];

/** `model`: the thresholds of the file; `quantile`: every threshold moves to the nearest edge of its feature. */
export interface ImportOptions {
  readonly bins: { readonly kind: "model" } | {
    readonly kind: "quantile";
    readonly edges: readonly (readonly number[])[];
  };
}

const IMPORTERS: Record<ModelFormat, (bytes: Uint8Array) => Model> = {
  xgboost: importXgboost,
  lightgbm: importLightgbm,
  onnx: importOnnx,
};

/**
 * Reads a model file of a training library.
 * @throws SottoError `body_too_large` above `MODEL_BYTES_MAX`, `malformed_file` for bytes of another format, `model_refused`
 * for what Sotto does not run
 */
export function importModel(format: ModelFormat, bytes: Uint8Array, options: ImportOptions): Model {
  if (bytes.length > MODEL_BYTES_MAX) {
    throw new SottoError(
      "body_too_large",
      `The model file has ${bytes.length} bytes and may have ${MODEL_BYTES_MAX}; train a smaller model.`,
    );
  }
  const model = IMPORTERS[format](bytes);
  return options.bins.kind === "model" ? model : moveThresholds(model, options.bins.edges);
}
