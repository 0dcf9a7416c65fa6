/** The part of the port that fine-tuning uses: encrypted blocks of tokens and their products with frozen matrices. */
import { randomBytes } from "node:crypto";
import type { CallOptions } from "../circuits/backend.ts";
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
} from "../circuits/finetune/backend.ts";
import {
  requireTokenBlock,
  requireTokenBytes,
  tokenAnswerBytes,
  tokenBodiesBytes,
  tokenMasksBytes,
} from "../circuits/finetune/token_layout.ts";
import { requireFinite, tokenRadius } from "../circuits/finetune/token_scales.ts";
import { SottoError } from "../errors.ts";
import { fixed, type NativeCalls, nativeHandle, type Pointer } from "./native_calls.ts";
import { NativeEncryptedTokens } from "./native_encrypted_tokens.ts";
import { NativeHandle, readPointer } from "./native_handle.ts";
import * as structs from "./structs.ts";

/** `sotto_token_matrix_create` and `sotto_tokens_product_submit` name directions and parts by these. */
const DIRECTIONS: Readonly<Record<TokenDirection, number>> = { forward: 0, backward: 1 };
const BODIES = 1;
const MASKS = 2;

type Fixed = Int8Array<ArrayBuffer>;

class NativeTokenMatrix extends NativeHandle<"TokenMatrix"> implements TokenMatrix {
  constructor(
    pointer: Pointer,
    destroy: (pointer: Pointer) => void,
    readonly rows: number,
    readonly columns: number,
    readonly bytes: number,
  ) {
    super("TokenMatrix", pointer, destroy);
  }
}

/** See the methods of the same names in `TokensServer` and `TokensClient`. */
export class NativeTokens implements TokensServer, TokensClient {
  constructor(readonly calls: NativeCalls) {}

  async createTokenMatrix(
    weights: TokenWeights,
    shape: { rows: number; columns: number; directions?: readonly TokenDirection[] },
  ): Promise<TokenMatrix> {
    const { rows, columns, directions = ["forward", "backward"] } = shape;
    if (weights.length !== rows * columns || weights.length === 0) {
      throw new SottoError("backend_failed", `${weights.length} weights are not ${rows} x ${columns}`);
    }
    const sides = directions.reduce((bits, direction) => bits | 1 << DIRECTIONS[direction], 0);
    const [{ high, low }, out] = [limbsOf(weights), new BigUint64Array(1)];
    const { native } = this.calls;
    await this.calls.call(
      "preparing a matrix",
      out,
      low ? [high, low] : [high],
      [],
      (context) =>
        native.sotto_token_matrix_create_async(context, high, low, BigInt(rows), BigInt(columns), sides, out),
    );
    const pointer = readPointer(out);
    const bytes = Number(native.sotto_token_matrix_bytes(pointer));
    return new NativeTokenMatrix(pointer, (p) => native.sotto_token_matrix_destroy(p), rows, columns, bytes);
  }

  async multiplyTokens(
    matrix: TokenMatrix,
    direction: TokenDirection,
    request: TokenRequest,
    mode: TokenMode,
    options: CallOptions = {},
  ): Promise<Uint8Array> {
    const [rows, columns] = sidesOf(matrix, direction);
    const { set, tokens, bodies } = request;
    requireTokenBytes("bodies", bodies, tokenBodiesBytes(set, tokens, columns));
    const answer = new Uint8Array(tokenAnswerBytes(set, tokens, rows, mode));
    const parts = mode === "fresh" ? BODIES | MASKS : BODIES;
    await this.#multiply(matrix, direction, { ...request, parts }, answer, options);
    return answer;
  }

  async multiplyMasks(
    matrix: TokenMatrix,
    direction: TokenDirection,
    source: Pick<TokenRequest, "set" | "masks">,
    options: CallOptions = {},
  ): Promise<Uint8Array> {
    const [rows] = sidesOf(matrix, direction);
    const answer = new Uint8Array(tokenMasksBytes(source.set, rows));
    await this.#multiply(matrix, direction, { ...source, tokens: 1, parts: MASKS }, answer, options);
    return answer;
  }

  async encryptTokens(
    activations: Float32Array,
    block: TokenBlock,
    options: CallOptions = {},
  ): Promise<EncryptedTokens> {
    requireTokenBlock(block, activations.length);
    const { set, tokens, features } = block;
    const masks = block.masks ?? { seed: new Uint8Array(randomBytes(32)), first: 0 };
    const shape = structs.tokenShape({ set, tokens, masks, threads: options.threads });
    const { scales, messages } = await this.#quantise(activations, block, shape, options);
    const secret = this.#secret(set.ringDegree);
    const bodies = new Uint8Array(tokenBodiesBytes(set, tokens, features));
    const [seed, size, count] = [requireSeed(masks.seed), BigInt(bodies.length), BigInt(features)];
    const { context, native } = this.calls;
    try {
      await secret.use((pointer) =>
        this.calls.job(
          "encrypting tokens",
          [messages, bodies, shape],
          options,
          (job) =>
            native.sotto_tokens_encrypt_submit(
              context.pointer,
              pointer,
              seed,
              messages,
              count,
              shape,
              null,
              bodies,
              size,
              job,
            ),
        )
      );
    } catch (error) {
      secret.close();
      throw error;
    }
    return new NativeEncryptedTokens(this.calls, secret, { set, tokens, features, masks, bodies }, scales);
  }

  async #quantise(
    activations: Float32Array,
    block: TokenBlock,
    shape: Uint8Array<ArrayBuffer>,
    options: CallOptions,
  ): Promise<{ scales: Float64Array<ArrayBuffer>; messages: Int32Array<ArrayBuffer> }> {
    tokenRadius(block);
    const scales = new Float64Array(block.tokens);
    const messages = new Int32Array(activations.length);
    const [input, scaling] = [fixed(activations), structs.tokenScaling(block)];
    const size = BigInt(activations.length);
    const { context, native } = this.calls;
    await this.calls.job(
      "scaling tokens",
      [input, scales, messages, shape, scaling],
      { ...options, onProgress: undefined },
      (job) =>
        native.sotto_tokens_quantise_submit(
          context.pointer,
          input,
          size,
          shape,
          scaling,
          scales,
          messages,
          size,
          job,
        ),
    );
    requireFinite(scales);
    return { scales, messages };
  }

  #multiply(
    matrix: TokenMatrix,
    direction: TokenDirection,
    request: Pick<TokenRequest, "set" | "tokens" | "masks"> & { bodies?: Uint8Array; parts: number },
    answer: Uint8Array<ArrayBuffer>,
    options: CallOptions,
  ): Promise<void> {
    const shape = structs.tokenShape({ ...request, threads: options.threads });
    const seed = requireSeed(request.masks.seed);
    const bodies = request.bodies ? fixed(request.bodies) : null;
    const pinned = bodies ? [bodies, answer, shape] : [answer, shape];
    const { context, native } = this.calls;
    return nativeHandle(matrix, "TokenMatrix").use((pointer) =>
      this.calls.job("multiplying tokens", pinned, options, (job) =>
        native.sotto_tokens_product_submit(
          context.pointer,
          pointer,
          DIRECTIONS[direction],
          request.parts,
          seed,
          bodies,
          BigInt(bodies?.length ?? 0),
          shape,
          answer,
          BigInt(answer.length),
          job,
        ))
    );
  }

  #secret(set: number): NativeHandle<"TokenSecret"> {
    const { context, native } = this.calls;
    const pointer = this.calls.create(
      "making a secret",
      (out) => native.sotto_token_secret_generate(context.pointer, set, null, out),
    );
    return new NativeHandle("TokenSecret", pointer, (p) => native.sotto_token_secret_destroy(p));
  }
}

/** Outputs and inputs of the matrix in a direction. */
function sidesOf(matrix: TokenMatrix, direction: TokenDirection): [rows: number, columns: number] {
  return direction === "forward" ? [matrix.rows, matrix.columns] : [matrix.columns, matrix.rows];
}

/** W = 4 high + low of weights of more than 8 bits, both bytes. */
function limbsOf(weights: TokenWeights): { high: Fixed; low: Fixed | null } {
  if (weights instanceof Int8Array) return { high: fixed(weights) as Fixed, low: null };
  const [high, low] = [new Int8Array(weights.length), new Int8Array(weights.length)];
  for (let i = 0; i < weights.length; i++) {
    const limb = (weights[i] + 2) >> 2;
    if (limb > 127 || limb < -128) {
      throw new SottoError("backend_failed", `the weight ${weights[i]} has more than 10 bits`);
    }
    [high[i], low[i]] = [limb, weights[i] - 4 * limb];
  }
  return { high, low };
}

function requireSeed(seed: Uint8Array): Uint8Array & ArrayBufferView<ArrayBuffer> {
  if (seed.length === 32) return fixed(seed);
  throw new SottoError("malformed_request", `a seed of masks has 32 bytes, not ${seed.length}`);
}
