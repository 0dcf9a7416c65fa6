/** A network as linked nodes, so that layers can be replaced and dropped before they are numbered for good. */
import type { NetworkLayer, NetworkOutput, TensorIndex } from "./types.ts";

/** The input (without a layer), or a layer and the nodes that it reads. */
export interface Draft {
  readonly layer?: NetworkLayer;
  readonly inputs: readonly Draft[];
}

/** A node as a rule sees it. */
export interface LayerDraft extends Draft {
  readonly layer: NetworkLayer;
}

export function hasLayer(draft: Draft): draft is LayerDraft {
  return draft.layer !== undefined;
}

/** The nodes of every tensor, the input first. */
export function draftsOf(layers: readonly NetworkLayer[]): Draft[] {
  const drafts: Draft[] = [{ inputs: [] }];
  for (const layer of layers) drafts.push({ layer, inputs: layer.inputs.map((tensor) => drafts[tensor]) });
  return drafts;
}

/** The nodes that the ends need, each after those that it reads; the input first. */
export function orderOf(input: Draft, ends: readonly Draft[]): Draft[] {
  const order: Draft[] = [input];
  const seen = new Set<Draft>([input]);
  const stack = [...ends].reverse().map((draft) => ({ draft, entered: false }));
  while (stack.length > 0) {
    const { draft, entered } = stack.pop()!;
    if (entered) order.push(draft);
    if (entered || seen.has(draft)) continue;
    seen.add(draft);
    stack.push({ draft, entered: true });
    for (const source of [...draft.inputs].reverse()) stack.push({ draft: source, entered: false });
  }
  return order;
}

/** Numbers the nodes that are needed. */
export function numbered(
  input: Draft,
  ends: readonly Draft[],
  outputs: readonly NetworkOutput[],
): { layers: NetworkLayer[]; outputs: NetworkOutput[] } {
  const order = orderOf(input, ends);
  const index = new Map<Draft, TensorIndex>(order.map((draft, at) => [draft, at]));
  const layers = order.filter(hasLayer).map(({ layer, inputs }) => ({
    ...layer,
    inputs: inputs.map((source) => index.get(source)!),
  }));
  return { layers, outputs: outputs.map((output, i) => ({ ...output, tensor: index.get(ends[i])! })) };
}
