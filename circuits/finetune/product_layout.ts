/**
 * Bytes of a product of a group with a block of tokens.
 *
 * Request: with fresh masks their seed (32 bytes); then for every part of the inputs the bodies of its features. Cached masks have the seed of the
 * session. Feature j of the direction has mask first + j, first = 0 for fresh masks and `mask_first` for cached ones.
 * Answer: for every part of the outputs, for every part of the inputs, the answer of that tile (`tokenAnswerBytes`); then the milliseconds that the
 * server computed, a little-endian double. The client adds up what the parts of the inputs gave.
 * Cached masks of answers: the masks of the tiles in the same order.
 */
import type { TokenParameterSet } from "../../params/mod.ts";
import type { TokenDirection, TokenMasks, TokenMode } from "./backend.ts";
import { SEED_BYTES } from "../layout.ts";
import { type GroupPlan, type InputPart, sidesOf } from "./group_plan.ts";
import { tokenAnswerBytes, tokenBodiesBytes, tokenMasksBytes } from "./token_layout.ts";

const TRAILER_BYTES = 8;

/** What determines all lengths. */
export interface ProductShape {
  readonly plan: GroupPlan;
  readonly direction: TokenDirection;
  readonly set: TokenParameterSet;
  readonly mode: TokenMode;
  readonly tokens: number;
}

/** One tile of the grid, seen in a direction. */
export interface Tile {
  readonly input: number;
  readonly output: number;
  readonly inputs: InputPart;
  readonly outputs: InputPart;
}

/** The tiles in the order of an answer. */
export function tilesOf(plan: GroupPlan, direction: TokenDirection): Tile[] {
  const { inputs, outputs } = sidesOf(plan, direction);
  return outputs.flatMap((out, output) => inputs.map((part, input) => ({ input, output, inputs: part, outputs: out })));
}

/** Bytes of a request. */
export function productRequestBytes({ plan, direction, set, mode, tokens }: ProductShape): number {
  const features = direction === "forward" ? plan.columns : plan.rows;
  return (mode === "fresh" ? SEED_BYTES : 0) + tokenBodiesBytes(set, tokens, features);
}

/** Bytes of an answer. */
export function productAnswerBytes({ plan, direction, set, mode, tokens }: ProductShape): number {
  const tiles = tilesOf(plan, direction);
  return tiles.reduce((sum, { outputs }) => sum + tokenAnswerBytes(set, tokens, outputs.count, mode), TRAILER_BYTES);
}

/** Bytes of the cached masks of answers. */
export function productMasksBytes({ plan, direction, set }: Pick<ProductShape, "plan" | "direction" | "set">): number {
  return tilesOf(plan, direction).reduce((sum, { outputs }) => sum + tokenMasksBytes(set, outputs.count), 0);
}

/** The masks of a part of the inputs. */
export function partMasks(
  { plan, direction, mode }: Pick<ProductShape, "plan" | "direction" | "mode">,
  part: InputPart,
  seed: Uint8Array,
): TokenMasks {
  return { seed, first: (mode === "cached" ? plan.mask_first[direction] : 0) + part.first };
}

/** The bodies of each part of the inputs, and the seed of fresh masks: views of a request. */
export function splitRequest(shape: ProductShape, request: Uint8Array): { seed?: Uint8Array; bodies: Uint8Array[] } {
  const { plan, direction, set, tokens, mode } = shape;
  let at = mode === "fresh" ? SEED_BYTES : 0;
  const bodies = sidesOf(plan, direction).inputs.map(({ count }) => {
    const from = at;
    at += tokenBodiesBytes(set, tokens, count);
    return request.subarray(from, at);
  });
  return mode === "fresh" ? { seed: request.subarray(0, SEED_BYTES), bodies } : { bodies };
}

/** The last bytes of an answer. */
export function encodeServerTime(milliseconds: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(TRAILER_BYTES);
  new DataView(bytes.buffer).setFloat64(0, milliseconds, true);
  return bytes;
}

/** What `encodeServerTime` wrote. */
export function decodeServerTime(answer: Uint8Array): number {
  return new DataView(answer.buffer, answer.byteOffset + answer.byteLength - TRAILER_BYTES).getFloat64(0, true);
}
