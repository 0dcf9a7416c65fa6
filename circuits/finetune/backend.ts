/**
 * The part of the port that fine-tuning uses: products of frozen integer matrices with blocks of encrypted tokens, in the ring
 * Z[X]/(X^N + 1) mod 2^32. Token t of a block is coefficient t; a feature j is one ciphertext b_j = a_j s + u_j + e_j, its mask a_j the
 * j-th of a public seed. The server computes b'_k = sum_j W_kj b_j and a'_k likewise, the client decrypts b'_k - a'_k s.
 *
 * Coefficient t of b'_k depends on coefficient t of the b_j alone, so bodies travel both ways at the T used coefficients; a'_k s mixes all
 * coefficients, so a mask of an answer has N of them. Matrices that share an input are stacked by rows, W = [W_1; W_2; ...]: one product
 * answers for all, and the backward product of the stacked gradients is the sum of the W_i^T dy_i.
 */
import type { TokenParameterSet } from "../../params/mod.ts";
import type { CallOptions, Handle } from "../backend.ts";

/** `forward`: W, `backward`: W^T. */
export type TokenDirection = "forward" | "backward";

/** Weights of a matrix, row-major: bytes, or integers of at most 10 bits (-510 to 509), whose products take a server twice as long. */
export type TokenWeights = Int8Array | Int16Array;

/** A frozen matrix of integers, prepared for products. */
export interface TokenMatrix extends Handle {
  readonly brand: "TokenMatrix";
  readonly rows: number;
  readonly columns: number;
  /** Resident bytes. */
  readonly bytes: number;
}

/** Where the masks of a request come from: feature j has mask `first` + j of the seed. */
export interface TokenMasks {
  /** 32 bytes, public. */
  readonly seed: Uint8Array;
  readonly first: number;
}

/** What the server gets: nothing in it is secret. */
export interface TokenRequest {
  readonly set: TokenParameterSet;
  /** T, 1 to N. */
  readonly tokens: number;
  /** Inputs of the matrix in the direction of the request. */
  readonly features: number;
  readonly masks: TokenMasks;
  /** One record of T coefficients at `bodyBits` a feature. */
  readonly bodies: Uint8Array;
}

/** Fresh: the answer carries its masks. Cached: the client has them from `multiplyMasks` of the same matrix, direction and masks. */
export type TokenMode = "fresh" | "cached";

export interface TokensServer {
  /** weights: rows x columns, row-major; prepares both directions unless told which. */
  createTokenMatrix(
    weights: TokenWeights,
    shape: { rows: number; columns: number; directions?: readonly TokenDirection[] },
  ): Promise<TokenMatrix>;
  /**
   * The answer to one request: in mode `fresh` a mask record of N coefficients at `maskBits` an output, then in both modes a body record
   * of T coefficients at `answerBits` an output. Refuses bodies of another length with `malformed_file`.
   */
  multiplyTokens(
    matrix: TokenMatrix,
    direction: TokenDirection,
    request: TokenRequest,
    mode: TokenMode,
    options?: CallOptions,
  ): Promise<Uint8Array>;
  /** The masks of every answer to cached requests with these masks: a record of N coefficients at `maskBits` an output. */
  multiplyMasks(
    matrix: TokenMatrix,
    direction: TokenDirection,
    source: { set: TokenParameterSet; masks: TokenMasks },
    options?: CallOptions,
  ): Promise<Uint8Array>;
}

/** One encrypted block and the only way to read its answers. Its secret was made for it, has encrypted it alone, and is wiped by `close`. */
export interface EncryptedTokens extends Disposable {
  readonly request: TokenRequest;
  /**
   * T x rows values: output k of token t is <W_k, x_t> rowScales[k], up to the error of the set. `masks`: those of a cached answer; a fresh
   * answer carries its own. Refuses an answer of another length with `malformed_file`.
   */
  decrypt(
    answer: Uint8Array,
    rowScales: Float32Array,
    options?: CallOptions & { masks?: Uint8Array },
  ): Promise<Float32Array>;
  close(): void;
}

/** What is encrypted, and what it will meet. */
export interface TokenBlock {
  readonly set: TokenParameterSet;
  readonly tokens: number;
  readonly features: number;
  /** The largest Euclidean norm of a row of the matrix (of W^T, backward): scales are chosen so that no output can overflow. */
  readonly rowNorm: number;
  /** Default: a seed of its own. Any number of blocks may share masks, as each has a secret of its own. */
  readonly masks?: TokenMasks;
}

export interface TokensClient {
  /**
   * activations: T x features. Throws `rows_refused` when one is not finite, `model_refused` when the matrix is too large for the modulus.
   */
  encryptTokens(activations: Float32Array, block: TokenBlock, options?: CallOptions): Promise<EncryptedTokens>;
}
