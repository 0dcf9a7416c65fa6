/** Training on encrypted rows: server time a batch, and what encryption leaves of the accuracy. */
import type { Backend } from "../circuits/mod.ts";
import { parseTrainingSpec, planTraining, type TrainingPlan } from "../circuits/training/mod.ts";
import { SottoError } from "../errors.ts";
import { openBackend } from "../ffi/mod.ts";
import { type MeasuredTraining, measureTraining, uploadBytesPerValue } from "./measure_training.ts";
import { CONCRETE_ML, measureConcreteMlTraining, prepareConcreteMl } from "./peers/concrete_ml.ts";
import { figure, type Figures } from "./programs.ts";
import { type Peer, result } from "./results.ts";
import { best, median } from "./statistics.ts";
import type { Run } from "./suite.ts";
import { MeasuredKeys } from "./training_keys.ts";
import { loadTraining, type TrainingEntry, TRAININGS, type TrainingSize } from "./training_models.ts";

/** Noise of weights may be this many times the formula's, of a second layer that of one simulated run: chance, and few weights. */
const NOISE_FACTOR = 2;

/** Features that fill one chunk of batches of 8, with the constant column. */
const FULL_CHUNK = 255;

/** Adds `training.*` and `keys.train.bytes`. */
export async function trainingSuite(run: Run): Promise<void> {
  const backend = openBackend({ backend: run.backend });
  try {
    using keys = new MeasuredKeys(backend);
    await measureBytes(run, backend, keys);
    for (const entry of TRAININGS) await measureEntry(run, backend, keys, entry);
  } finally {
    backend.close();
  }
}

async function measureBytes(run: Run, backend: Backend, keys: MeasuredKeys): Promise<void> {
  const features = Array.from({ length: FULL_CHUNK }, (_, f) => ({ name: `f${f}`, min: -1, max: 1 }));
  const learning_rate = { schedule: "constant", rate: 1 };
  const spec = parseTrainingSpec({
    kind: "logistic",
    classes: [0, 1],
    features,
    batch_size: 8,
    steps: 1,
    learning_rate,
  });
  run.add(result("training.upload_bytes_per_value", await uploadBytesPerValue(backend, keys, spec), "bytes"));
  run.add(result("keys.train.bytes", await keys.fileBytes(spec), "bytes"));
}

async function measureEntry(run: Run, backend: Backend, keys: MeasuredKeys, entry: TrainingEntry): Promise<void> {
  const size = run.quick ? entry.quick : entry.full;
  const runs = new Map<number, MeasuredTraining>();
  for (const seed of size.seeds) {
    run.log(`training: ${entry.name}, seed ${seed}, ${size.encryptedSteps} of ${size.steps} steps encrypted`);
    const loaded = loadTraining(entry, size.steps, seed);
    runs.set(seed, await measureTraining(backend, keys, loaded, size.encryptedSteps));
  }
  const plan = await planOf(backend, entry, size);
  const figures = run.peers && entry.peer ? await measurePeer(run, backend.threads) : undefined;
  addTraining(run, { entry, size, plan, threads: backend.threads, runs }, figures);
  runs.forEach((measured) => requireAgreement(entry, measured));
}

async function planOf(backend: Backend, entry: TrainingEntry, size: TrainingSize): Promise<TrainingPlan> {
  const { spec, train } = loadTraining(entry, size.steps, size.seeds[0]);
  const costs = { network: await backend.networkCosts(), training: await backend.training.costs() };
  return planTraining(spec, train.rows.length, { ...costs, threads: backend.threads }, train);
}

async function measurePeer(run: Run, threads: number): Promise<Figures> {
  run.log(`installing ${CONCRETE_ML}`);
  await prepareConcreteMl();
  run.log(`${CONCRETE_ML}: one iteration of SGDClassifier, some minutes`);
  return await measureConcreteMlTraining(threads);
}

/** What is known of one entry. */
export interface TrainingFigures {
  readonly entry: Pick<TrainingEntry, "name" | "training">;
  readonly size: TrainingSize;
  readonly plan: TrainingPlan;
  readonly threads: number;
  /** By seed. */
  readonly runs: ReadonlyMap<number, MeasuredTraining>;
}

/** Adds the figures of one training, means over its seeds, and the qualities of every seed. */
export function addTraining(run: Run, { entry, size, plan, threads, runs }: TrainingFigures, peer?: Figures): void {
  const all = [...runs.values()];
  const add = (what: string, value: number, unit: string, rival?: Peer) =>
    run.add(result(`training.${entry.name}.${what}`, value, unit, rival));
  const rival = (name: string, factor = 1): Peer | undefined =>
    peer && { name: `${CONCRETE_ML} SGDClassifier`, value: figure(peer, name) * factor };
  const times = all.flatMap(({ seconds }) => seconds);
  add("s_per_batch", median(times), "s", rival("iteration_ms", 1e-3));
  add("best_s_per_batch", best(times), "s");
  add("planned_s_per_batch", plan.milliseconds_per_batch / 1e3, "s");
  add("threads", threads, "count");
  add("steps", size.steps, "count");
  add("encrypted_steps", size.encryptedSteps, "count");
  addQualities(add, entry.training.kind === "linear" ? "r2" : "accuracy", runs, rival);
  add("noise_ratio", Math.max(...all.map(({ noiseRatio }) => noiseRatio)), "ratio");
  add("final_noise_ratio", Math.max(...all.map(({ finalNoiseRatio }) => finalNoiseRatio)), "ratio");
  if (entry.training.kind === "mlp") {
    add("second_layer_noise_ratio", Math.max(...all.map(({ secondLayerRatio }) => secondLayerRatio)), "ratio");
  }
  add("lookups_per_batch", plan.lookups_per_batch, "count");
  add("upload_bytes_per_value", plan.upload_bytes_per_value, "bytes");
  add("key_bytes", plan.key_bytes, "bytes", rival("key_bytes"));
  add("checkpoint_bytes", plan.checkpoint_bytes, "bytes");
  add("memory_bytes", plan.memory_bytes, "bytes");
}

type Add = (what: string, value: number, unit: string, rival?: Peer) => void;

function addQualities(
  add: Add,
  name: string,
  runs: ReadonlyMap<number, MeasuredTraining>,
  rival: (name: string) => Peer | undefined,
): void {
  const unit = name === "r2" ? "ratio" : "share";
  const all = [...runs.values()];
  const mean = (value: (run: MeasuredTraining) => number) => all.reduce((sum, run) => sum + value(run), 0) / all.length;
  add(name, mean(qualityOrSimulated), unit, rival("accuracy"));
  add(`float_${name}`, mean((run) => run.floatQuality), unit, rival("float_accuracy"));
  add(`simulated_${name}`, mean((run) => run.simulatedQuality), unit);
  if (all.length === 1) return;
  runs.forEach((measured, seed) => {
    add(`seed${seed}.${name}`, qualityOrSimulated(measured), unit);
    add(`seed${seed}.float_${name}`, measured.floatQuality, unit);
  });
}

/** Where not all steps were encrypted, the simulation stands for the rest: its weights agreed as far as they were. */
function qualityOrSimulated({ quality, simulatedQuality }: MeasuredTraining): number {
  return quality ?? simulatedQuality;
}

/**
 * A fast wrong step is worth nothing: after every step the weights lie as close to those without noise as the formula says.
 * @throws SottoError `internal`
 */
export function requireAgreement({ name }: Pick<TrainingEntry, "name">, measured: MeasuredTraining): void {
  const { noiseRatio, secondLayerRatio } = measured;
  if (noiseRatio <= NOISE_FACTOR && secondLayerRatio <= NOISE_FACTOR) return;
  throw new SottoError(
    "internal",
    `${name}: the noise of encrypted weights is ${noiseRatio} of its formula, that of a second layer ` +
      `${secondLayerRatio} of that of simulated runs, at most ${NOISE_FACTOR} is expected`,
  );
}
