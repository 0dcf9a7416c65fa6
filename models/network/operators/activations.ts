/** Activation functions, and the functions of one variable that they are put together from. */
import { erf } from "../../erf.ts";
import { applyActivation } from "../activation.ts";
import { activate, curveOf } from "../formulas.ts";
import type { Operator, Step } from "../step.ts";
import type { ActivationFunction } from "../types.ts";
import type { Curve, Value, View } from "../value.ts";

/** An operator that is an activation function, read from its attributes. */
export function activation(read: (step: Step) => ActivationFunction): Operator {
  return (step) => applied(step, formulaInput(step), read(step));
}

/** A function that networks do not have by itself. */
export function formula(apply: (x: number) => number, exponential = false): Operator {
  return (step) => {
    const value = step.value(0);
    if (value.kind === "constant") return { ...value, values: value.values.map(apply) };
    return curveOf(step, formulaInput(step), apply, exponential);
  };
}

function formulaInput(step: Step): View | Curve {
  const value = step.value(0);
  return value.kind === "curve" ? value : step.view(0);
}

/** An activation layer, or one more operator of a formula. */
export function applied(step: Step, value: View | Curve, activation: ActivationFunction): View | Curve {
  const apply = (x: number) => applyActivation(activation, x);
  return value.kind === "view" ? activate(step, value, activation, apply) : curveOf(step, value, apply);
}

const FLOAT_MAX = Math.fround(3.4028234663852886e38);

/** Bounds from inputs or attributes; [0, infinity) is ReLU. */
export function clip(step: Step): Value {
  const [low, high] = step.opset < 11
    ? [step.attributes.float("min", -FLOAT_MAX), step.attributes.float("max", FLOAT_MAX)]
    : [step.number("min", 1, -FLOAT_MAX), step.number("max", 2, FLOAT_MAX)];
  return clipped(step, formulaInput(step), low, high);
}

export function clipped(step: Step, value: View | Curve, low: number, high: number): View | Curve {
  if (!(low <= high)) step.refuse(`clips to [${low}, ${high}], which is empty.`);
  const [least, most] = [Math.max(low, -FLOAT_MAX), Math.min(high, FLOAT_MAX)];
  if (least === -FLOAT_MAX && most === FLOAT_MAX) return value;
  const relu = least === 0 && most === FLOAT_MAX;
  return applied(step, value, relu ? { name: "relu" } : { name: "clip", low: least, high: most });
}

/** A leaky ReLU whose slope is a constant; one number for all. */
export function prelu(step: Step): Value {
  const slopes = step.constant(1).values;
  if (slopes.some((slope) => slope !== slopes[0])) {
    step.refuse("has several slopes; use one slope (num_parameters=1) or LeakyRelu.");
  }
  return applied(step, formulaInput(step), { name: "leaky_relu", alpha: slopes[0] });
}

/** Operators of one input, by name. */
export const ACTIVATIONS: Readonly<Record<string, Operator>> = {
  Relu: activation(() => ({ name: "relu" })),
  Sigmoid: activation(() => ({ name: "sigmoid" })),
  Tanh: activation(() => ({ name: "tanh" })),
  LeakyRelu: activation((step) => ({ name: "leaky_relu", alpha: step.attributes.float("alpha", Math.fround(0.01)) })),
  Elu: activation((step) => ({ name: "elu", alpha: step.attributes.float("alpha", 1) })),
  Gelu: activation((step) => gelu(step)),
  HardSwish: activation(() => ({ name: "hard_swish" })),
  HardSigmoid: activation((step) => ({
    name: "hard_sigmoid",
    alpha: step.attributes.float("alpha", Math.fround(0.2)),
    beta: step.attributes.float("beta", 0.5),
  })),
  Softplus: activation(() => ({ name: "softplus" })),
  Softsign: activation(() => ({ name: "softsign" })),
  Clip: clip,
  PRelu: prelu,
  Erf: formula(erf),
  Exp: formula(Math.exp, true),
  Log: (step) => {
    const value = step.value(0);
    return value.kind === "scores" ? value : formula(Math.log)(step);
  },
  Abs: formula(Math.abs),
  Sqrt: formula(Math.sqrt),
  Reciprocal: formula((x) => 1 / x),
  Floor: formula(Math.floor),
  Ceil: formula(Math.ceil),
  Not: formula((x) => x === 0 ? 1 : 0),
};

function gelu(step: Step): ActivationFunction {
  const mode = step.attributes.string("approximate", "none");
  if (mode !== "none" && mode !== "tanh") step.refuse(`has the approximation "${mode}", which is unknown.`);
  return { name: mode === "none" ? "gelu" : "gelu_tanh" };
}
