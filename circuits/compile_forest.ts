import { SottoError } from "../errors.ts";
import { thresholds as sortedThresholds } from "../models/rows.ts";
import type { ForestModel } from "../models/types.ts";
import type { LeafMatrixSpec } from "./backend.ts";
import type { TreesDescription } from "./description.ts";
import { type LabelCode, labelCodes, labelDigits } from "./leaf_labels.ts";
import { type LeafForm, leafForms, MISSING } from "./leaf_forms.ts";
import { type MissingCode, missingCodes } from "./missing_codes.ts";

/** The plaintext modulus of trees: the prime 2^16 + 1, so that 16-bit digits fit and non-zero costs stay non-zero times r. */
export const PLAINTEXT_MODULUS = 65537;

/** The part of a description that follows from the trees alone. */
export type ForestLayout = Pick<
  TreesDescription,
  "features" | "column_count" | "trees" | "label_count" | "label_limbs"
>;

/**
 * The clear matrix of a forest and what its client must know.
 * @throws SottoError `model_refused`, naming the tree
 */
export function compileForest(model: ForestModel): { spec: LeafMatrixSpec; layout: ForestLayout } {
  const valueCount = requireSameOutputs(model);
  const thresholds = sortedThresholds(model);
  const indices = thresholds.map((list) => new Map(list.map((threshold, i) => [threshold, i])));
  const codes = missingCodes(model, indices);
  const forest = model.trees.map((tree) => leafForms(tree, indices, codes));
  const columns = new Columns(forest, thresholds, codes);
  const labels = labelCodes(model);
  const spec = leafMatrix(forest, columns, labels, valueCount);
  requireSmallCosts(spec);
  const layout = {
    features: model.features.map(({ name, cast, missing }, f) => ({ name, cast, missing, ...columns.of(f) })),
    column_count: columns.count,
    trees: model.trees.map((tree, t) => ({
      leaf_count: forest[t].length,
      outputs: [...tree.outputs],
      label_offset: labels[t].offset,
      label_step: labels[t].step,
    })),
    label_count: spec.labelCount,
    label_limbs: labels[0].limbs,
  };
  return { spec, layout };
}

/** Which bits the forms use, and at which columns they lie: thresholds of a feature in order, then its missing bit. */
export class Columns {
  readonly count: number;
  readonly #used: Set<number>[];
  readonly #first: number[] = [];
  readonly #places: Map<number, number>[];

  constructor(
    forest: readonly (readonly Pick<LeafForm, "terms">[])[],
    private readonly thresholds: readonly number[][],
    private readonly codes: readonly MissingCode[],
  ) {
    this.#used = thresholds.map(() => new Set());
    for (const forms of forest) {
      for (const { terms } of forms) for (const term of terms) this.#used[term.feature].add(term.threshold);
    }
    let at = 0;
    this.#places = this.#used.map((used) => {
      this.#first.push(at);
      const places = new Map<number, number>();
      for (const threshold of [...used].filter((i) => i !== MISSING).sort((a, b) => a - b)) places.set(threshold, at++);
      if (used.has(MISSING)) places.set(MISSING, at++);
      return places;
    });
    this.count = Math.max(1, at);
  }

  at(feature: number, threshold: number): number {
    return this.#places[feature].get(threshold)!;
  }

  of(feature: number): Pick<ForestLayout["features"][number], "thresholds" | "missing_ones" | "missing_bit"> {
    const used = this.#used[feature];
    const code = this.codes[feature];
    const kept = this.thresholds[feature].map((_, i) => i).filter((i) => used.has(i));
    return {
      thresholds: kept.map((i) => this.thresholds[feature][i]),
      missing_ones: code.kind === "pattern" ? kept.flatMap((i, bit) => code.ones[i] ? [bit] : []) : [],
      missing_bit: used.has(MISSING),
    };
  }
}

function leafMatrix(
  forest: readonly LeafForm[][],
  columns: Columns,
  codes: readonly LabelCode[],
  valueCount: number,
): LeafMatrixSpec {
  const forms = forest.flat();
  const termCount = forms.reduce((sum, form) => sum + form.terms.length, 0);
  const labels = forest.map((leaves, t) =>
    leaves.map((leaf) => leaf.values.flatMap((value) => labelDigits(codes[t], value)))
  );
  const spec = {
    plaintextModulus: PLAINTEXT_MODULUS,
    columnCount: columns.count,
    labelCount: valueCount * codes[0].limbs,
    treeOffsets: offsets(forest.map((leaves) => leaves.length)),
    rowOffsets: offsets(forms.map((form) => form.terms.length)),
    columns: new Uint32Array(termCount),
    weights: new Int8Array(termCount),
    constants: Int32Array.from(forms, (form) => form.constant),
    labels: Uint32Array.from(labels.flat(2)),
  };
  forms.forEach((form, leaf) => {
    const terms = form.terms.map((term) => [columns.at(term.feature, term.threshold), term.weight]).sort((a, b) =>
      a[0] - b[0]
    );
    spec.columns.set(terms.map(([column]) => column), spec.rowOffsets[leaf]);
    spec.weights.set(terms.map(([, weight]) => weight), spec.rowOffsets[leaf]);
  });
  return spec;
}

function offsets(lengths: readonly number[]): Uint32Array {
  const out = new Uint32Array(lengths.length + 1);
  lengths.forEach((length, i) => out[i + 1] = out[i] + length);
  return out;
}

/** Values a leaf. @throws SottoError `model_refused` when trees differ in it or there are none */
export function requireSameOutputs(model: ForestModel): number {
  if (model.trees.length === 0) throw new SottoError("model_refused", "the model has no trees; train it again");
  const valueCount = model.trees[0].outputs.length;
  model.trees.forEach((tree, t) => {
    if (tree.outputs.length !== valueCount) {
      throw new SottoError(
        "model_refused",
        `tree ${t} adds to ${tree.outputs.length} scores and tree 0 to ${valueCount}; all trees must be alike`,
      );
    }
  });
  return valueCount;
}

/** Every cost must stay below p, or it could be 0 mod p at a wrong leaf. */
function requireSmallCosts(spec: LeafMatrixSpec): void {
  spec.constants.forEach((constant, leaf) => {
    let most = constant;
    for (let i = spec.rowOffsets[leaf]; i < spec.rowOffsets[leaf + 1]; i++) most += Math.max(0, spec.weights[i]);
    if (most >= spec.plaintextModulus) {
      throw new SottoError(
        "model_refused",
        `leaf ${leaf} lies behind more than ${spec.plaintextModulus} splits; prune the trees`,
      );
    }
  });
}
