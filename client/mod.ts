/** The client's side of Sotto: keys, encryption, decryption, HTTP. The secret key never leaves it. */
export { decryptAnswers, type DecryptOptions } from "./decrypt.ts";
export { quantileEdges } from "./edges.ts";
export type { LongCallOptions, TargetModel } from "./calls.ts";
export { type EncryptedRows, encryptRows } from "./encrypt.ts";
export {
  type EncryptedAnswers,
  type ModelImport,
  type ModelSummary,
  type NewToken,
  type PredictionCall,
  type RegisteredKeys,
  type RegisteredModel,
  SottoClient,
  type TokenSummary,
  type Upload,
} from "./http.ts";
export { followJob, type Job, type JobCalls } from "./jobs.ts";
export {
  addKeys,
  isSealed,
  type NewKeys,
  newKeys,
  type NewKeysOptions,
  type OpenSecretKey,
  openSecretKey,
  serverFile,
} from "./keys.ts";
export { calibrationEdges, guessFormat, MODEL_FORMATS, type ModelFormat } from "./model_file.ts";
export { findKeys, type PredictedRows, type PredictOptions, predictRows, rowsPerRequest } from "./predict.ts";
export { predictionCells, predictionColumns, predictionsCsv } from "./predictions.ts";
export { readRows, type RowFeature } from "./rows.ts";
export { decodeScales, encodeScales } from "./scales.ts";
