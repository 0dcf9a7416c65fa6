/** The promises of `types.ts`, checked on every imported network. */
import { checkWidth } from "../check.ts";
import { LAYERS_MAX, MULTIPLICATIONS_MAX, TENSOR_ELEMENTS_MAX, WEIGHTS_MAX } from "../limits.ts";
import { refuseModel } from "../refuse.ts";
import { sizeOf } from "./shapes.ts";
import type { NetworkLayer, NetworkModel } from "./types.ts";

/**
 * Returns the network if it holds what `types.ts` promises.
 * @throws SottoError `model_refused` naming the layer
 */
export function checkNetwork(model: NetworkModel): NetworkModel {
  checkWidth("features", model.features.length);
  if (sizeOf(model.inputShape) !== model.features.length) {
    refuseModel("The network's input and its features differ in number.");
  }
  if (model.layers.length > LAYERS_MAX) {
    refuseModel(`The network has more than ${LAYERS_MAX} layers; use a smaller one.`);
  }
  if (model.outputs.length === 0) refuseModel("The network has no output; export it with one.");
  let weights = 0;
  let multiplications = 0;
  const shapes = [model.inputShape];
  for (const layer of model.layers) {
    checkLayer(layer, shapes);
    weights += weightsOf(layer).reduce((sum, list) => sum + list.length, 0);
    multiplications += multiplicationsOf(layer);
    shapes.push(layer.shape);
  }
  if (weights > WEIGHTS_MAX) {
    refuseModel(`The network has ${weights} weights and may have ${WEIGHTS_MAX}; use a smaller one.`);
  }
  if (multiplications > MULTIPLICATIONS_MAX) {
    refuseModel(`The network multiplies ${multiplications} times a row, of ${MULTIPLICATIONS_MAX}; use a smaller one.`);
  }
  for (const { name, tensor, output } of model.outputs) {
    if (tensor === 0) refuseModel(`The output "${name}" is the input itself; a network needs a layer.`);
    if (!shapes[tensor] || sizeOf(shapes[tensor]) !== output.base.length) {
      refuseModel(`The output "${name}" has another number of scores than its tensor has elements.`);
    }
  }
  return model;
}

function checkLayer(layer: NetworkLayer, shapes: readonly (readonly number[])[]): void {
  const where = `The layer "${layer.name}" (${layer.kind})`;
  if (layer.inputs.length === 0 || layer.inputs.some((tensor) => !shapes[tensor])) {
    refuseModel(`${where} reads a tensor that is not made before it.`);
  }
  const size = sizeOf(layer.shape);
  if (!Number.isInteger(size) || size < 1 || size > TENSOR_ELEMENTS_MAX) refuseModel(`${where} has an unusable shape.`);
  if (!weightsOf(layer).every((list) => list.every(Number.isFinite))) {
    refuseModel(`${where} has a weight that is not finite; train the model again.`);
  }
  if (
    layer.kind === "activation" && Object.values(layer.activation).some((v) => typeof v === "number" && !isFinite(v))
  ) {
    refuseModel(`${where} has a parameter that is not finite.`);
  }
  const problem = misfit(layer, layer.inputs.map((tensor) => shapes[tensor]));
  if (problem) refuseModel(`${where} ${problem}.`);
}

function multiplicationsOf(layer: NetworkLayer): number {
  const size = sizeOf(layer.shape);
  if (layer.kind === "dense") return layer.weights.length;
  if (layer.kind === "convolution") return layer.weights.length * (size / layer.shape[0]);
  return layer.kind === "average_pool" || layer.kind === "max_pool" ? size * sizeOf(layer.window.kernel) : size;
}

function weightsOf(layer: NetworkLayer): readonly Float32Array[] {
  if (layer.kind === "dense" || layer.kind === "convolution") return [layer.weights, layer.bias];
  if (layer.kind === "scale") return [layer.scale, layer.shift];
  return layer.kind === "add" ? [Float32Array.from(layer.factors)] : [];
}

/** What does not fit between a layer and its inputs. */
function misfit(layer: NetworkLayer, inputs: readonly (readonly number[])[]): string | undefined {
  const size = sizeOf(layer.shape);
  const sizes = inputs.map(sizeOf);
  switch (layer.kind) {
    case "dense":
      return size === layer.bias.length && layer.weights.length === size * sizes[0]
        ? undefined
        : "has weights for another size";
    case "convolution":
      return convolutionMisfit(
        layer.weights.length,
        layer.bias.length,
        layer.groups,
        layer.window.kernel,
        layer.shape,
        inputs[0],
      );
    case "average_pool":
    case "max_pool":
      return inputs[0].length === 3 && inputs[0][0] === layer.shape[0] ? undefined : "needs channels, height and width";
    case "add":
      return sizes.length === 2 && sizes.every((other) => other === size)
        ? undefined
        : "adds tensors of different sizes";
    case "scale":
      return sizes[0] === size && layer.scale.length === layer.shape[0] && layer.shift.length === layer.shape[0]
        ? undefined
        : "has another number of factors than channels";
    case "select": {
      const total = sizes.reduce((sum, other) => sum + other, 0);
      return layer.indices.length === size && layer.indices.every((index) => index < total)
        ? undefined
        : "picks elements that are not there";
    }
    case "activation":
      return sizes[0] === size ? undefined : "changes the number of elements";
  }
}

function convolutionMisfit(
  weights: number,
  outputs: number,
  groups: number,
  kernel: readonly [number, number],
  shape: readonly number[],
  input: readonly number[],
): string | undefined {
  const fits = input.length === 3 && shape.length === 3 && shape[0] === outputs && input[0] % groups === 0 &&
    outputs % groups === 0 && weights === outputs * (input[0] / groups) * kernel[0] * kernel[1];
  return fits ? undefined : "has weights for another shape";
}
