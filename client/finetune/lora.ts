/**
 * Low-rank adapters (Hu et al. 2021): y += (alpha / r) B A dropout(x), A r x in, B out x r. B starts at zero, so an untrained adapter changes nothing.
 */
import type { FloatKernels, Floats } from "../../circuits/finetune/float_kernels.ts";
import { SottoError } from "../../errors.ts";
import { SeededSource } from "./seeded.ts";

export interface LoraOptions {
  /** r, the inner width. */
  readonly rank: number;
  /** The adapter's product is scaled by alpha / rank. */
  readonly alpha: number;
  /** Rate of dropout before A while training; default 0. */
  readonly dropout?: number;
  /** How A starts: uniform in +-1 / sqrt(in) as PEFT does (Kaiming with a = sqrt 5), or normal of deviation 1 / rank. Default "kaiming". */
  readonly start?: "kaiming" | "gaussian";
}

/** One adapter and the gradient of its two matrices. */
export interface LoraModule {
  readonly rank: number;
  readonly inputs: number;
  readonly outputs: number;
  /** alpha / rank. */
  readonly scale: number;
  /** rank x inputs. */
  readonly a: Floats;
  /** outputs x rank. */
  readonly b: Floats;
  /** Summed over the blocks of a step. */
  readonly aGradient: Floats;
  readonly bGradient: Floats;
}

/** An untrained adapter of a module with so many inputs and outputs. */
export function newLora(
  kernels: FloatKernels,
  inputs: number,
  outputs: number,
  options: LoraOptions,
  seed: number,
): LoraModule {
  const { rank, alpha } = requireLora(options);
  const a = kernels.zeros(rank * inputs);
  const source = new SeededSource(seed);
  const gaussian = options.start === "gaussian";
  for (let i = 0; i < a.length; i++) {
    a[i] = gaussian ? source.normal() / rank : (2 * source.uniform() - 1) / Math.sqrt(inputs);
  }
  const b = kernels.zeros(outputs * rank);
  const gradients = { aGradient: kernels.zeros(a.length), bGradient: kernels.zeros(b.length) };
  return { rank, inputs, outputs, scale: alpha / rank, a, b, ...gradients };
}

/** The options, checked. Throws `configuration_invalid`. */
export function requireLora(options: LoraOptions): LoraOptions {
  const { rank, alpha, dropout = 0 } = options;
  const refuse = (what: string): never => {
    throw new SottoError("configuration_invalid", `LoRA: ${what}`);
  };
  if (!Number.isInteger(rank) || rank < 1 || rank > 1024) refuse(`the rank is ${rank}, use an integer from 1 to 1024`);
  if (!(Number.isFinite(alpha) && alpha > 0)) refuse(`alpha is ${alpha}, use a positive number`);
  if (!(dropout >= 0 && dropout < 1)) refuse(`the dropout is ${dropout}, use a rate from 0 up to but not 1`);
  return options;
}

/** W + (alpha / r) B A: the adapter made part of a base weight (outputs x inputs); a new array. */
export async function mergeLora(kernels: FloatKernels, lora: LoraModule, weight: Floats): Promise<Floats> {
  const { rank, inputs, outputs } = lora;
  if (weight.length !== inputs * outputs) {
    throw new SottoError(
      "model_refused",
      `an adapter of ${outputs} x ${inputs} cannot be merged into a weight of ${weight.length} values`,
    );
  }
  const out = kernels.zeros(weight.length);
  out.set(weight);
  const [left, right] = [{ data: lora.b, columns: rank }, { data: lora.a, columns: inputs }];
  await kernels.gemm({ rows: outputs, columns: inputs, depth: rank, left, right, out, alpha: lora.scale, beta: 1 });
  return out;
}
