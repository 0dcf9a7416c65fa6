/** Operators of two tensors, element by element. */
import { multiplied, scaleAll, scaleEach } from "../affine.ts";
import { combine, isFormula } from "../formulas.ts";
import { layerShape } from "../layers.ts";
import { rearranged, shapeOf } from "../rearranged.ts";
import { broadcastIndices, broadcastShape, sameShape, type Shape, sizeOf } from "../shapes.ts";
import type { Operator, Step } from "../step.ts";
import type { Constant, Curve, Value, View } from "../value.ts";
import { clipped } from "./activations.ts";

type Pair = (a: number, b: number) => number;

/** What the operators compute; truth values are 0 and 1. */
const FUNCTIONS: Readonly<Record<string, Pair>> = {
  Add: (a, b) => a + b,
  Sub: (a, b) => a - b,
  Mul: (a, b) => a * b,
  Div: (a, b) => a / b,
  Pow: (a, b) => a ** b,
  Max: Math.max,
  Min: Math.min,
  Mod: (a, b) => a - b * Math.floor(a / b),
  Greater: (a, b) => a > b ? 1 : 0,
  GreaterOrEqual: (a, b) => a >= b ? 1 : 0,
  Less: (a, b) => a < b ? 1 : 0,
  LessOrEqual: (a, b) => a <= b ? 1 : 0,
  Equal: (a, b) => a === b ? 1 : 0,
  And: (a, b) => a && b ? 1 : 0,
  Or: (a, b) => a || b ? 1 : 0,
};

export const ARITHMETIC: Readonly<Record<string, Operator>> = {
  ...Object.fromEntries(Object.keys(FUNCTIONS).map((name) => [name, (step: Step) => binary(step, name)])),
  Sum: (step) => chain(step, "Add"),
  Max: (step) => chain(step, "Max"),
  Min: (step) => chain(step, "Min"),
  Neg: (step) => {
    const value = step.value(0);
    return value.kind === "constant"
      ? { ...value, values: value.values.map((x) => -x) }
      : scaleAll(step, operand(step, value, 0), -1, 0);
  },
  Where: where,
};

function binary(step: Step, name: string): Value {
  return operate(step, name, step.value(0), step.value(1));
}

/** Operators of any number of inputs. */
function chain(step: Step, name: string): Value {
  return step.inputs.slice(1).reduce<Value>((sum, _, i) => operate(step, name, sum, step.value(i + 1)), step.value(0));
}

function operate(step: Step, name: string, a: Value, b: Value): Value {
  if (a.kind === "constant" && b.kind === "constant") return foldConstants(step, name, a, b);
  if (b.kind === "constant") return withConstant(step, name, operand(step, a, 0), b, false);
  if (a.kind === "constant") return withConstant(step, name, operand(step, b, 1), a, true);
  return ofTensors(step, name, operand(step, a, 0), operand(step, b, 1));
}

function operand(step: Step, value: Value, index: number): View | Curve {
  if (value.kind === "curve") return value;
  const view = step.viewOf(value, index);
  return view.padding ? step.refuse("follows a Pad; only convolutions and average pools take padding.") : view;
}

function foldConstants(step: Step, name: string, a: Constant, b: Constant): Constant {
  const shape = together(step, a.shape, b.shape);
  step.reserve(shape);
  const [left, right] = [broadcastIndices(a.shape, shape), broadcastIndices(b.shape, shape)];
  const integer = a.integer && b.integer;
  const apply = FUNCTIONS[name];
  const values = Float64Array.from(left, (index, i) => {
    const value = apply(a.values[index], b.values[right[i]]);
    return integer ? Math.trunc(value) : value;
  });
  return { kind: "constant", shape, values, integer };
}

function together(step: Step, a: Shape, b: Shape): number[] {
  return broadcastShape(a, b) ??
    step.refuse(`combines the shapes [${a.join(", ")}] and [${b.join(", ")}], which do not fit together.`);
}

/** @param first the constant is the first input */
function withConstant(step: Step, name: string, value: View | Curve, constant: Constant, first: boolean): Value {
  const shape = value.kind === "view" ? value.shape : value.root.shape;
  const wide = together(step, shape, constant.shape);
  const number = constant.values[0];
  if (constant.values.length > 0 && sizeOf(wide) === sizeOf(shape) && constant.values.every((x) => x === number)) {
    return withNumber(step, name, reshaped(step, value, wide), number, first);
  }
  const mapped = (apply: (x: number) => number) => ({ ...constant, values: Float64Array.from(constant.values, apply) });
  const quotient = name === "Div" && !first;
  const view = () => value.kind === "view" ? value : step.layerOf(value);
  if (name === "Mul" || quotient) {
    const factors = quotient ? mapped((x) => 1 / x) : constant;
    return multiplied(step, sizeOf(wide) === sizeOf(shape) ? value : view(), factors);
  }
  if (name === "Add") return scaleEach(step, view(), mapped(() => 1), constant);
  if (name === "Sub") {
    return scaleEach(step, view(), mapped(() => first ? -1 : 1), first ? constant : mapped((x) => -x));
  }
  return step.refuse("takes a constant of several numbers, which is supported for Add, Sub, Mul and Div only.");
}

function reshaped(step: Step, value: View | Curve, shape: Shape): View | Curve {
  if (value.kind === "view") return step.layers.rearrange(value, shape);
  return { ...value, root: step.layers.rearrange(value.root, shape) };
}

function withNumber(step: Step, name: string, value: View | Curve, number: number, first: boolean): Value {
  if (name === "Add") return scaleAll(step, value, 1, number);
  if (name === "Sub") return first ? scaleAll(step, value, -1, number) : scaleAll(step, value, 1, -number);
  if (name === "Mul") return scaleAll(step, value, number, 0);
  if (name === "Div" && !first) return scaleAll(step, value, 1 / number, 0);
  if (name === "Max") return clipped(step, value, number, Infinity);
  if (name === "Min") return clipped(step, value, -Infinity, number);
  const apply = FUNCTIONS[name];
  return combine(step, [value], ([x]) => first ? apply(number, x) : apply(x, number)) ??
    step.refuse("makes a formula that is too long.");
}

function ofTensors(step: Step, name: string, a: View | Curve, b: View | Curve): Value {
  const sum = name === "Add" || name === "Sub";
  if (!sum || a.kind === "curve" || b.kind === "curve") {
    const formula = name === "Mul" ? product(step, a, b) : combine(step, [a, b], ([x, y]) => FUNCTIONS[name](x, y));
    if (formula) return formula;
  }
  if (!sum) {
    step.refuse(
      "combines two tensors that both depend on the input (gates, attention, normalisation by the input); " +
        "only sums and differences of such tensors are supported.",
    );
  }
  return added(step, step.viewOf(a, 0), step.viewOf(b, 1), name === "Add" ? 1 : -1);
}

/** The product of formulas of one tensor, and of the numbers a channel that they are multiplied by. */
function product(step: Step, a: View | Curve, b: View | Curve): View | Curve | undefined {
  const times = ([x, y]: readonly number[]) => x * y;
  const kept = [a, b].flatMap((value) => value.kind === "curve" && value.factors ? [value.factors] : []);
  const bare = [a, b].map((value) => value.kind === "curve" ? { ...value, factors: undefined } : value);
  const formula = combine(step, bare, times);
  if (formula) return kept.reduce((value, factors) => multiplied(step, value, factors), formula);
  const split = bare.map((value) => value.kind === "view" ? step.layers.factored(value.tensor) : undefined);
  const views = bare.map((value, i) => split[i]?.view ?? value);
  const inner = split.some((part) => part) ? combine(step, views, times) : undefined;
  return inner && [...kept, ...split.flatMap((part) => part ? [part.factors] : [])]
    .reduce((value, factors) => multiplied(step, value, factors), inner);
}

/** a + factor b. */
function added(step: Step, a: View, b: View, factor: number): View {
  const { layers, label } = step;
  const shape = together(step, a.shape, b.shape);
  layers.checkShape(shape, label);
  const [left, right] = [a, b].map((view) =>
    sameShape(view.shape, shape) ? view : layers.rearrange(view, shape, broadcastIndices(view.shape, shape))
  ).map((view) => layers.wholeOf(view, label));
  const alike = left.order?.length === right.order?.length &&
    (left.order ?? []).every((index, i) => index === right.order![i]);
  const inner = alike ? layers.shapeOf(left.tensor) : layerShape(shape);
  const order = alike ? left.order : undefined;
  const flat = (view: View): View => alike ? { ...view, order: undefined } : view;
  const inputs = [left, right].map((view) => layers.tensorOf(flat(view), inner, label));
  const tensor = step.add({ kind: "add", inputs, shape: inner, factors: [1, factor] });
  return { kind: "view", shape, tensor, ...(order ? { order } : {}) };
}

/** The second input where the first is true, else the third: constants, or a formula. */
function where(step: Step): Value {
  const condition = step.value(0);
  const [yes, no] = [step.value(1), step.value(2)];
  if (condition.kind === "constant") {
    if (condition.values.length > 0 && condition.values.every((x) => x === condition.values[0])) {
      const shape = together(step, together(step, condition.shape, shapeOf(yes)), shapeOf(no));
      return widened(step, condition.values[0] ? yes : no, shape);
    }
    if (yes.kind === "constant" && no.kind === "constant") return chosen(step, condition, yes, no);
    step.refuse("chooses by a mask; use a network without masks.");
  }
  const parts = [condition, yes, no];
  const formulas = parts.filter(isFormula);
  if (parts.every((part) => isFormula(part) || isNumber(part))) {
    const at = parts.map((part) => isFormula(part) ? formulas.indexOf(part) : -1);
    const number = (part: Value) => part.kind === "constant" ? part.values[0] : 0;
    const read = (xs: readonly number[], i: number) => at[i] < 0 ? number(parts[i]) : xs[at[i]];
    const formula = combine(step, formulas, (xs) => read(xs, 0) ? read(xs, 1) : read(xs, 2));
    if (formula) return formula;
  }
  return step.refuse("chooses between tensors; only activation functions written with it are supported.");
}

/** The value, repeated along axes of one place. */
function widened(step: Step, value: Value, shape: Shape): Value {
  if (sameShape(shapeOf(value), shape)) return value;
  step.layers.checkShape(shape, step.label);
  return rearranged(step, value, shape, broadcastIndices(shapeOf(value), shape));
}

function isNumber(value: Value): boolean {
  return value.kind === "constant" && value.values.length === 1;
}

function chosen(step: Step, condition: Constant, yes: Constant, no: Constant): Constant {
  const shape = together(step, together(step, condition.shape, yes.shape), no.shape);
  step.reserve(shape);
  const [at, left, right] = [condition, yes, no].map((part) => broadcastIndices(part.shape, shape));
  const values = Float64Array.from(
    at,
    (index, i) => condition.values[index] ? yes.values[left[i]] : no.values[right[i]],
  );
  return { kind: "constant", shape, values, integer: yes.integer && no.integer };
}
