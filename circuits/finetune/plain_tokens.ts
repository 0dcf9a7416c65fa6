/** Products on tokens without encryption: same port, same lengths, same rounding; masks and noise are zero, so b is the message. */
import { randomBytes } from "node:crypto";
import { SottoError } from "../../errors.ts";
import type { CallOptions } from "../backend.ts";
import { packBits, packedBytes, unpackBits } from "../packing.ts";
import { contentOf, PlainHandle, step } from "../plain_handle.ts";
import type {
  EncryptedTokens,
  TokenBlock,
  TokenDirection,
  TokenMatrix,
  TokenMode,
  TokenRequest,
  TokensClient,
  TokensServer,
  TokenWeights,
} from "./backend.ts";
import {
  requireTokenBlock,
  requireTokenBytes,
  splitTokenAnswer,
  tokenAnswerBytes,
  tokenBodiesBytes,
  tokenMasksBytes,
} from "./token_layout.ts";
import { tokenScales } from "./token_scales.ts";

/** rows x columns, of one direction. */
interface Side {
  readonly rows: number;
  readonly columns: number;
  readonly weights: TokenWeights;
}

class PlainTokenMatrix extends PlainHandle<"TokenMatrix", Side> implements TokenMatrix {
  constructor(readonly side: Side) {
    super("TokenMatrix", side, side.weights.length);
  }
  get rows(): number {
    return this.side.rows;
  }
  get columns(): number {
    return this.side.columns;
  }
}

/** See the methods of the same names in `TokensServer` and `TokensClient`. */
export class PlainTokens implements TokensServer, TokensClient {
  async createTokenMatrix(weights: TokenWeights, shape: { rows: number; columns: number }): Promise<TokenMatrix> {
    await Promise.resolve();
    if (weights.length !== shape.rows * shape.columns || weights.length === 0) {
      throw new SottoError("backend_failed", `${weights.length} weights are not ${shape.rows} x ${shape.columns}`);
    }
    return new PlainTokenMatrix({ rows: shape.rows, columns: shape.columns, weights: weights.slice() });
  }

  async multiplyTokens(
    matrix: TokenMatrix,
    direction: TokenDirection,
    request: TokenRequest,
    mode: TokenMode,
    options: CallOptions = {},
  ): Promise<Uint8Array> {
    await step(options, 0);
    const side = sideOf(contentOf<Side>(matrix), direction);
    const { set, tokens } = request;
    requireTokenBytes("bodies", request.bodies, tokenBodiesBytes(set, tokens, side.columns));
    const sums = products(side, readRecords(request.bodies, tokens, set.wire.bodyBits), tokens);
    const answer = new Uint8Array(tokenAnswerBytes(set, tokens, side.rows, mode));
    const bodies = writeRecords(sums, tokens, set.wire.answerBits);
    answer.set(bodies, answer.length - bodies.length);
    await step(options, 1);
    return answer;
  }

  async multiplyMasks(
    matrix: TokenMatrix,
    direction: TokenDirection,
    source: Pick<TokenRequest, "set" | "masks">,
    options: CallOptions = {},
  ): Promise<Uint8Array> {
    await step(options, 0);
    return new Uint8Array(tokenMasksBytes(source.set, sideOf(contentOf<Side>(matrix), direction).rows));
  }

  async encryptTokens(
    activations: Float32Array,
    block: TokenBlock,
    options: CallOptions = {},
  ): Promise<EncryptedTokens> {
    await step(options, 0);
    requireTokenBlock(block, activations.length);
    const { set, tokens, features } = block;
    const { scales, messages } = tokenScales(activations, block);
    const masks = block.masks ?? { seed: new Uint8Array(randomBytes(32)), first: 0 };
    const bodies = writeRecords(messages, tokens, set.wire.bodyBits);
    return new PlainEncryptedTokens({ set, tokens, features, masks, bodies }, scales);
  }
}

class PlainEncryptedTokens implements EncryptedTokens {
  #open = true;
  constructor(readonly request: TokenRequest, private readonly scales: Float64Array) {}

  async decrypt(
    answer: Uint8Array,
    rowScales: Float32Array,
    options: CallOptions & { masks?: Uint8Array } = {},
  ): Promise<Float32Array> {
    await step(options, 0);
    if (!this.#open) throw new SottoError("backend_failed", "closed tokens were used");
    const { set, tokens } = this.request;
    const rows = rowScales.length;
    const { bodies } = splitTokenAnswer({ set, tokens, rows }, answer, options.masks);
    const phases = readRecords(bodies, tokens, set.wire.answerBits);
    const values = new Float32Array(tokens * rows);
    for (let t = 0; t < tokens; t++) {
      const factor = 1 / this.scales[t];
      for (let k = 0; k < rows; k++) values[t * rows + k] = phases[k * tokens + t] * (factor * rowScales[k]);
    }
    return values;
  }

  close(): void {
    this.#open = false;
  }
  [Symbol.dispose](): void {
    this.close();
  }
}

function sideOf(side: Side, direction: TokenDirection): Side {
  if (direction === "forward") return side;
  const { rows, columns } = side;
  const weights = side.weights.slice();
  for (let k = 0; k < rows; k++) {
    for (let j = 0; j < columns; j++) weights[j * rows + k] = side.weights[k * columns + j];
  }
  return { rows: columns, columns: rows, weights };
}

/** Sums mod 2^32, centred: rows x tokens. */
function products({ rows, columns, weights }: Side, messages: Int32Array, tokens: number): Int32Array {
  const sums = new Int32Array(rows * tokens);
  for (let k = 0; k < rows; k++) {
    for (let j = 0; j < columns; j++) {
      const weight = weights[k * columns + j];
      for (let t = 0; t < tokens; t++) sums[k * tokens + t] += Math.imul(weight, messages[j * tokens + t]);
    }
  }
  return sums;
}

/** Each row rounded to its top `bits` bits and packed. */
function writeRecords(words: Int32Array, tokens: number, bits: number): Uint8Array {
  const recordBytes = packedBytes(tokens, bits);
  const records = new Uint8Array(words.length / tokens * recordBytes);
  for (let r = 0; r * tokens < words.length; r++) {
    const rounded = Array.from(words.subarray(r * tokens, (r + 1) * tokens), (word) => roundWord(word, bits));
    records.set(packBits(rounded, bits), r * recordBytes);
  }
  return records;
}

function roundWord(word: number, bits: number): number {
  const unit = 2 ** (32 - bits);
  return Math.floor(((word >>> 0) + (bits < 32 ? unit / 2 : 0)) / unit) % 2 ** bits;
}

/** The inverse, centred: records x tokens. */
function readRecords(records: Uint8Array, tokens: number, bits: number): Int32Array {
  const recordBytes = packedBytes(tokens, bits);
  const words = new Int32Array(records.length / recordBytes * tokens);
  for (let r = 0; r * recordBytes < records.length; r++) {
    const values = unpackBits(records.subarray(r * recordBytes, (r + 1) * recordBytes), tokens, bits);
    values.forEach((value, t) => words[r * tokens + t] = value * 2 ** (32 - bits));
  }
  return words;
}
