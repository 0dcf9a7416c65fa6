/** Training on encrypted data: specification, plan, the run on the port, its simulation, and what owners do. */
export { type EncryptedBatch, type EncryptedRecord, labelBytes } from "./batch.ts";
export { classOf, qualityOf, scoresOf, trainClear } from "./clear.ts";
export { type TrainingData } from "./data.ts";
export { decryptWeights } from "./decode.ts";
export { encryptBatch, encryptData, encryptLabels, type Encryptor, type OwnRows } from "./encode.ts";
export { firstWeights, type Weights } from "./first_weights.ts";
export { type RunKeys, TrainingRun } from "./run.ts";
export { batchesOf, batchOrder, rateOf } from "./schedule.ts";
export { lookupSettingOf } from "./setting.ts";
export { type SimulatedTraining, simulateTraining } from "./simulate.ts";
export { parseTrainingSpec, type TrainingSpec, trainingSpecSchema } from "./spec.ts";
export { checkpointBytes, decodeCheckpoint, encodeCheckpoint, type TrainingState } from "./state.ts";
export { type PlanCosts, planTraining, type TrainingPlan } from "./plan.ts";
export { trainedOnnx } from "./onnx.ts";
export { encryptWeights, loadWeights } from "./reload.ts";
export { joinUpload, mergeUploads, type OwnerUpload, splitUpload } from "./upload.ts";
