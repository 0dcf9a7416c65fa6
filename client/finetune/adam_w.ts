/** AdamW (Loshchilov and Hutter 2019, algorithm 2) in the order of PyTorch: the weights decay first, then the corrected step is taken. */
import type { Floats } from "../../circuits/finetune/float_kernels.ts";
import type { Parameter } from "./adapters.ts";
import { SottoError } from "../../errors.ts";

export interface AdamOptions {
  /** Decay of the first moment; default 0.9. */
  readonly beta1?: number;
  /** Decay of the second moment; default 0.999. */
  readonly beta2?: number;
  /** Default 1e-8. */
  readonly epsilon?: number;
  /** Default 0.01. */
  readonly weightDecay?: number;
}

/** The moments of one parameter. */
export interface Moments {
  readonly first: Floats;
  readonly second: Floats;
}

/** What the optimiser remembers. */
export interface AdamState {
  /** Steps taken. */
  readonly steps: number;
  /** In the order of the parameters. */
  readonly moments: readonly Moments[];
}

export class AdamW implements AdamState {
  steps = 0;
  readonly moments: readonly Moments[];
  readonly #options: Required<AdamOptions>;

  /** `state`: what an earlier optimiser of the same parameters remembered, taken over; default: nothing. */
  constructor(readonly parameters: readonly Parameter[], options: AdamOptions = {}, state?: AdamState) {
    this.#options = { beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0.01, ...options };
    const same = (x: Floats): Floats =>
      x instanceof Float32Array ? new Float32Array(x.length) : new Float64Array(x.length);
    this.steps = state?.steps ?? 0;
    this.moments = state?.moments ?? parameters.map(({ values }) => ({ first: same(values), second: same(values) }));
  }

  /** Changes all parameters by their gradients. */
  step(learningRate: number): void {
    this.steps++;
    this.parameters.forEach((parameter, i) => this.#update(parameter, this.moments[i], learningRate));
  }

  #update({ values, gradient }: Parameter, { first, second }: Moments, learningRate: number): void {
    const { beta1, beta2, epsilon, weightDecay } = this.#options;
    const [correction1, correction2] = [1 - beta1 ** this.steps, 1 - beta2 ** this.steps];
    for (let i = 0; i < values.length; i++) {
      const g = gradient[i];
      first[i] = beta1 * first[i] + (1 - beta1) * g;
      second[i] = beta2 * second[i] + (1 - beta2) * g * g;
      const change = first[i] / correction1 / (Math.sqrt(second[i] / correction2) + epsilon);
      values[i] = values[i] * (1 - learningRate * weightDecay) - learningRate * change;
    }
  }
}

/** Scales all gradients so that their common norm is at most `largest`; the norm before. Throws `backend_failed` when a gradient is not a number. */
export function clipGradients(parameters: readonly Parameter[], largest: number): number {
  let squares = 0;
  for (const { gradient } of parameters) for (let i = 0; i < gradient.length; i++) squares += gradient[i] ** 2;
  const norm = Math.sqrt(squares);
  if (!Number.isFinite(norm)) {
    throw new SottoError("backend_failed", "the gradients are not finite: use a smaller learning rate or alpha");
  }
  if (norm > largest) {
    for (const { gradient } of parameters) for (let i = 0; i < gradient.length; i++) gradient[i] *= largest / norm;
  }
  return norm;
}
