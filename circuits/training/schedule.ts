/** Rates of all steps, what l2 makes of the weights' scale, and which rows make which batch. All public. */
import { SottoError } from "../../errors.ts";
import { UniformSource } from "../random.ts";
import type { TrainingSpec } from "./spec.ts";

/** The learning rate of a step, from 0. */
export function rateOf(spec: TrainingSpec, step: number): number {
  const schedule = spec.learning_rate;
  switch (schedule.schedule) {
    case "constant":
      return schedule.rate;
    case "step":
      return schedule.rate * schedule.factor ** Math.floor(step / schedule.every);
    case "cosine": {
      const share = (1 + Math.cos(Math.PI * step / spec.steps)) / 2;
      return schedule.floor + (schedule.rate - schedule.floor) * share;
    }
    case "list":
      return schedule.rates[Math.min(step, schedule.rates.length - 1)];
  }
}

/** Weights may shrink by l2 to this share of what no l2 would leave: ciphertexts hold the weights divided by it. */
const DECAY_MIN = 1 / 16;

/**
 * decay[t] = prod over the steps before t of (1 - rate l2). Ciphertexts hold v = w / decay, so that w <- (1 - rate l2) w - g is
 * v <- v - g / decay[t + 1]: the shrinking costs nothing and is exact, the factor goes into the public tables.
 * @throws SottoError `model_refused` when a step would turn the weights around, or the decay leaves the range of the ciphertexts
 */
export function decaysOf(spec: TrainingSpec): Float64Array {
  const decays = new Float64Array(spec.steps + 1);
  decays[0] = 1;
  for (let step = 0; step < spec.steps; step++) decays[step + 1] = decays[step] * (1 - rateOf(spec, step) * spec.l2);
  const smallest = decays.reduce((least, decay) => Math.min(least, decay));
  if (smallest >= DECAY_MIN) return decays;
  throw new SottoError(
    "model_refused",
    `l2 ${spec.l2} shrinks the weights to ${
      smallest.toPrecision(3)
    } of their size over ${spec.steps} steps, at least ` +
      `${DECAY_MIN} is needed: take a smaller l2, smaller rates or fewer steps, or restart from decrypted weights`,
  );
}

/**
 * Rows of each batch, after a shuffle by the public seed. All batches are full: the last one is filled with rows of the first, because
 * an empty row would still move the second layer of a network.
 */
export function batchesOf(spec: TrainingSpec, rowCount: number): Uint32Array[] {
  const order = publicNumbers(spec, 1).permutation(rowCount);
  const size = spec.batch_size;
  return Array.from(
    { length: Math.ceil(rowCount / size) },
    (_, b) => Uint32Array.from({ length: size }, (_, i) => order[(b * size + i) % rowCount]),
  );
}

/** The batch of each step: every epoch goes through all batches in another order. */
export function batchOrder(spec: TrainingSpec, batchCount: number): Uint32Array {
  const numbers = publicNumbers(spec, 2);
  const order = new Uint32Array(spec.steps);
  for (let first = 0; first < spec.steps; first += batchCount) {
    order.set(numbers.permutation(batchCount).subarray(0, spec.steps - first), first);
  }
  return order;
}

/** Uniform numbers in [-1, 1) for the first weights of a network. */
export function firstNumbers(spec: TrainingSpec, count: number): Float64Array {
  const numbers = publicNumbers(spec, 3);
  return Float64Array.from({ length: count }, () => 2 * numbers.below(2 ** 32) / 2 ** 32 - 1);
}

/** A stream of numbers of the public seed, one a purpose. */
function publicNumbers(spec: TrainingSpec, purpose: number): UniformSource {
  const seed = new Uint8Array(32);
  const view = new DataView(seed.buffer);
  view.setUint32(0, spec.seed, true);
  view.setUint32(4, purpose, true);
  return new UniformSource(seed);
}
