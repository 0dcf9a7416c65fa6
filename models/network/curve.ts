/**
 * Recognises activation functions that exporters write as several operators (GELU, SiLU, hard swish, softplus ..): a formula of
 * one variable is the function that it equals at many points, whichever way it is written.
 */
import { applyActivation } from "./activation.ts";
import type { ActivationFunction } from "./types.ts";

/** Functions without parameters; no two of them agree within the tolerance everywhere. */
const KNOWN: readonly ActivationFunction[] = [
  { name: "gelu" },
  { name: "gelu_tanh" },
  { name: "silu" },
  { name: "hard_swish" },
  { name: "softplus" },
  { name: "softsign" },
  { name: "sigmoid" },
  { name: "tanh" },
  { name: "relu" },
];

/** Points where formulas are compared: dense where the functions bend, and far enough out to see their ends. */
const POINTS: readonly number[] = [
  ...Array.from({ length: 161 }, (_, i) => (i - 80) / 10 + 0.003),
  -30,
  -17,
  -11,
  11,
  17,
  30,
];

/** Constants of a formula are in single precision. */
const TOLERANCE = 2e-6;

/** The activation function that the formula computes, if it is one that networks have. */
export function recognise(formula: (x: number) => number): ActivationFunction | undefined {
  const values = POINTS.map(formula);
  const known = KNOWN.find((activation) => agrees(values, (x) => applyActivation(activation, x)));
  if (known) return known;
  const alpha = formula(-1) / -1;
  if (!(Number.isFinite(alpha) && alpha !== 1)) return undefined;
  const leaky = { name: "leaky_relu", alpha: Math.fround(alpha) } as const;
  return agrees(values, (x) => applyActivation(leaky, x)) ? leaky : undefined;
}

/** True when the formula is the function at every point. */
export function isFunction(formula: (x: number) => number, wanted: (x: number) => number): boolean {
  return agrees(POINTS.map(formula), wanted);
}

function agrees(values: readonly number[], wanted: (x: number) => number): boolean {
  return POINTS.every((x, i) => Math.abs(values[i] - wanted(x)) <= TOLERANCE * (1 + Math.abs(x)));
}
