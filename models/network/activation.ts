/** Activation functions in double precision, as the ONNX operators of these names define them. */
import { erfc } from "../erf.ts";
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
