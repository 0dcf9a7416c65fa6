/** Scaling and shifting a tensor by constants. */
import { curveOf } from "./formulas.ts";
import { broadcastIndices, broadcastShape, sameShape, sizeOf } from "./shapes.ts";
import type { Step } from "./step.ts";
import { type Constant, type Curve, type View, zerosLike } from "./value.ts";

/** scale x + shift with the same two numbers for every element. */
export function scaleAll(step: Step, value: View | Curve, scale: number, shift: number): View | Curve {
  if (scale === 1 && shift === 0) return value;
  const apply = (x: number) => scale * x + shift;
  if (value.kind === "curve") {
    const { factors } = value;
    if (!factors || shift !== 0) return curveOf(step, value, apply);
    return multiplied(step, curveOf(step, { ...value, factors: undefined }, apply), factors);
  }
  const whole = step.layers.wholeOf(value, step.label);
  const shape = step.layers.shapeOf(whole.tensor);
  const body = {
    kind: "scale",
    inputs: [whole.tensor],
    shape,
    scale: new Float32Array(shape[0]).fill(scale),
    shift: new Float32Array(shape[0]).fill(shift),
  } as const;
  return { ...whole, tensor: step.add(body, { from: whole.tensor, apply }) };
}

/** scale x + shift, one number a channel or an element: two constants of one shape, which goes together with the view's. */
export function scaleEach(step: Step, view: View, scale: Constant, shift: Constant): View {
  const shape = broadcastShape(view.shape, scale.shape) ??
    step.refuse(`combines the shapes [${view.shape.join(", ")}] and [${scale.shape.join(", ")}], which do not fit.`);
  step.layers.checkShape(shape, step.label);
  const wide = sameShape(shape, view.shape)
    ? view
    : step.layers.rearrange(view, shape, broadcastIndices(view.shape, shape));
  const whole = step.layers.wholeOf(wide, step.label);
  const places = broadcastIndices(scale.shape, shape);
  const layerOut = step.layers.shapeOf(whole.tensor);
  const factors = perChannel(layerOut, inLayerOrder(scale.values, places, whole.order));
  const offsets = perChannel(layerOut, inLayerOrder(shift.values, places, whole.order));
  const body = factors.channels && offsets.channels
    ? { shape: layerOut, scale: factors.channels, shift: offsets.channels }
    : { shape: [sizeOf(layerOut)], scale: factors.elements, shift: offsets.elements };
  return { ...whole, tensor: step.add({ kind: "scale", inputs: [whole.tensor], ...body }) };
}

/** The value times one number a channel; formulas keep the numbers until they are complete. */
export function multiplied(step: Step, value: View | Curve, factors: Constant): View | Curve {
  const whole = value.kind === "curve" && value.factors ? step.layerOf(value) : value;
  if (whole.kind === "curve") return { ...whole, factors };
  const scaled = scaleEach(step, whole, factors, zerosLike(factors));
  step.layers.noteFactored(scaled.tensor, { view: whole, factors });
  return scaled;
}

function inLayerOrder(values: Float32Array | Float64Array, places: Uint32Array, order?: Uint32Array): Float32Array {
  const result = new Float32Array(places.length);
  for (let i = 0; i < places.length; i++) result[order ? order[i] : i] = values[places[i]];
  return result;
}

/** One number a channel of the shape, where all elements of a channel have the same. */
export function perChannel(
  shape: readonly number[],
  elements: Float32Array,
): { readonly elements: Float32Array; readonly channels?: Float32Array } {
  const area = sizeOf(shape.slice(1));
  if (area === 1) return { elements, channels: elements };
  const channels = Float32Array.from({ length: shape[0] }, (_, channel) => elements[channel * area]);
  return elements.every((value, i) => Object.is(value, channels[Math.floor(i / area)]))
    ? { elements, channels }
    : { elements };
}
