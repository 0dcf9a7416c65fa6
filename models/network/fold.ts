/** Merges neighbouring linear layers where the result is the same function and no larger, and drops layers that nothing reads. */
import { type Draft, draftsOf, hasLayer, type LayerDraft, numbered, orderOf } from "./draft.ts";
import { BASIC_RULES, type Rule, RULES } from "./fold_rules.ts";
import type { NetworkLayer, NetworkOutput } from "./types.ts";

/** More than enough for what exporters write; each pass brings merged layers next to new neighbours. */
const PASSES_MAX = 12;

/** The network with fewer layers; the same scores up to rounding of the weights to single precision. */
export function foldLayers(
  layers: readonly NetworkLayer[],
  outputs: readonly NetworkOutput[],
): { layers: NetworkLayer[]; outputs: NetworkOutput[] } {
  const drafts = draftsOf(layers);
  const input = drafts[0];
  let ends = outputs.map(({ tensor }) => drafts[tensor]);
  // Chains of scales and selections come first, so that weights are copied once for each.
  for (const rules of [BASIC_RULES, RULES]) {
    for (let pass = 0, changed = true; changed && pass < PASSES_MAX; pass++) {
      ({ ends, changed } = foldOnce(input, ends, rules));
    }
  }
  return numbered(input, ends, outputs);
}

function foldOnce(input: Draft, ends: readonly Draft[], rules: readonly Rule[]): { ends: Draft[]; changed: boolean } {
  const order = orderOf(input, ends);
  const readers = new Map<Draft, number>();
  for (const draft of [...order.flatMap((node) => node.inputs), ...ends]) {
    readers.set(draft, (readers.get(draft) ?? 0) + 1);
  }
  const replaced = new Map<Draft, Draft>([[input, input]]);
  // What is merged into a reader is counted by the node that it was before the pass.
  const origin = new Map<Draft, Draft>();
  let changed = false;
  for (const draft of order.filter(hasLayer)) {
    const moved: LayerDraft = { layer: draft.layer, inputs: draft.inputs.map((source) => replaced.get(source)!) };
    const alone = (source: Draft) => readers.get(origin.get(source) ?? source) === 1;
    const result = rules.reduce<Draft | undefined>((found, rule) => found ?? rule(moved, alone), undefined);
    changed ||= result !== undefined;
    const next = result ?? moved;
    replaced.set(draft, next);
    if (!origin.has(next)) origin.set(next, draft);
    // A layer that vanished leaves its readers to the one before it.
    else readers.set(origin.get(next)!, (readers.get(origin.get(next)!) ?? 0) + (readers.get(draft) ?? 0) - 1);
  }
  return { ends: ends.map((end) => replaced.get(end)!), changed };
}
