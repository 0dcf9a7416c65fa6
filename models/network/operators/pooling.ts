/** AveragePool, MaxPool, their global forms, and means, sums and maxima over axes. */
import { scaleAll } from "../affine.ts";
import { range, sizeOf, transposeIndices } from "../shapes.ts";
import type { Step } from "../step.ts";
import type { LayerBody } from "../layers.ts";
import type { Value, View } from "../value.ts";
import { everyWindowSeesInput, type Sliding, slidingOf } from "../window.ts";

type Pool = "average_pool" | "max_pool";

export function averagePool(step: Step): Value {
  const view = step.paddedView(0);
  const sliding = slidingOf(step, view, step.attributes.ints("kernel_shape"));
  const own = step.attributes.int("count_include_pad", 0) !== 0;
  const padsItself = step.attributes.ints("pads").some((pad) => pad !== 0) ||
    step.attributes.string("auto_pad", "NOTSET").startsWith("SAME");
  if (view.padding && padsItself && !own) {
    step.refuse("follows a Pad and pads by itself; pad once.");
  }
  const countPadding = own || view.padding !== undefined;
  if (countPadding && sliding.extended) {
    step.refuse("counts padding and rounds its output size up (ceil_mode); export it with ceil_mode off.");
  }
  return pool(step, view, sliding, { kind: "average_pool", countPadding });
}

export function maxPool(step: Step): Value {
  const view = step.view(0);
  if (step.attributes.int("storage_order", 0) !== 0) {
    step.refuse("stores columns first; export it with storage_order 0.");
  }
  return pool(step, view, slidingOf(step, view, step.attributes.ints("kernel_shape")), { kind: "max_pool" });
}

type PoolKind = { readonly kind: "max_pool" } | { readonly kind: "average_pool"; readonly countPadding: boolean };

function pool(step: Step, view: View, sliding: Sliding, kind: PoolKind): View {
  const plain = { ...view, padding: undefined };
  step.layers.checkShape(sliding.outputShape(sliding.channels), step.label);
  if (!everyWindowSeesInput(sliding)) step.refuse("has windows that see nothing but padding; use less padding.");
  const tensor = step.add({
    ...kind,
    inputs: [step.layers.tensorOf(plain, [sliding.channels, ...sliding.area], step.label)],
    shape: [sliding.channels, ...sliding.outputArea],
    window: sliding.window,
  });
  return { kind: "view", shape: sliding.outputShape(sliding.channels), tensor };
}

/** Over height and width, kept as axes of one. */
export function globalPool(kind: Pool): (step: Step) => Value {
  return (step) => {
    const view = step.view(0);
    if (view.shape.length < 3) step.refuse("needs axes beside the channels.");
    return reduceAxes(step, view, range(view.shape.length).slice(2), true, kind);
  };
}

/** ReduceMean, ReduceSum and ReduceMax over any one, or neighbouring, axes. */
export function reduce(kind: Pool, sum = false): (step: Step) => Value {
  return (step) => {
    const view = step.view(0);
    const rank = view.shape.length;
    const given = step.integers("axes", 1);
    if (!given?.length && step.attributes.int("noop_with_empty_axes", 0) !== 0) return view;
    const axes = (given?.length ? given : range(rank).slice(1)).map((axis) => step.axis(axis, rank));
    const reduced = reduceAxes(step, view, axes, step.attributes.int("keepdims", 1) !== 0, kind);
    return sum ? scaleAll(step, reduced, sizeOf(axes.map((axis) => view.shape[axis])), 0) : reduced;
  };
}

/** Brings the axes to the end, where one window covers them. */
function reduceAxes(step: Step, view: View, axes: readonly number[], keep: boolean, kind: Pool): View {
  const kept = range(view.shape.length).filter((axis) => !axes.includes(axis));
  const gone = range(view.shape.length).filter((axis) => axes.includes(axis));
  const shape = view.shape.flatMap((size, axis) => gone.includes(axis) ? (keep ? [1] : []) : [size]);
  const sizes = gone.map((axis) => view.shape[axis]).filter((size) => size > 1);
  if (sizes.length === 0) return step.layers.rearrange(view, shape);
  step.reserve(view.shape);
  const area: [number, number] = sizes.length === 1 ? areaOfOne(view, gone) : [sizes[0], sizeOf(sizes.slice(1))];
  const channels = sizeOf(kept.map((axis) => view.shape[axis]));
  const turned = step.layers.rearrange(view, [1, channels, ...area], transposeIndices(view.shape, [...kept, ...gone]));
  const window = { kernel: area, strides: [1, 1], dilations: [1, 1], pads: [0, 0, 0, 0] } as const;
  const inputs = [step.layers.tensorOf(turned, [channels, ...area], step.label)];
  const body: LayerBody = kind === "max_pool"
    ? { kind, inputs, shape: [channels, 1, 1], window }
    : { kind, inputs, shape: [channels, 1, 1], window, countPadding: false };
  return { kind: "view", shape, tensor: step.add(body) };
}

/** Two axes that are reduced, one of them of one place, keep their shape; a single one lies flat. */
function areaOfOne(view: View, gone: readonly number[]): [number, number] {
  const sizes = gone.map((axis) => view.shape[axis]);
  return sizes.length === 2 ? [sizes[0], sizes[1]] : [1, sizeOf(sizes)];
}
