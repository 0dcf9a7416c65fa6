/** Conv, in one and two dimensions, and the Pad before it. */
import { sizeOf } from "../shapes.ts";
import type { Step } from "../step.ts";
import type { Value } from "../value.ts";
import { slidingOf } from "../window.ts";

export function conv(step: Step): Value {
  const view = step.paddedView(0);
  const { values, shape } = step.constant(1);
  const sliding = slidingOf(step, view, shape.slice(2));
  const groups = step.attributes.int("group", 1);
  const [outputs, depth] = shape;
  if (groups < 1 || outputs % groups !== 0 || depth * groups !== sliding.channels) {
    step.refuse(
      `has weights for ${depth} channels in each of ${groups} groups and ${outputs} outputs, ` +
        `and its input has ${sliding.channels} channels.`,
    );
  }
  const bias = step.has(2) ? Float32Array.from(step.constant(2).values) : new Float32Array(outputs);
  if (bias.length !== outputs) step.refuse(`has ${bias.length} biases for ${outputs} outputs.`);
  step.reserve(shape);
  const tensor = step.add({
    kind: "convolution",
    inputs: [step.layers.tensorOf({ ...view, padding: undefined }, [sliding.channels, ...sliding.area], step.label)],
    shape: [outputs, ...sliding.outputArea],
    window: sliding.window,
    groups,
    weights: new Float32Array(values),
    bias,
  });
  return { kind: "view", shape: sliding.outputShape(outputs), tensor };
}

/** Zeros around the last one or two axes wait for the convolution or pool that follows. */
export function pad(step: Step): Value {
  const view = step.view(0);
  const pads = padsOf(step, view.shape.length);
  if (pads.every((count) => count === 0)) return view;
  const mode = step.attributes.string("mode", "constant");
  if (mode !== "constant" || step.number("value", 2, 0) !== 0) {
    step.refuse(`pads with something else than zeros (mode "${mode}"); use zero padding.`);
  }
  const rank = view.shape.length;
  const spatial = rank - 2;
  const outer = [...pads.slice(0, 2), ...pads.slice(rank, rank + 2)];
  if (spatial < 1 || spatial > 2 || outer.some((count) => count !== 0) || pads.some((count) => count < 0)) {
    step.refuse("pads the batch or the channels, or cuts; only zeros around height and width are supported.");
  }
  const [before, after] = [pads.slice(2, rank), pads.slice(rank + 2)];
  const padding = spatial === 1 ? [0, before[0], 0, after[0]] : [...before, ...after];
  if (sizeOf(padding.map((count) => count + 1)) > 2 ** 40) step.refuse("pads too much.");
  return { ...view, padding: [padding[0], padding[1], padding[2], padding[3]] };
}

/** One count an axis before it, then one after it. */
function padsOf(step: Step, rank: number): number[] {
  const given = step.integers("pads", 1) ?? step.refuse("does not say how much it pads.");
  const axes = (step.has(3) ? Array.from(step.constant(3).values) : given.slice(0, given.length / 2).map((_, i) => i))
    .map((axis) => step.axis(axis, rank));
  if (given.length !== 2 * axes.length) step.refuse(`has ${given.length} pads for ${axes.length} axes.`);
  const pads = new Array(2 * rank).fill(0);
  axes.forEach((axis, i) => {
    pads[axis] = given[i];
    pads[rank + axis] = given[axes.length + i];
  });
  return pads;
}
