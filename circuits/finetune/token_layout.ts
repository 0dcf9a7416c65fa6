import { SottoError } from "../../errors.ts";
import type { TokenParameterSet } from "../../params/mod.ts";
import { packedBytes } from "../packing.ts";
import type { TokenMode } from "./backend.ts";

type Wire = Pick<TokenParameterSet, "ringDegree" | "wire">;

/** Bytes of the bodies of a request. */
export function tokenBodiesBytes(set: Wire, tokens: number, features: number): number {
  return features * packedBytes(tokens, set.wire.bodyBits);
}

/** Bytes of the masks of an answer of `rows` outputs. */
export function tokenMasksBytes(set: Wire, rows: number): number {
  return rows * packedBytes(set.ringDegree, set.wire.maskBits);
}

/** Bytes of an answer of `rows` outputs. */
export function tokenAnswerBytes(set: Wire, tokens: number, rows: number, mode: TokenMode): number {
  const bodies = rows * packedBytes(tokens, set.wire.answerBits);
  return mode === "fresh" ? tokenMasksBytes(set, rows) + bodies : bodies;
}

/** Masks and bodies of an answer: those of a cached one lie apart. Throws `malformed_file` when a length is wrong. */
export function splitTokenAnswer(
  shape: { set: Wire; tokens: number; rows: number },
  answer: Uint8Array,
  cachedMasks?: Uint8Array,
): { masks: Uint8Array; bodies: Uint8Array } {
  const expected = tokenAnswerBytes(shape.set, shape.tokens, shape.rows, cachedMasks ? "cached" : "fresh");
  requireTokenBytes("an answer", answer, expected);
  const maskBytes = tokenMasksBytes(shape.set, shape.rows);
  if (!cachedMasks) return { masks: answer.subarray(0, maskBytes), bodies: answer.subarray(maskBytes) };
  requireTokenBytes("cached masks", cachedMasks, maskBytes);
  return { masks: cachedMasks, bodies: answer };
}

/** Throws `malformed_file`. */
export function requireTokenBytes(what: string, bytes: Uint8Array, length: number): void {
  if (bytes.length !== length) {
    throw new SottoError("malformed_file", `${what} of tokens must have ${length} bytes, not ${bytes.length}`);
  }
}

/** Throws `malformed_request` unless a block of `tokens` and `features` fits the set and the activations are all there. */
export function requireTokenBlock(
  block: { set: Wire; tokens: number; features: number },
  activationCount: number,
): void {
  const { set, tokens, features } = block;
  if (!Number.isInteger(tokens) || tokens < 1 || tokens > set.ringDegree) {
    throw new SottoError("malformed_request", `a block holds 1 to ${set.ringDegree} tokens, not ${tokens}`);
  }
  if (!Number.isInteger(features) || features < 1 || activationCount !== tokens * features) {
    throw new SottoError(
      "malformed_request",
      `${activationCount} activations are not ${tokens} tokens of ${features} features`,
    );
  }
}
