/** The client's side of Sotto: keys, encryption, decryption, HTTP. The secret key never leaves it. */
export { decryptAnswers, type DecryptOptions } from "./decrypt.ts";
export { quantileEdges } from "./edges.ts";
export type { LongCallOptions, TargetModel } from "./calls.ts";
export { type EncryptedRows, encryptRows } from "./encrypt.ts";
export {
  type EncryptedAnswers,
  type ModelImport,
  type ModelSummary,
  type PredictionCall,
  type RegisteredKeys,
  type RegisteredModel,
  SottoClient,
  type Upload,
} from "./http.ts";
export type { AuditEntry, AuditRange, NewToken, RotatedToken, TokenRequest, TokenSummary } from "./tokens.ts";
export { followJob, type Job, type JobCalls, type JobPage } from "./jobs.ts";
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
export { batchFile, type BatchTarget, type OwnData, sendBatches } from "./training_batches.ts";
export {
  type DataOwner,
  followTraining,
  type NewDataOwner,
  type NewTraining,
  TrainingCalls,
  type TrainingPublic,
  type TrainingSession,
  type TrainingSummary,
} from "./training_http.ts";
export { rowOrderDigest } from "./training_order.ts";
export { hasStalled, measureWeights, type TrainingPoint } from "./training_progress.ts";
export {
  alignedTable,
  columnOf,
  featureRows,
  numbersOf,
  type OwnTable,
  readTable,
  scoreNames,
  targetsOf,
} from "./training_rows.ts";
export { openPublicKey, publicKeyFile, trainingKeyFile } from "./training_keys.ts";
export { openScores, type OpenWeights, openWeights, predictionFile, refreshedWeights } from "./training_weights.ts";
