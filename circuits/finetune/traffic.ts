/** Bytes of a training step, known before anything runs. */
import type { TokenParameterSet } from "../../params/mod.ts";
import type { TokenDirection, TokenMode } from "./backend.ts";
import type { GroupPlan } from "./group_plan.ts";
import { productAnswerBytes, productMasksBytes, productRequestBytes, type ProductShape } from "./product_layout.ts";

export interface Traffic {
  /** Of requests and answers of one step, forward and backward. */
  readonly upload: number;
  readonly answers: number;
  /** Masks that a client of mode `cached` fetches once. */
  readonly masks: number;
}

/**
 * One step over a block of tokens. The first group gets no backward request: nothing lies before it that is trained. `learned`: tokens with a label,
 * which alone go through the output group; default: all.
 */
export function stepTraffic(
  groups: readonly GroupPlan[],
  { set, mode, tokens, learned = tokens }: {
    set: TokenParameterSet;
    mode: TokenMode;
    tokens: number;
    learned?: number;
  },
): Traffic {
  let [upload, answers, masks] = [0, 0, 0];
  for (const [i, plan] of groups.entries()) {
    const directions: TokenDirection[] = i === 0 ? ["forward"] : ["forward", "backward"];
    for (const direction of directions) {
      const shape: ProductShape = { plan, direction, set, mode, tokens: plan.name === "output" ? learned : tokens };
      upload += productRequestBytes(shape);
      answers += productAnswerBytes(shape);
      if (mode === "cached") masks += productMasksBytes(shape);
    }
  }
  return { upload, answers, masks };
}
