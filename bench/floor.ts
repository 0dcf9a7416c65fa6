/** The transforms that a circuit cannot do without: what its time is compared with. */
import { linearLayout, treesAnswerLayout } from "../circuits/mod.ts";
import { CURRENT } from "../params/mod.ts";
import type { CompiledDescription } from "./compiled_model.ts";

/**
 * Transforms of N coefficients that one row costs. Trees: both halves of every input ciphertext, one a clear product (its blinded
 * weights are new for every row), one back and one a gadget level for every keyswitch, and for every answer ciphertext the ephemeral
 * key of its fresh encryption of zero and both halves back. Linear: both halves of the input, both halves of every score back,
 * shared by the rows of a ciphertext.
 */
export function transformsPerRow(description: CompiledDescription): number {
  if (description.mode === "linear") {
    return 2 * (1 + linearLayout(description).usefulCounts.length) / description.rows_per_ciphertext;
  }
  const { products_per_row, keyswitches_per_row } = description.plan;
  const answers = treesAnswerLayout(description).usefulCounts.length;
  const perKeyswitch = 1 + CURRENT.gadgets.trees.levelCount;
  return 2 * description.ciphertexts_per_row + products_per_row + perKeyswitch * keyswitches_per_row + 3 * answers;
}
