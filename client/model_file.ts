/** Model files on the client's side: telling their format, and the quantile grid for one. */
import { SottoError } from "../errors.ts";
import { importModel } from "../models/mod.ts";
import { quantileEdges } from "./edges.ts";
import { readRows } from "./rows.ts";

export const MODEL_FORMATS = ["xgboost", "lightgbm", "onnx"] as const;
export type ModelFormat = typeof MODEL_FORMATS[number];

/**
 * The format of a model file, told by its first bytes: `{` begins XGBoost's JSON (and UBJSON), `tree` LightGBM's text, and
 * the field numbers 1 .. 8 of a protobuf message begin ONNX.
 * @throws SottoError model_refused when it is none of them.
 */
export function guessFormat(file: Uint8Array): ModelFormat {
  const start = new TextDecoder("latin1").decode(file.subarray(0, 64)).trimStart();
  if (start.startsWith("{")) return "xgboost";
  if (/^tree(\r?\n|$)/.test(start)) return "lightgbm";
  const isField = file.length > 4 && file[0] >= 0x08 && file[0] <= 0x42 && [0, 2].includes(file[0] & 7);
  if (isField) return "onnx";
  throw new SottoError(
    "model_refused",
    "the model is neither XGBoost JSON, LightGBM text nor ONNX: export it as one of them",
  );
}

/**
 * Quantile edges for a model file from calibration rows (CSV or JSON), one sorted array a feature. The rows stay here.
 * @param bitCount 2^bitCount bins a feature
 */
export function calibrationEdges(
  format: ModelFormat,
  model: Uint8Array,
  rows: Uint8Array,
  bitCount: number,
): number[][] {
  const { features } = importModel(format, model, { bins: { kind: "model" } });
  return quantileEdges(readRows(rows, features), bitCount);
}
