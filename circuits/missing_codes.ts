import type { Feature, ForestModel } from "../models/types.ts";

/**
 * How the bits of a feature say that its cell is missing.
 *
 * `never`: it cannot be. `pattern`: threshold bit j is `ones[j]`, the side that every split at threshold j sends missing values to; no
 * bit more. `bit`: splits at one threshold disagree, so all threshold bits are 0 and one more bit says it.
 */
export type MissingCode =
  | { readonly kind: "never" }
  | { readonly kind: "pattern"; readonly ones: readonly boolean[] }
  | { readonly kind: "bit" };

/** True when a cell of this feature can reach a tree as missing. */
function canBeMissing(feature: Feature): boolean {
  return feature.missing === "nan" || feature.missing === "zero";
}

/** The code of each feature. `indices[f]` maps a threshold to its index. */
export function missingCodes(model: ForestModel, indices: readonly ReadonlyMap<number, number>[]): MissingCode[] {
  const ones = indices.map((thresholds) => new Array<boolean | undefined>(thresholds.size));
  const disagree = new Set<number>();
  for (const node of model.trees.flatMap((tree) => tree.nodes)) {
    if (node.kind === "leaf") continue;
    const right = node.missing === "right";
    const at = indices[node.feature].get(node.threshold)!;
    if ((ones[node.feature][at] ?? right) !== right) disagree.add(node.feature);
    ones[node.feature][at] = right;
  }
  return model.features.map((feature, f) => {
    if (!canBeMissing(feature)) return { kind: "never" };
    return disagree.has(f) ? { kind: "bit" } : { kind: "pattern", ones: ones[f].map((one) => one === true) };
  });
}
