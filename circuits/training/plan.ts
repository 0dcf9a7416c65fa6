/** What a training run costs and how exact it is, before anything is encrypted; refused with numbers where it does not fit. */
import { SottoError } from "../../errors.ts";
import type { LookupSetting, NetworkCosts } from "../backend.ts";
import { lookupKeysBytes, rgswRecordBytes, trainingKeysBytes } from "../layout.ts";
import { CIPHERTEXT_WORDS, type TrainingCosts } from "../training_backend.ts";
import { labelBytes } from "./batch.ts";
import type { TrainingData } from "./data.ts";
import { geometryOf } from "./geometry.ts";
import { mlpArena } from "./mlp_sums.ts";
import { mlpLookups } from "./mlp_scales.ts";
import { type Rehearsal, rehearse, squaresOf } from "./rehearse.ts";
import { linearScales, weightScales } from "./scales.ts";
import { lookupSettingOf } from "./setting.ts";
import { scoreCount, type TrainingSpec } from "./spec.ts";
import { checkpointBytes, stateShape } from "./state.ts";
import { type WeightNoise, weightNoise } from "./step_noise.ts";

export interface PlanCosts {
  readonly network: NetworkCosts;
  readonly training: TrainingCosts;
  /** Threads of the back end. */
  readonly threads: number;
}

export interface TrainingPlan {
  /** Keys that the server needs: those of training, and of lookups of this setting. */
  readonly lookup_setting: LookupSetting;
  readonly key_bytes: number;
  readonly batch_count: number;
  readonly lookups_per_batch: number;
  readonly automorphisms_per_batch: number;
  readonly external_products_per_batch: number;
  /** Predicted, on all threads. */
  readonly milliseconds_per_batch: number;
  readonly milliseconds: number;
  /** Of one owner with the secret key; with the public key data are twice as long. */
  readonly upload_bytes_per_batch: number;
  readonly upload_bytes_per_value: number;
  readonly checkpoint_bytes: number;
  /** Of the server, beyond the lookup keys: one batch and the state. */
  readonly memory_bytes: number;
  /** Deviations by the formulas, real units, of features on [-1, 1]. */
  readonly noise: WeightNoise;
  /** Trained in clear and simulated on public rows; null where that would take long. */
  readonly rehearsal: Rehearsal | null;
}

/** Noise of scores that is borne, as a share of their range. */
const NOISE_SHARE = 1 / 32;
/** Memory of one batch. */
const MEMORY_MAX = 4 * 1024 ** 3;
/** Resident over sent bytes of an rgsw: masks, and two forms of 64-bit words. */
const RGSW_GROWTH = 6;

/**
 * @param sample rows of the same kind that are public; default: rows of a seeded Gaussian with a linear teacher
 * @throws SottoError `model_refused` naming the number that does not fit and what to change
 */
export function planTraining(
  spec: TrainingSpec,
  rowCount: number,
  costs: PlanCosts,
  sample?: TrainingData,
): TrainingPlan {
  if (!(rowCount >= 1)) refuse(`there are ${rowCount} rows`, "send at least one");
  const noise = weightNoise(spec, squaresOf(spec, sample));
  requireNoise(spec, noise);
  const counts = countsOf(spec);
  const milliseconds_per_batch = millisecondsOf(spec, counts, costs);
  const { upload, perValue } = uploadOf(spec);
  const memory_bytes = memoryOf(spec);
  if (memory_bytes > MEMORY_MAX) {
    refuse(
      `a batch takes ${memory_bytes} bytes of memory, ${MEMORY_MAX} are allowed`,
      "take a smaller batch or network",
    );
  }
  const rehearsal = rehearse(spec, rowCount, sample);
  requireRange(spec, rehearsal);
  return {
    lookup_setting: lookupSettingOf(spec),
    key_bytes: lookupKeysBytes(lookupSettingOf(spec)) + trainingKeysBytes(),
    batch_count: Math.ceil(rowCount / spec.batch_size),
    ...counts,
    milliseconds_per_batch,
    milliseconds: milliseconds_per_batch * spec.steps,
    upload_bytes_per_batch: upload,
    upload_bytes_per_value: perValue,
    checkpoint_bytes: checkpointBytes(spec),
    memory_bytes,
    noise,
    rehearsal,
  };
}

function countsOf(spec: TrainingSpec) {
  const { rows, chunkCount } = geometryOf(spec);
  const { units } = stateShape(spec);
  const scores = scoreCount(spec);
  return {
    lookups_per_batch: spec.kind === "mlp" ? mlpLookups(rows, spec.hidden.width, scores) : rows * scores,
    automorphisms_per_batch: units * (11 * rows + chunkCount * (Math.log2(rows) + 1)),
    external_products_per_batch: 2 * units * chunkCount,
  };
}

function millisecondsOf(
  spec: TrainingSpec,
  counts: ReturnType<typeof countsOf>,
  { network, training, threads }: PlanCosts,
): number {
  const lookups = Math.ceil(counts.lookups_per_batch / threads) * network.lookup_ns[lookupSettingOf(spec)];
  const rest = counts.automorphisms_per_batch * training.automorphism_ns +
    counts.external_products_per_batch * training.external_product_ns +
    geometryOf(spec).chunkCount * training.load_ns;
  return (lookups + rest / threads) / 1e6;
}

function uploadOf(spec: TrainingSpec): { upload: number; perValue: number } {
  const { rows, chunkCount } = geometryOf(spec);
  const upload = chunkCount * rgswRecordBytes("seeded") + labelBytes("seeded", rows * scoreCount(spec));
  return { upload, perValue: upload / (rows * spec.features.length) };
}

function memoryOf(spec: TrainingSpec): number {
  const { rows, chunkCount } = geometryOf(spec);
  const { units } = stateShape(spec);
  const state = 4 * units * chunkCount * CIPHERTEXT_WORDS * 8;
  const errors = 3 * units * rows * CIPHERTEXT_WORDS * 8;
  const shape = spec.kind === "mlp" ? { rows, hidden: spec.hidden.width, scores: scoreCount(spec) } : undefined;
  const arena = shape ? 2 * mlpArena(shape).slotCount * CIPHERTEXT_WORDS * 2 : 0;
  return state + errors + arena + chunkCount * rgswRecordBytes("seeded") * RGSW_GROWTH;
}

function requireNoise(spec: TrainingSpec, noise: WeightNoise): void {
  const allowed = NOISE_SHARE * spec.score_range;
  if (noise.reading > allowed) {
    refuse(
      `l2 leaves so little of the range that scores are read with noise ${noise.reading.toPrecision(3)}, ` +
        `${allowed.toPrecision(3)} is borne`,
      "take a smaller l2, smaller rates or fewer steps",
    );
  }
  if (noise.score > allowed) {
    refuse(
      `after ${spec.steps} steps the weights' noise moves scores by ${noise.score.toPrecision(3)}, ` +
        `${allowed.toPrecision(3)} is borne`,
      "take fewer steps, smaller rates, a smaller feature_scale, or restart from decrypted weights",
    );
  }
  if (spec.kind === "mlp") return;
  const factors = linearScales(spec).factors;
  const smallest = factors.reduce((a, b) => Math.min(a, b));
  if (smallest < 16) {
    refuse(`the smallest rate is ${smallest} steps of the largest, 16 are needed`, "use a narrower schedule");
  }
  if (!(weightScales(spec).errorUnit > 2 ** 20)) {
    refuse("errors have too few bits", "take a smaller feature_scale or score_range");
  }
}

function requireRange(spec: TrainingSpec, rehearsal: Rehearsal | null): void {
  if (rehearsal === null || rehearsal.out_of_range <= 1e-3) return;
  refuse(
    `${(100 * rehearsal.out_of_range).toPrecision(2)} % of the rehearsal's sums lie beyond the range of their tables`,
    `take a larger score_range than ${spec.score_range} or smaller rates`,
  );
}

function refuse(what: string, change: string): never {
  throw new SottoError("model_refused", `this training does not fit: ${what}; ${change}`);
}
