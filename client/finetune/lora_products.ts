/** An adapter's product and its gradients, rows are tokens: x' = mask x, u = A x', y += s B u, s = alpha / r. */
import type { FloatKernels, Floats } from "../../circuits/finetune/float_kernels.ts";
import { applyDropout, type DropoutMask } from "./dropout.ts";
import type { LoraModule } from "./lora.ts";

/** What the adapter makes of an input. */
export interface LoraInner {
  /** x': tokens x inputs; x itself when nothing is dropped. */
  readonly dropped: Floats;
  /** u: tokens x rank. */
  readonly inner: Floats;
}

/** x' and u. Without a mask nothing is dropped. */
export async function loraInner(
  kernels: FloatKernels,
  { a, rank, inputs }: LoraModule,
  x: Floats,
  tokens: number,
  mask?: DropoutMask,
): Promise<LoraInner> {
  const dropped = mask ? applyDropout(x, mask, kernels.zeros(x.length)) : x;
  const inner = kernels.zeros(tokens * rank);
  const [left, right] = [{ data: dropped, columns: inputs }, { data: a, columns: inputs, transposed: true }];
  await kernels.gemm({ rows: tokens, columns: rank, depth: inputs, left, right, out: inner });
  return { dropped, inner };
}

/** y += s B u; y: tokens x outputs. */
export async function addLora(
  kernels: FloatKernels,
  { b, rank, outputs, scale }: LoraModule,
  { inner }: LoraInner,
  y: Floats,
  tokens: number,
): Promise<void> {
  const [left, right] = [{ data: inner, columns: rank }, { data: b, columns: rank, transposed: true }];
  await kernels.gemm({ rows: tokens, columns: outputs, depth: rank, left, right, out: y, alpha: scale, beta: 1 });
}

/**
 * Adds to the gradients of the adapter and, where `dx` is given, to that of x. Summed over tokens:
 * dB += s dy u^T; du = s B^T dy; dA += du x'^T; dx += mask A^T du.
 */
export async function loraGradient(
  kernels: FloatKernels,
  lora: LoraModule,
  x: Floats,
  dy: Floats,
  tokens: number,
  mask?: DropoutMask,
  dx?: Floats,
): Promise<void> {
  const { rank, inputs, outputs, scale, aGradient, bGradient } = lora;
  const { dropped, inner } = await loraInner(kernels, lora, x, tokens, mask);
  const [outer, acrossTokens] = [{ data: dy, columns: outputs }, { depth: tokens, beta: 1 }];
  const [u, xDropped] = [{ data: inner, columns: rank }, { data: dropped, columns: inputs }];
  const left = { ...outer, transposed: true };
  await kernels.gemm({ rows: outputs, columns: rank, left, right: u, out: bGradient, alpha: scale, ...acrossTokens });

  const du = { data: kernels.zeros(tokens * rank), columns: rank };
  const b = { data: lora.b, columns: rank };
  await kernels.gemm({
    rows: tokens,
    columns: rank,
    depth: outputs,
    left: outer,
    right: b,
    out: du.data,
    alpha: scale,
  });

  const duAcross = { ...du, transposed: true };
  await kernels.gemm({ rows: rank, columns: inputs, left: duAcross, right: xDropped, out: aGradient, ...acrossTokens });
  if (dx) await addInputGradient(kernels, lora, du.data, tokens, dx, mask);
}

/** dx += mask A^T du. */
async function addInputGradient(
  kernels: FloatKernels,
  { a, rank, inputs }: LoraModule,
  du: Floats,
  tokens: number,
  dx: Floats,
  mask?: DropoutMask,
): Promise<void> {
  const [left, right] = [{ data: du, columns: rank }, { data: a, columns: inputs }];
  const product = { rows: tokens, columns: inputs, depth: rank, left, right };
  if (!mask) return await kernels.gemm({ ...product, out: dx, beta: 1 });
  const change = kernels.zeros(dx.length);
  await kernels.gemm({ ...product, out: change });
  applyDropout(change, mask, change);
  for (let i = 0; i < dx.length; i++) dx[i] += change[i];
}
