/** Constants, shapes as numbers, and conversions between number types. */
import { curveOf } from "../formulas.ts";
import { shapeOf } from "../rearranged.ts";
import { sizeOf } from "../shapes.ts";
import type { Operator, Step } from "../step.ts";
import { isInteger, isNumeric, readTensor } from "../tensors.ts";
import { constantOf, type Value } from "../value.ts";

export const CONSTANTS: Readonly<Record<string, Operator>> = {
  Constant: constant,
  ConstantOfShape: constantOfShape,
  Shape: shape,
  Size: (step) => constantOf([sizeOf(shapeOf(step.value(0)))], [], true),
  Range: numbers,
  Cast: cast,
  CastLike: (step) => step.value(0),
};

function constant(step: Step): Value {
  const { attributes } = step;
  const tensor = attributes.tensor("value");
  if (tensor) return readTensor(tensor, step.label);
  if (attributes.has("value_float")) return constantOf([attributes.float("value_float", 0)], [], false);
  if (attributes.has("value_int")) return constantOf([attributes.int("value_int", 0)], [], true);
  const [floats, ints] = [attributes.floats("value_floats"), attributes.ints("value_ints")];
  if (attributes.has("value_floats")) return constantOf(floats, [floats.length], false);
  if (attributes.has("value_ints")) return constantOf(ints, [ints.length], true);
  const texts = attributes.strings("value_strings");
  if (texts.length > 0) return { kind: "texts", shape: [texts.length], values: texts };
  return step.refuse("has no value of a kind that Sotto reads; export it as a tensor.");
}

function constantOfShape(step: Step): Value {
  const shape = Array.from(step.constant(0).values);
  const tensor = step.attributes.tensor("value");
  const value = tensor ? readTensor(tensor, step.label) : constantOf([0], [1], false);
  if (value.kind !== "constant" || value.values.length !== 1) step.refuse("needs one number as its value.");
  if (shape.some((size) => !(size >= 0))) step.refuse("makes a tensor with an axis below zero.");
  step.reserve(shape);
  const values = new Float64Array(sizeOf(shape)).fill(value.kind === "constant" ? value.values[0] : 0);
  return { kind: "constant", shape, values, integer: value.kind === "constant" && value.integer };
}

/** The batch axis counts as one, here as everywhere. */
function shape(step: Step): Value {
  const value = step.value(0);
  const all = shapeOf(value);
  const end = step.attributes.has("end") ? step.attributes.int("end", 0) : all.length;
  const sizes = all.slice(step.attributes.int("start", 0), end);
  return constantOf(sizes, [sizes.length], true);
}

function numbers(step: Step): Value {
  const [start, limit, delta] = [0, 1, 2].map((index) => step.constant(index).values[0]);
  const count = Math.max(0, Math.ceil((limit - start) / delta));
  if (!Number.isInteger(count)) step.refuse("counts without end.");
  step.reserve([count]);
  return constantOf(Array.from({ length: count }, (_, i) => start + i * delta), [count], step.constant(0).integer);
}

const BOOL = 9;

/** How a number becomes an integer, or a truth value. */
function toInteger(type: number): (x: number) => number {
  return type === BOOL ? (x) => x === 0 ? 0 : 1 : Math.trunc;
}

/** Real numbers stay what they are; rounding tensors of the network to integers is refused. */
function cast(step: Step): Value {
  const value = step.value(0);
  const to = step.attributes.int("to", 0);
  if (value.kind === "choice" || value.kind === "texts") return value;
  if (!isNumeric(to)) step.refuse(`casts to the element type ${to}; only number types are supported.`);
  if (value.kind === "constant") {
    const values = isInteger(to) ? Float64Array.from(value.values, toInteger(to)) : value.values;
    return { ...value, values, integer: isInteger(to) };
  }
  if (isInteger(to) && value.kind === "curve") return curveOf(step, value, toInteger(to));
  if (isInteger(to)) {
    step.refuse("rounds a tensor of the network to integers; leave the cast out.");
  }
  return value;
}
