/** Operators that work on each element of a tensor: what they make of views and of formulas (`Curve`). */
import { recognise } from "./curve.ts";
import { sameShape, type Shape } from "./shapes.ts";
import type { Step } from "./step.ts";
import type { ActivationFunction, TensorIndex } from "./types.ts";
import type { Curve, Value, View } from "./value.ts";

/** Longest formula that is kept, in operators, and how far back a formula may reach. */
const SIZE_MAX = 64;
const ANCESTORS_MAX = 12;

/** The value as a formula of an earlier tensor. */
interface Ancestry {
  readonly tensor: TensorIndex;
  readonly order?: Uint32Array;
  readonly shape: Shape;
  readonly apply: (x: number) => number;
  readonly size: number;
}

/** Adds an activation layer. */
export function activate(step: Step, view: View, activation: ActivationFunction, apply: (x: number) => number): View {
  const whole = step.layers.wholeOf(view, step.label);
  const shape = step.layers.shapeOf(whole.tensor);
  const body = { kind: "activation", inputs: [whole.tensor], shape, activation } as const;
  return { ...whole, tensor: step.add(body, { from: whole.tensor, apply }) };
}

/** The formula of one more operator on a value. */
export function curveOf(
  step: Step,
  value: View | Curve,
  apply: (x: number) => number,
  exponential = false,
): View | Curve {
  return combine(step, [value], ([x]) => apply(x), exponential) ?? step.refuse("makes a formula that is too long.");
}

/**
 * The formula of several values that all depend on one tensor, or undefined where they do not. It is an activation layer where
 * it is a known function.
 */
export function combine(
  step: Step,
  values: readonly (View | Curve)[],
  apply: (xs: readonly number[]) => number,
  exponential = false,
): View | Curve | undefined {
  const plain = values.map((value) => value.kind === "curve" && value.factors ? step.layerOf(value) : value);
  const curves = candidates(step, plain, apply);
  for (const { root, apply } of plain.length > 1 || curves[0]?.size > 1 ? curves : []) {
    const activation = recognise(apply);
    if (activation) return activate(step, root, activation, apply);
  }
  return curves.length > 0 ? { ...curves[0], exponential } : undefined;
}

/** The formulas in terms of each tensor that all values depend on, the nearest first. */
function candidates(step: Step, values: readonly (View | Curve)[], apply: (xs: readonly number[]) => number): Curve[] {
  const lists = values.map((value) => ancestors(step, value));
  return lists[0].flatMap((first): Curve[] => {
    const parts = lists.map((list) => list.find((other) => sameRoot(first, other)));
    const size = parts.reduce((sum, part) => sum + (part?.size ?? SIZE_MAX), 1);
    if (size > SIZE_MAX) return [];
    const formulas = parts.map((part) => part!.apply);
    const root: View = { kind: "view", shape: first.shape, tensor: first.tensor, order: first.order };
    const whole = (x: number) => apply(formulas.map((formula) => formula(x)));
    return [{ kind: "curve", root, apply: whole, size, label: step.label, exponential: false }];
  });
}

function ancestors(step: Step, value: View | Curve): Ancestry[] {
  const view = value.kind === "view" ? value : value.root;
  const { order, shape } = view;
  const start = value.kind === "view" ? { apply: (x: number) => x, size: 0 } : value;
  const found: Ancestry[] = [{ tensor: view.tensor, order, shape, apply: start.apply, size: start.size }];
  while (found.length < ANCESTORS_MAX) {
    const { tensor, apply, size } = found[found.length - 1];
    const origin = step.layers.origin(tensor);
    if (!origin) break;
    found.push({ tensor: origin.from, order, shape, apply: (x) => apply(origin.apply(x)), size: size + 1 });
  }
  return found;
}

function sameRoot(a: Ancestry, b: Ancestry): boolean {
  if (a.tensor !== b.tensor || !sameShape(a.shape, b.shape)) return false;
  if (a.order === b.order) return true;
  return a.order !== undefined && b.order !== undefined && a.order.length === b.order.length &&
    a.order.every((index, at) => index === b.order![at]);
}

/** True for values that formulas are made of. */
export function isFormula(value: Value): value is View | Curve {
  return value.kind === "curve" || (value.kind === "view" && !value.padding);
}
