/** Server time of encrypted training steps, and how good the trained weights are beside those in clear. */
import type { Backend } from "../circuits/mod.ts";
import {
  batchesOf,
  batchOrder,
  decryptWeights,
  encryptBatch,
  type EncryptedBatch,
  qualityOf,
  simulateTraining,
  trainClear,
  type TrainingData,
  TrainingRun,
  type TrainingSpec,
  type Weights,
} from "../circuits/training/mod.ts";
import type { MeasuredKeys } from "./training_keys.ts";
import type { LoadedTraining } from "./training_models.ts";
import { NoiseReference, type WeightDeviation } from "./training_noise.ts";

/** What one run comes to. Qualities: share of right classes on held-out rows, or R^2 of a regression. */
export interface MeasuredTraining {
  /** Wall seconds of each encrypted step. */
  readonly seconds: readonly number[];
  /** Of the decrypted weights after the last step; undefined when not all steps were encrypted. */
  readonly quality: number | undefined;
  /** Of floating point training with the same batches in the same order. */
  readonly floatQuality: number;
  /** Of the run in clear with its integers and simulated noise. */
  readonly simulatedQuality: number;
  /** The largest over the encrypted steps: see `WeightDeviation`. */
  readonly noiseRatio: number;
  /** After the last encrypted step. */
  readonly finalNoiseRatio: number;
  readonly secondLayerRatio: number;
}

/** What the encrypted steps gave. */
interface EncryptedSteps extends Omit<MeasuredTraining, "quality" | "floatQuality" | "simulatedQuality"> {
  readonly weights: Weights;
}

/** Trains in clear, simulated and encrypted; `encryptedSteps`: how many of the steps run encrypted, the first ones. */
export async function measureTraining(
  backend: Backend,
  keys: MeasuredKeys,
  { spec, train, test }: LoadedTraining,
  encryptedSteps: number,
): Promise<MeasuredTraining> {
  const { weights, ...measured } = await runEncrypted(backend, keys, spec, train, encryptedSteps);
  const noise = new Uint8Array(32).fill(1 + spec.seed);
  return {
    ...measured,
    quality: encryptedSteps < spec.steps ? undefined : qualityOf(spec, weights, test),
    floatQuality: qualityOf(spec, trainClear(spec, train), test),
    simulatedQuality: qualityOf(spec, simulateTraining(spec, train, { seed: noise }).weights, test),
  };
}

/** Every step is timed alone; encryption, decryption and comparison are not counted. */
async function runEncrypted(
  backend: Backend,
  keys: MeasuredKeys,
  spec: TrainingSpec,
  data: TrainingData,
  steps: number,
): Promise<EncryptedSteps> {
  const reference = new NoiseReference(spec, data, steps);
  const batches = new EncryptedBatches(backend, keys, spec, data);
  using run = new TrainingRun(backend, spec, await keys.of(spec));
  const seconds: number[] = [];
  const deviations: WeightDeviation[] = [];
  let weights = await decryptWeights(backend, keys.secret, spec, run.state);
  for (let step = 1; step <= steps; step++) {
    const batch = await batches.of(step);
    const start = performance.now();
    await run.step(batch);
    seconds.push((performance.now() - start) / 1e3);
    weights = await decryptWeights(backend, keys.secret, spec, run.state);
    deviations.push(reference.deviation(step, weights));
  }
  const noiseRatio = Math.max(...deviations.map(({ first }) => first));
  const secondLayerRatio = Math.max(...deviations.map(({ second }) => second));
  return { seconds, noiseRatio, finalNoiseRatio: deviations[steps - 1].first, secondLayerRatio, weights };
}

/** The batches of a run, encrypted when a step first needs them. */
class EncryptedBatches {
  readonly #rows: readonly Uint32Array[];
  readonly #order: Uint32Array;
  readonly #encrypted = new Map<number, EncryptedBatch>();

  constructor(
    readonly backend: Backend,
    readonly keys: MeasuredKeys,
    readonly spec: TrainingSpec,
    readonly data: TrainingData,
  ) {
    this.#rows = batchesOf(spec, data.rows.length);
    this.#order = batchOrder(spec, this.#rows.length);
  }

  /** `step` counts from 1. */
  async of(step: number): Promise<EncryptedBatch> {
    const index = this.#order[step - 1];
    const known = this.#encrypted.get(index);
    if (known !== undefined) return known;
    const members = [...this.#rows[index]];
    const rows = members.map((i) => this.data.rows[i]);
    const targets = members.map((i) => this.data.targets[i]);
    const batch = await encryptBatch(this.backend, { secretKey: this.keys.secret }, this.spec, { rows, targets });
    this.#encrypted.set(index, batch);
    return batch;
  }
}

/** Bytes that one owner with the secret key sends for a batch, without file headers, over its feature values. */
export async function uploadBytesPerValue(
  backend: Backend,
  { secret }: Pick<MeasuredKeys, "secret">,
  spec: TrainingSpec,
): Promise<number> {
  const rows = Array.from({ length: spec.batch_size }, (_, i) => spec.features.map((_, f) => Math.sin(i + f)));
  const batch = await encryptBatch(backend, { secretKey: secret }, spec, { rows, targets: rows.map((_, i) => i % 2) });
  const records = [...batch.chunks.flat(), ...batch.labels];
  return records.reduce((sum, { record }) => sum + record.length, 0) / (spec.batch_size * spec.features.length);
}
