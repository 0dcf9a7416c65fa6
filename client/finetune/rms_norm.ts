/** Root-mean-square normalisation (Zhang and Sennrich 2019): y_i = w_i x_i / sqrt(mean(x^2) + epsilon), a row a token. */
import type { FloatKernels, Floats } from "../../circuits/finetune/float_kernels.ts";

/** x: rows of `weight.length` floats. */
export function rmsNorm(kernels: FloatKernels, x: Floats, weight: Floats, epsilon: number): Floats {
  const [width, out] = [weight.length, kernels.zeros(x.length)];
  for (let at = 0; at < x.length; at += width) {
    const inverse = inverseRms(x, at, width, epsilon);
    for (let i = 0; i < width; i++) out[at + i] = weight[i] * x[at + i] * inverse;
  }
  return out;
}

/**
 * Adds the gradient of x to `gradient`. With r = 1 / rms and h = w dy: dx = r h - r^3 x <h, x> / width.
 */
export function rmsNormGradient(dy: Floats, x: Floats, weight: Floats, epsilon: number, gradient: Floats): void {
  const width = weight.length;
  for (let at = 0; at < x.length; at += width) {
    const inverse = inverseRms(x, at, width, epsilon);
    let along = 0;
    for (let i = 0; i < width; i++) along += weight[i] * dy[at + i] * x[at + i];
    const factor = along * inverse ** 3 / width;
    for (let i = 0; i < width; i++) gradient[at + i] += inverse * weight[i] * dy[at + i] - factor * x[at + i];
  }
}

function inverseRms(x: Floats, at: number, width: number, epsilon: number): number {
  let squares = 0;
  for (let i = 0; i < width; i++) squares += x[at + i] * x[at + i];
  return 1 / Math.sqrt(squares / width + epsilon);
}
