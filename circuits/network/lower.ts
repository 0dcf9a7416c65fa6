/**
 * From the layers of a network to sums and tables. Tensors become views, lists of element numbers in the model's order, so that
 * flattening, transposing and concatenating cost nothing. max(a, b) = b + relu(a - b): maximum pooling is a chain of lookups, one less
 * than the window has cells.
 */
import { SottoError } from "../../errors.ts";
import type {
  ActivationFunction,
  ActivationLayer,
  AddLayer,
  MaxPoolLayer,
  NetworkLayer,
  NetworkModel,
} from "../../models/network/types.ts";
import { outputCount, PADDING, type Program, type Step, type Sum } from "./program.ts";
import { elementwise, image, joined, size, spatial, sumOf, type View, windowCells } from "./sums.ts";

interface Draft {
  readonly steps: Step[];
  /** Number of the next element. */
  next: number;
  /** Sums that the addition after them takes in, by layer. */
  readonly pending: Map<number, Sum>;
}

/** The program that computes the same outputs. */
export function lower(model: NetworkModel): Program {
  const inputCount = size(model.inputShape);
  const draft: Draft = { steps: [], next: inputCount, pending: new Map() };
  const views: View[] = [range(0, inputCount)];
  const { activations, additions } = fusions(model);
  model.layers.forEach((layer, index) => {
    if (layer.kind === "activation" && activations.get(layer.inputs[0] - 1) === layer) {
      views.push(views[layer.inputs[0]]);
      return;
    }
    const inputs = layer.inputs.map((tensor) => views[tensor]);
    const shapes = layer.inputs.map((tensor) => tensor === 0 ? model.inputShape : model.layers[tensor - 1].shape);
    if (additions.has(index)) {
      draft.pending.set(index, sumOf(layer, inputs, shapes)!);
      views.push(new Uint32Array(0));
    } else views.push(lowerLayer(draft, layer, inputs, shapes, activations.get(index)?.activation));
  });
  return {
    inputCount,
    elementCount: draft.next,
    steps: draft.steps,
    outputs: model.outputs.map(({ name, tensor, output }) => ({ name, output, elements: views[tensor] })),
  };
}

/** Kinds of layers that are one sum. */
const SUMS: ReadonlySet<NetworkLayer["kind"]> = new Set(["dense", "convolution", "average_pool", "scale", "add"]);

/** Layers of sums whose only reader is an activation, or an addition: they are computed together. */
function fusions(model: NetworkModel): { activations: Map<number, ActivationLayer>; additions: Set<number> } {
  const readers = model.layers.map(() => 0);
  const read = (tensor: number) => tensor > 0 && readers[tensor - 1]++;
  model.layers.forEach((layer) => layer.inputs.forEach(read));
  model.outputs.forEach(({ tensor }) => read(tensor));
  const activations = new Map<number, ActivationLayer>();
  const additions = new Set<number>();
  for (const layer of model.layers) {
    const alone = layer.inputs.map((tensor) => tensor - 1).filter((index) => index >= 0 && readers[index] === 1);
    if (layer.kind === "activation") {
      alone.filter((index) => SUMS.has(model.layers[index].kind)).forEach((index) => activations.set(index, layer));
    }
    if (layer.kind === "add") {
      const wide = alone.find((index) => ["dense", "convolution"].includes(model.layers[index].kind));
      if (wide !== undefined) additions.add(wide);
    }
  }
  return { activations, additions };
}

function lowerLayer(
  draft: Draft,
  layer: NetworkLayer,
  inputs: readonly View[],
  shapes: readonly (readonly number[])[],
  activation: ActivationFunction | undefined,
): View {
  const emit = (sum: Sum, tied: readonly number[] = []) =>
    channelsFirst(push(draft, layer.name, sum, activation, tied), layer.shape);
  switch (layer.kind) {
    case "add": {
      const sum = sumWithPending(draft, layer, inputs);
      return sum === undefined ? emit(sumOf(layer, inputs, shapes)!, inputs.flatMap((view) => [...view])) : emit(sum);
    }
    case "max_pool":
      return maxPool(draft, layer, inputs[0], shapes[0]);
    case "select":
      return select(inputs, layer.indices);
    case "activation":
      return channelsFirst(
        push(draft, layer.name, elementwise(layer.shape, [inputs[0]], [1]), layer.activation),
        layer.shape,
      );
    default:
      return emit(sumOf(layer, inputs, shapes)!);
  }
}

/** An addition and the sum of one of its inputs as one sum: W x + b and the other input under an identity matrix. */
function sumWithPending(draft: Draft, layer: AddLayer, inputs: readonly View[]): Sum | undefined {
  const which = layer.inputs.findIndex((tensor) => draft.pending.has(tensor - 1));
  if (which < 0) return undefined;
  const sum = draft.pending.get(layer.inputs[which] - 1)!;
  return joined(sum, layer.factors[which], inputs[1 - which], layer.factors[1 - which]);
}

function push(
  draft: Draft,
  name: string,
  sum: Sum,
  activation: Step["activation"],
  tied: readonly number[] = [],
): View {
  const first = draft.next;
  draft.next += outputCount(sum);
  if (draft.next > 2 ** 26) throw new SottoError("model_refused", `layer "${name}" is too large to run encrypted`);
  draft.steps.push({ name, first, sum, activation, tied });
  return range(first, outputCount(sum));
}

/** The maximum of a window, two by two; cells of the padding are left out. */
function maxPool(draft: Draft, layer: MaxPoolLayer, input: View, inputShape: readonly number[]): View {
  const [channels, height, width] = image(inputShape);
  const windows = windowCells(layer.window, [height, width], spatial(layer.shape));
  let columns = transposed(windows.map((window) => window.filter((cell) => cell !== PADDING)))
    .map((cells) => cells.flatMap((cell) => perChannel(input, channels, height * width, cell)));
  for (let round = 1; columns.length > 1; round++) {
    const halves = Math.floor(columns.length / 2);
    const [left, right] = [columns.slice(0, halves), columns.slice(halves, 2 * halves)];
    const rest = columns.slice(2 * halves);
    const larger = maxOf(draft, `${layer.name}, round ${round}`, channels, left.flat(), right.flat());
    columns = [...chunks(larger, columns[0].length), ...rest];
  }
  return channelsFirst(Uint32Array.from(columns[0]), layer.shape);
}

/** b + relu(a - b); equal elements stay as they are. */
function maxOf(draft: Draft, name: string, channels: number, a: number[], b: number[]): number[] {
  const pairs = a.map((element, i) => [element, b[i]]);
  const difference = sameChannels(channels, pairs, [1, -1]);
  const excess = push(draft, name, difference, { name: "relu" }, [draft.next, ...a, ...b]);
  const sum = sameChannels(channels, b.map((element, i) => [element, excess[i]]), [1, 1]);
  return [...push(draft, name, sum, undefined, [draft.next, ...b])];
}

/** Sums of the terms of each output, the same factors for all; outputs come channel by channel in each patch. */
function sameChannels(channels: number, terms: readonly (readonly number[])[], factors: readonly number[]): Sum {
  const depth = factors.length;
  return {
    patchCount: terms.length / channels,
    groupCount: channels,
    rowsPerGroup: 1,
    depth,
    weights: Float64Array.from({ length: channels * depth }, (_, i) => factors[i % depth]),
    indices: Uint32Array.from(terms.flat()),
    bias: new Float64Array(channels),
  };
}

/** One cell of every channel. */
function perChannel(input: View, channels: number, positions: number, cell: number): number[] {
  return Array.from({ length: channels }, (_, channel) => input[channel * positions + cell]);
}

/** The i-th cell of every window; a window with fewer cells repeats its last one, which changes no maximum. */
function transposed(windows: readonly (readonly number[])[]): number[][] {
  const longest = Math.max(...windows.map((window) => window.length));
  return Array.from({ length: longest }, (_, i) => windows.map((window) => window[Math.min(i, window.length - 1)]));
}

function chunks(list: readonly number[], length: number): number[][] {
  return Array.from({ length: list.length / length }, (_, i) => list.slice(i * length, (i + 1) * length));
}

/** From the order of a step, positions outside, to the model's, channels outside. */
function channelsFirst(view: View, shape: readonly number[]): View {
  const channels = shape[0];
  const positions = view.length / channels;
  return Uint32Array.from(view, (_, i) => view[(i % positions) * channels + Math.floor(i / positions)]);
}

function select(inputs: readonly View[], indices: Uint32Array): View {
  const all = inputs.length === 1 ? inputs[0] : Uint32Array.from(inputs.flatMap((view) => [...view]));
  return indices.map((index) => all[index]);
}

function range(first: number, count: number): View {
  return Uint32Array.from({ length: count }, (_, i) => first + i);
}
