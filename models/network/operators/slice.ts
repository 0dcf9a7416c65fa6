/** Slice and Split. */
import { rearranged, shapeOf } from "../rearranged.ts";
import { pickIndices, range } from "../shapes.ts";
import type { Step } from "../step.ts";
import type { Value } from "../value.ts";

export function slice(step: Step): Value {
  const value = step.value(0);
  const shape = shapeOf(value);
  const starts = step.integers("starts", 1) ?? step.refuse("does not say where it starts.");
  const ends = step.integers("ends", 2) ?? step.refuse("does not say where it ends.");
  const axes = (step.integers("axes", 3) ?? range(starts.length)).map((axis) => step.axis(axis, shape.length));
  const strides = step.integers("steps", 4) ?? starts.map(() => 1);
  if ([ends, axes, strides].some((list) => list.length !== starts.length) || strides.includes(0)) {
    step.refuse("has starts, ends, axes and steps that do not fit together.");
  }
  const places = shape.map((size) => range(size));
  axes.forEach((axis, i) => places[axis] = placesOf(shape[axis], starts[i], ends[i], strides[i]));
  const result = places.map((list) => list.length);
  step.reserve(result);
  return rearranged(step, value, result, pickIndices(shape, places));
}

/** The places from `start` on, up to before `end`, as Python slices them. */
function placesOf(size: number, start: number, end: number, stride: number): number[] {
  const clamp = (place: number, low: number, high: number) =>
    Math.min(Math.max(place < 0 ? place + size : place, low), high);
  const [from, to] = stride > 0
    ? [clamp(start, 0, size), clamp(end, 0, size)]
    : [clamp(start, -1, size - 1), clamp(end, -1, size - 1)];
  return range(Math.max(0, Math.ceil((to - from) / stride))).map((i) => from + i * stride);
}

/** Cuts an axis into as many parts as the node has outputs. */
export function split(step: Step): readonly Value[] {
  const value = step.value(0);
  const shape = shapeOf(value);
  const axis = step.axis(step.attributes.int("axis", 0), shape.length);
  const count = step.node.output.length;
  const even = Math.ceil(shape[axis] / count);
  const sizes = step.integers("split", 1) ??
    range(count).map((i) => Math.max(0, Math.min(even, shape[axis] - i * even)));
  const total = sizes.reduce((sum, size) => sum + size, 0);
  if (sizes.length !== count || total !== shape[axis] || sizes.some((size) => !(size >= 0))) {
    step.refuse(`cuts an axis of ${shape[axis]} into [${sizes.slice(0, 8).join(", ")}].`);
  }
  return sizes.map((size, part) => {
    const start = sizes.slice(0, part).reduce((sum, other) => sum + other, 0);
    const places = shape.map((length, i) => i === axis ? range(size).map((place) => start + place) : range(length));
    const result = places.map((list) => list.length);
    step.reserve(result);
    return rearranged(step, value, result, pickIndices(shape, places));
  });
}
