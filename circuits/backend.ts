/**
 * The port: what a circuit asks of a back end. `ffi/` implements it with the native kernels, `plain.ts` without encryption.
 *
 * Payloads are the records of a Sotto file (see `wire.ts`), without its header: N = ring degree coefficients packed
 * little-endian at `bits` bits each. Every buffer belongs to the caller and must not change until the call returns or its
 * promise settles. Every handle must be closed; using a closed one throws `backend_failed`.
 */

/** A native object. Closing twice is allowed and does nothing. */
export interface Handle extends Disposable {
  readonly closed: boolean;
  close(): void;
}

/** Wiped on close. Never serialised except by `exportSecretKey`. */
export interface SecretKey extends Handle {
  readonly brand: "SecretKey";
}
/** Expanded, transformed evaluation keys. */
export interface EvaluationKeys extends Handle {
  readonly brand: "EvaluationKeys";
  /** Resident bytes. */
  readonly bytes: number;
}
export interface LeafMatrix extends Handle {
  readonly brand: "LeafMatrix";
}
export interface WeightMatrix extends Handle {
  readonly brand: "WeightMatrix";
}

/** Options of every long call. `progress` is between 0 and 1. */
export interface CallOptions {
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: number) => void;
  /** Threads for this call; default: all of the back end's. */
  readonly threads?: number;
}

/**
 * The clear matrix of trees in mode `leaves`. Leaf l has the cost <w_l, u> + constant_l (the number of failing literals of its
 * path, zero exactly at the reached leaf) and `labelCount` labels in Z_p. Output o = l * (1 + labelCount) + i of a row is, mod p,
 *   i = 0:  r_{l,0} * cost_l            with r uniform in Z_p without 0
 *   i > 0:  r_{l,i} * cost_l + label_{l,i}   with r uniform in Z_p
 * fresh for every row, and the leaves of a tree are shuffled for every row.
 */
export interface LeafMatrixSpec {
  readonly plaintextModulus: number;
  /** Bits a row, over all its ciphertexts: bit j is coefficient j % N of ciphertext floor(j / N). */
  readonly columnCount: number;
  readonly labelCount: number;
  /** Leaf range of each tree: tree t owns leaves treeOffsets[t] .. treeOffsets[t + 1] - 1. */
  readonly treeOffsets: Uint32Array;
  /** CSR: literals of leaf l are columns / weights [rowOffsets[l], rowOffsets[l + 1]). */
  readonly rowOffsets: Uint32Array;
  readonly columns: Uint32Array;
  readonly weights: Int8Array;
  readonly constants: Int32Array;
  /** leafCount * labelCount values below plaintextModulus. */
  readonly labels: Uint32Array;
}

/** The clear matrix of a linear model: rowCount x columnCount integers, row-major, columnCount <= N. */
export interface WeightMatrixSpec {
  readonly rowCount: number;
  readonly columnCount: number;
  readonly weights: Int32Array;
}

/** Where the answers of one row lie; both sides compute it with `answerLayout` of `wire.ts`. */
export interface AnswerShape {
  /** Outputs a record, in order, over its ciphertexts: [useful coefficients of ciphertext 0, of ciphertext 1, ...]. */
  readonly usefulCounts: readonly number[];
  /** Coefficient of each output inside its ciphertext, in order, flattened. */
  readonly positions: Uint32Array;
  readonly bits: number;
}

/** Nanoseconds of one thread, measured on this machine: what plans turn counts into time with. */
export interface UnitCosts {
  /** One transform of N coefficients. */
  readonly ntt_ns: number;
  /** One clear product together with one merge of the pack tree (tree circuits). */
  readonly packed_product_ns: number;
  /** One clear product of a cached weight polynomial with an encrypted polynomial, and the way back (linear circuits). */
  readonly product_ns: number;
  /** Expanding a seeded input ciphertext and transforming it. */
  readonly expand_ns: number;
}

export interface ServerBackend {
  /** For people and logs: "cpu/avx512ifma", "cpu/avx2", "cpu/portable", "ref", "plain". */
  readonly name: string;
  /** The parameter set this back end runs. */
  readonly parameterSet: string;
  readonly threads: number;
  loadEvaluationKeys(payload: Uint8Array): Promise<EvaluationKeys>;
  createLeafMatrix(spec: LeafMatrixSpec): LeafMatrix;
  /**
   * `rows`: rowCount * ciphertextsPerRow seeded input records at `inputBits`. Returns rowCount answer records (see `answerLayout`)
   * at `answerBits`. `blindingSeed` (32 bytes) is for known-answer tests only; the operating system's generator otherwise.
   */
  evaluateLeaves(
    matrix: LeafMatrix,
    keys: EvaluationKeys,
    rows: Uint8Array,
    shape: { rowCount: number; inputBits: number; answerBits: number },
    options?: CallOptions & { blindingSeed?: Uint8Array },
  ): Promise<Uint8Array>;
  createWeightMatrix(spec: WeightMatrixSpec): WeightMatrix;
  /** `ciphertexts` input records, each with floor(N / D') rows of D' = columnCount rounded up to a power of two. */
  evaluateLinear(
    matrix: WeightMatrix,
    rows: Uint8Array,
    shape: { ciphertextCount: number; inputBits: number; answerBits: number },
    options?: CallOptions,
  ): Promise<Uint8Array>;
  /** Measures once, a tenth of a second, and remembers. */
  unitCosts(): Promise<UnitCosts>;
  close(): void;
}

export interface ClientBackend {
  readonly name: string;
  readonly parameterSet: string;
  generateSecretKey(): SecretKey;
  /** The secret key as bytes, for a protected file; the caller wipes them. */
  exportSecretKey(key: SecretKey): Uint8Array;
  importSecretKey(bytes: Uint8Array): SecretKey;
  /** The payload of an evaluation key file: what trees need (automorphism keys, seeded). */
  generateEvaluationKeys(key: SecretKey): Promise<Uint8Array>;
  /**
   * Encrypts ciphertextCount polynomials: coefficient j of ciphertext i is messages[i * stride + j] * scale mod q (j < stride <= N),
   * the rest zero. Returns seeded input records of 32 + ceil(N * bits / 8) bytes.
   */
  encrypt(
    key: SecretKey,
    messages: Int32Array,
    shape: { ciphertextCount: number; stride: number; scale: bigint; bits: number },
  ): Promise<Uint8Array>;
  /**
   * Phases of the useful coefficients of `recordCount` answer records, divided by `scale` and rounded: centred integers.
   * For trees scale = delta, then mod p by the caller; for linear scale = 1.
   */
  decrypt(
    key: SecretKey,
    records: Uint8Array,
    shape: AnswerShape & { recordCount: number; scale: bigint },
  ): Promise<Float64Array>;
  close(): void;
}

/** Both sides, for tests and the demo. */
export type Backend = ServerBackend & ClientBackend;
