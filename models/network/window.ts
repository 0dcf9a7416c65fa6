/** The window of a convolution or pool: attributes of the node, and the size of what comes out. */
import type { Step } from "./step.ts";
import type { Window } from "./types.ts";
import type { View } from "./value.ts";

/** A window over [channels, height, width], and the height and width of the output. */
export interface Sliding {
  readonly window: Window;
  readonly channels: number;
  /** Height and width of the input. */
  readonly area: readonly [number, number];
  readonly outputArea: readonly [number, number];
  /** The graph's shape of an output with so many channels. */
  outputShape(channels: number): number[];
  /** The window reaches further at the end than the node's padding, because sizes are rounded up. */
  readonly extended: boolean;
}

/**
 * Reads strides, pads, dilations and auto_pad.
 * @param kernel one size an axis
 */
export function slidingOf(step: Step, view: View, kernel: readonly number[]): Sliding {
  const axes = view.shape.length - 2;
  if (view.shape[0] !== 1 || axes < 1 || axes > 2 || kernel.length !== axes) {
    step.refuse(
      `works on a tensor of shape [${view.shape.join(", ")}] with a kernel of ${kernel.length} axes; ` +
        "one and two axes beside the channels are supported.",
    );
  }
  const strides = listOf(step, "strides", axes, 1);
  const dilations = listOf(step, "dilations", axes, 1);
  if ([...kernel, ...strides, ...dilations].some((size) => size < 1 || size > 1 << 16)) {
    step.refuse("has a kernel, stride or dilation below one or too large.");
  }
  const sizes = view.shape.slice(2);
  const spans = kernel.map((size, axis) => dilations[axis] * (size - 1) + 1);
  const pads = padsOf(step, view, sizes, spans, strides);
  const { outputs, ends } = outputsOf(step, sizes, spans, strides, pads);
  const lift = (list: readonly number[], fill: number): [number, number] =>
    axes === 1 ? [fill, list[0]] : [list[0], list[1]];
  const [before, after] = [lift(pads.slice(0, axes), 0), lift(ends, 0)];
  return {
    window: {
      kernel: lift(kernel, 1),
      strides: lift(strides, 1),
      dilations: lift(dilations, 1),
      pads: [before[0], before[1], after[0], after[1]],
    },
    channels: view.shape[1],
    area: lift(sizes, 1),
    outputArea: lift(outputs, 1),
    outputShape: (channels) => [1, channels, ...outputs],
    extended: ends.some((end, axis) => end > pads[axes + axis]),
  };
}

function listOf(step: Step, name: string, axes: number, absent: number): number[] {
  if (!step.attributes.has(name)) return new Array(axes).fill(absent);
  const list = step.attributes.ints(name);
  return list.length === axes ? list : step.refuse(`has ${list.length} numbers in "${name}" for ${axes} axes.`);
}

/** Padding before each axis, then after each. */
function padsOf(
  step: Step,
  view: View,
  sizes: readonly number[],
  spans: readonly number[],
  strides: readonly number[],
): number[] {
  const axes = sizes.length;
  const mode = step.attributes.string("auto_pad", "NOTSET");
  const own = mode === "NOTSET" || mode === "VALID"
    ? (mode === "VALID" || !step.attributes.has("pads") ? new Array(2 * axes).fill(0) : step.attributes.ints("pads"))
    : samePads(step, mode, sizes, spans, strides);
  if (own.length !== 2 * axes || own.some((pad) => pad < 0 || pad > 1 << 16)) {
    step.refuse("has pads below zero, too large, or for another number of axes.");
  }
  if (!view.padding) return own;
  if (own.some((pad) => pad !== 0) && mode.startsWith("SAME")) {
    step.refuse("follows a Pad and pads by itself; export it with explicit pads.");
  }
  const [top, left, bottom, right] = view.padding;
  const added = axes === 1 ? [left, right] : [top, left, bottom, right];
  return own.map((pad, index) => pad + added[index]);
}

function samePads(
  step: Step,
  mode: string,
  sizes: readonly number[],
  spans: readonly number[],
  strides: readonly number[],
): number[] {
  if (mode !== "SAME_UPPER" && mode !== "SAME_LOWER") step.refuse(`has the auto_pad "${mode}", which is unknown.`);
  const totals = sizes.map((size, axis) =>
    Math.max(0, (Math.ceil(size / strides[axis]) - 1) * strides[axis] + spans[axis] - size)
  );
  const small = totals.map((total) => Math.floor(total / 2));
  const large = totals.map((total) => Math.ceil(total / 2));
  return mode === "SAME_UPPER" ? [...small, ...large] : [...large, ...small];
}

/** Output sizes, and the padding after each axis that reaches them. */
function outputsOf(
  step: Step,
  sizes: readonly number[],
  spans: readonly number[],
  strides: readonly number[],
  pads: readonly number[],
): { outputs: number[]; ends: number[] } {
  const up = step.attributes.int("ceil_mode", 0) !== 0;
  const axes = sizes.length;
  const ends: number[] = [];
  const outputs = sizes.map((size, axis) => {
    const room = size + pads[axis] + pads[axes + axis] - spans[axis];
    const count = (up ? Math.ceil : Math.floor)(room / strides[axis]) + 1;
    // A window that starts in the padding at the end is dropped.
    const kept = up && (count - 1) * strides[axis] >= size + pads[axis] ? count - 1 : count;
    const reached = (kept - 1) * strides[axis] + spans[axis] - size - pads[axis];
    ends.push(Math.max(pads[axes + axis], reached));
    return kept;
  });
  if (outputs.some((count) => count < 1)) step.refuse("has a window larger than its padded input.");
  return { outputs, ends };
}

/** True when no window lies in the padding as a whole. */
export function everyWindowSeesInput({ window, area, outputArea }: Sliding): boolean {
  return [0, 1].every((axis) => {
    const apart = window.dilations[axis];
    return Array.from({ length: outputArea[axis] }, (_, i) => i * window.strides[axis] - window.pads[axis]).every(
      (start) => {
        const skipped = start < 0 ? Math.ceil(-start / apart) : 0;
        return skipped < window.kernel[axis] && start + skipped * apart < area[axis];
      },
    );
  });
}
