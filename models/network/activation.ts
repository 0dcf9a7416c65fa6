/** Activation functions in double precision, as the ONNX operators of these names define them. */
import type { ActivationFunction } from "./types.ts";

/** The function's value. */
export function applyActivation(activation: ActivationFunction, x: number): number {
  switch (activation.name) {
    case "identity":
      return x;
    case "relu":
      return Math.max(x, 0);
    case "sigmoid":
      return sigmoid(x);
    case "tanh":
      return Math.tanh(x);
    case "gelu":
      return 0.5 * x * erfc(-x / Math.SQRT2);
    case "gelu_tanh":
      return 0.5 * x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3)));
    case "hard_swish":
      return x * between(x / 6 + 0.5, 0, 1);
    case "silu":
      return x * sigmoid(x);
    case "softplus":
      return Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));
    case "softsign":
      return x / (1 + Math.abs(x));
    case "leaky_relu":
      return x < 0 ? activation.alpha * x : x;
    case "elu":
      return x < 0 ? activation.alpha * Math.expm1(x) : x;
    case "hard_sigmoid":
      return between(activation.alpha * x + activation.beta, 0, 1);
    case "clip":
      return between(x, activation.low, activation.high);
  }
}

function sigmoid(x: number): number {
  return 1 / (1 + Math.exp(-x));
}

function between(x: number, low: number, high: number): number {
  return Math.min(Math.max(x, low), high);
}

/**
 * 1 - erf(x), to about 1e-15 of its size: the power series of erf near zero, and further out Lentz's evaluation of the
 * continued fraction of erfc (Abramowitz and Stegun 7.1.6 and 7.1.14).
 */
export function erfc(x: number): number {
  if (x < 0) return 2 - erfc(-x);
  if (x < 2.5) return 1 - erfSeries(x);
  return x > 27 ? 0 : erfcFraction(x);
}

/** The error function. */
export function erf(x: number): number {
  return Math.abs(x) < 2.5 ? erfSeries(x) : 1 - erfc(x);
}

/** erf x = 2 / sqrt(pi) exp(-x^2) sum of 2^n x^(2n+1) / (2n+1)!!. */
function erfSeries(x: number): number {
  let term = x;
  let sum = x;
  for (let n = 1; Math.abs(term) > 1e-17 * Math.abs(sum); n++) {
    term *= 2 * x * x / (2 * n + 1);
    sum += term;
  }
  return 2 / Math.sqrt(Math.PI) * Math.exp(-x * x) * sum;
}

/** erfc x = exp(-x^2) / sqrt(pi) (1 / (x + (1/2) / (x + 1 / (x + (3/2) / ..)))), from the inside out. */
function erfcFraction(x: number): number {
  let tail = x;
  for (let n = 60; n >= 1; n--) tail = x + n / 2 / tail;
  return Math.exp(-x * x) / (Math.sqrt(Math.PI) * tail);
}
