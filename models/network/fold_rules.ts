/** The rules of `fold.ts`: each looks at a layer and those before it, and gives what to put in its place. */
import type { Draft, LayerDraft } from "./draft.ts";
import { perChannel } from "./affine.ts";
import { isIdentity, isPermutation, pick, sameShape, sizeOf } from "./shapes.ts";
import {
  convolutionOfScale,
  denseOfDense,
  denseOfScale,
  denseOfSelect,
  expanded,
  scaledWeights,
  scaleOfScale,
} from "./fold_weights.ts";

/** @param alone says that nothing else reads a node, so that it vanishes when it is merged */
export type Rule = (draft: LayerDraft, alone: (source: Draft) => boolean) => Draft | undefined;

const scaleAfterScale: Rule = ({ layer, inputs: [source] }) => {
  const before = source.layer;
  if (layer.kind !== "scale" || before?.kind !== "scale" || !sameShape(layer.shape, before.shape)) return undefined;
  return { layer: scaleOfScale(before, layer), inputs: source.inputs };
};

const emptyScale: Rule = ({ layer, inputs: [source] }) => {
  if (layer.kind !== "scale" || !source.layer || !sameShape(layer.shape, source.layer.shape)) return undefined;
  const neutral = layer.scale.every((factor) => factor === 1) && layer.shift.every((offset) => offset === 0);
  return neutral ? source : undefined;
};

const selectAfterSelect: Rule = ({ layer, inputs }) => {
  const before = inputs[0].layer;
  if (layer.kind !== "select" || inputs.length !== 1 || before?.kind !== "select") return undefined;
  return { layer: { ...layer, indices: pick(before.indices, layer.indices) }, inputs: inputs[0].inputs };
};

const emptySelect: Rule = ({ layer, inputs }) => {
  if (layer.kind !== "select" || inputs.length !== 1) return undefined;
  const before = inputs[0].layer;
  return before && sameShape(layer.shape, before.shape) && isIdentity(layer.indices) ? inputs[0] : undefined;
};

/** A selection after a scale changes places with it where the scale then has one number a channel. */
const selectAfterScale: Rule = ({ layer, inputs }) => {
  const before = inputs[0].layer;
  if (layer.kind !== "select" || inputs.length !== 1 || before?.kind !== "scale") return undefined;
  const scale = perChannel(layer.shape, pick(expanded(before.scale, before.shape), layer.indices)).channels;
  const shift = perChannel(layer.shape, pick(expanded(before.shift, before.shape), layer.indices)).channels;
  if (!scale || !shift || layer.indices.length > sizeOf(before.shape)) return undefined;
  const moved: Draft = { layer, inputs: inputs[0].inputs };
  return { layer: { ...before, shape: layer.shape, scale, shift }, inputs: [moved] };
};

const scaleAfterWeights: Rule = ({ layer, inputs: [source] }, alone) => {
  const before = source.layer;
  if (layer.kind !== "scale" || (before?.kind !== "dense" && before?.kind !== "convolution")) return undefined;
  if (!alone(source) || layer.scale.length !== before.bias.length) return undefined;
  return { layer: scaledWeights(before, layer), inputs: source.inputs };
};

const denseAfterScale: Rule = ({ layer, inputs: [source] }) => {
  const before = source.layer;
  if (layer.kind !== "dense" || before?.kind !== "scale") return undefined;
  return { layer: denseOfScale(before, layer), inputs: source.inputs };
};

/** Zeros of the padding would become the shift, so both together stay apart. */
const convolutionAfterScale: Rule = ({ layer, inputs: [source] }) => {
  const before = source.layer;
  if (layer.kind !== "convolution" || before?.kind !== "scale") return undefined;
  const padded = layer.window.pads.some((pad) => pad > 0);
  if (padded && before.shift.some((offset) => offset !== 0)) return undefined;
  // The scale may have seen its input flat, in another shape than the convolution needs.
  const input = source.inputs[0].layer;
  if (input && !sameShape(input.shape, before.shape)) return undefined;
  return { layer: convolutionOfScale(before, layer), inputs: source.inputs };
};

const denseAfterDense: Rule = ({ layer, inputs: [source] }, alone) => {
  const before = source.layer;
  if (layer.kind !== "dense" || before?.kind !== "dense" || !alone(source)) return undefined;
  const merged = layer.bias.length * (before.weights.length / before.bias.length);
  if (merged > layer.weights.length + before.weights.length) return undefined;
  return merged * before.bias.length > 2 ** 30
    ? undefined
    : { layer: denseOfDense(before, layer), inputs: source.inputs };
};

const denseAfterSelect: Rule = ({ layer, inputs: [source] }) => {
  const before = source.layer;
  if (layer.kind !== "dense" || before?.kind !== "select" || before.inputs.length !== 1) return undefined;
  if (!isPermutation(before.indices, before.indices.length) || !isWhole(source, before.indices.length)) {
    return undefined;
  }
  return { layer: denseOfSelect(before, layer), inputs: source.inputs };
};

/** True where the selection's input is a layer's output of as many elements. */
function isWhole(source: Draft, count: number): boolean {
  const input = source.inputs[0];
  return input.layer === undefined || sizeOf(input.layer.shape) === count;
}

/** A selection of single outputs of a dense layer keeps only those rows. */
const selectAfterDense: Rule = ({ layer, inputs }, alone) => {
  const before = inputs[0].layer;
  if (layer.kind !== "select" || inputs.length !== 1 || before?.kind !== "dense" || !alone(inputs[0])) return undefined;
  if (layer.shape.length !== 1 || layer.indices.length > before.bias.length) return undefined;
  const columns = before.weights.length / before.bias.length;
  const rows = Uint32Array.from(
    { length: layer.indices.length * columns },
    (_, i) => layer.indices[Math.floor(i / columns)] * columns + i % columns,
  );
  const picked = { weights: pick(before.weights, rows), bias: pick(before.bias, layer.indices), shape: layer.shape };
  return { layer: { ...before, ...picked }, inputs: inputs[0].inputs };
};

/** The one factor of a scale without shift. */
function factorOf(draft: Draft): number | undefined {
  const layer = draft.layer;
  if (layer?.kind !== "scale" || layer.shift.some((offset) => offset !== 0)) return undefined;
  return layer.scale.every((factor) => factor === layer.scale[0]) ? layer.scale[0] : undefined;
}

const addAfterScale: Rule = ({ layer, inputs }) => {
  if (layer.kind !== "add") return undefined;
  const scales = inputs.map((source) => {
    const shape = source.inputs[0]?.layer?.shape;
    return shape && sameShape(shape, layer.shape) ? factorOf(source) : undefined;
  });
  if (scales.every((factor) => factor === undefined)) return undefined;
  const factors = [0, 1].map((i) => layer.factors[i] * (scales[i] ?? 1));
  const sources = inputs.map((source, i) => scales[i] === undefined ? source : source.inputs[0]);
  return { layer: { ...layer, factors: [factors[0], factors[1]] }, inputs: sources };
};

const scaleAfterAdd: Rule = (draft, alone) => {
  const [source] = draft.inputs;
  const before = source.layer;
  const factor = factorOf(draft);
  if (factor === undefined || before?.kind !== "add" || !alone(source)) return undefined;
  if (!sameShape(before.shape, draft.layer.shape)) return undefined;
  return {
    layer: { ...before, factors: [before.factors[0] * factor, before.factors[1] * factor] },
    inputs: source.inputs,
  };
};

/** Rules that touch no weights. */
export const BASIC_RULES: readonly Rule[] = [scaleAfterScale, emptyScale, selectAfterSelect, emptySelect];

export const RULES: readonly Rule[] = [
  ...BASIC_RULES,
  selectAfterScale,
  scaleAfterWeights,
  denseAfterScale,
  convolutionAfterScale,
  denseAfterDense,
  denseAfterSelect,
  selectAfterDense,
  addAfterScale,
  scaleAfterAdd,
];
