/**
 * The port: what a circuit asks of a back end. `ffi/` implements it with the native kernels, `plain.ts` without encryption.
 *
 * Payloads are the records of a Sotto file (see `wire.ts`), without its header: N = ring degree coefficients packed
 * little-endian at `bits` bits each. Every buffer belongs to the caller and must not change until the call returns or its
 * promise settles. Every handle must be closed; using a closed one throws `backend_failed`.
 */

import type { TokensClient, TokensServer } from "./finetune/backend.ts";
import type { TrainingClient, TrainingServer } from "./training_backend.ts";

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
/** Gadget of the rotation: 1 small weights, 2 wide layers, 3 training; more levels, less noise, larger keys. */
export type LookupSetting = 1 | 2 | 3;
/** Keys of lookups, expanded and transformed, of one setting. */
export interface LookupKeys extends Handle {
  readonly brand: "LookupKeys";
  readonly setting: LookupSetting;
  /** Resident bytes. */
  readonly bytes: number;
}
/** A clear integer linear layer, prepared for the processor. */
export interface Layer extends Handle {
  readonly brand: "Layer";
  /** Resident bytes. */
  readonly bytes: number;
}
/** What a prediction may need, as the files that hold it: `pack` are the evaluation keys, `lookupS` the lookup keys of setting S. */
export type Capability = "pack" | `lookup${LookupSetting}`;
/** The loaded keys of one key pair. */
export interface KeyRing {
  readonly pack?: EvaluationKeys;
  readonly lookups: ReadonlyMap<LookupSetting, LookupKeys>;
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

/** Words of an lwe on the 32-bit torus: N mask words and the body; its phase is b - <a, s>. */
export const LWE_WORDS = 2049;
/** An index of a patch that stands for zero. */
export const PADDING = 0xffffffff;

/**
 * A linear layer on lwe: output (patch p, group g, row r) = offset_{g,r} + sum_d W_{g,r,d} input[index_{p,g,d}] mod 2^32. One patch and
 * one group: a dense layer; a patch a position: a convolution; an index PADDING counts as zero.
 */
export interface LayerSpec {
  /** lwe a data row that the indices address. */
  readonly inputCount: number;
  readonly patchCount: number;
  readonly groupCount: number;
  readonly rowsPerGroup: number;
  /** Inputs of one output. */
  readonly depth: number;
  /** group, row, depth. */
  readonly weights: Int8Array;
  /** patch, group, depth. */
  readonly indices: Uint32Array;
  /** group, row: added to the bodies. */
  readonly offsets: Uint32Array;
}

/** Which part of a layer to compute, and where its data rows begin: `rowStride` lwe from one to the next. */
export interface LayerRange {
  readonly rowCount: number;
  readonly rowStride: number;
  readonly firstPatch: number;
  readonly patchCount: number;
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

/** Nanoseconds of one thread: what networks are made of. */
export interface NetworkCosts {
  readonly lookup_ns: Readonly<Record<LookupSetting, number>>;
  /** One multiply-add of an int8 weight and all words of an lwe. */
  readonly multiply_add_ns: number;
  /** Packing one output into an answer. */
  readonly answer_ns: number;
}

export interface ServerBackend {
  readonly training: TrainingServer;
  readonly tokens: TokensServer;
  /** For people and logs: "cuda", "cpu/avx512ifma", "cpu/avx2", "cpu/portable", "ref", "plain". */
  readonly name: string;
  /** For the log: why this one was chosen and no GPU. */
  readonly note?: string;
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
  /** Refuses a payload of another length with `malformed_file`. */
  loadLookupKeys(setting: LookupSetting, payload: Uint8Array): Promise<LookupKeys>;
  createLayer(spec: LayerSpec): Layer;
  /**
   * Seeded input records at `inputBits` -> their first `count` coefficients a row as lwe: coefficient j of a row is coefficient j % N of
   * its ciphertext floor(j / N) and goes to lwe `row * rowStride + j` of `out`.
   */
  expandInputs(
    records: Uint8Array,
    shape: { rowCount: number; ciphertextsPerRow: number; inputBits: number; count: number; rowStride: number },
    out: Uint32Array,
    options?: CallOptions,
  ): Promise<void>;
  /** Writes rowCount x patchCount x channels lwe, in this order. */
  applyLayer(
    layer: Layer,
    inputs: Uint32Array,
    range: LayerRange,
    out: Uint32Array,
    options?: CallOptions,
  ): Promise<void>;
  /**
   * out_i = table_(indices_i) at the phase of lwe_i (programmable bootstrap). A table is N coefficients in [0, q): its value at phase
   * f 2^32 / 2N is coefficient f for f < N and minus coefficient f - N above. Results are lwe on the 32-bit torus.
   */
  lookup(
    keys: LookupKeys,
    lwe: Uint32Array,
    tables: BigUint64Array,
    indices: Uint32Array,
    out: Uint32Array,
    options?: CallOptions,
  ): Promise<void>;
  /**
   * Packs `count` lwe of each data row into one answer record at `answerBits`, randomised like those of trees; input i lies at
   * coefficient i N / 2^m, m = ceil(log2 count). `blindingSeed` as in `evaluateLeaves`.
   */
  packAnswers(
    keys: EvaluationKeys,
    lwe: Uint32Array,
    shape: { recordCount: number; count: number; answerBits: number; rowStride: number },
    options?: CallOptions & { blindingSeed?: Uint8Array },
  ): Promise<Uint8Array>;
  /** Measures once, about two seconds, and remembers. */
  networkCosts(): Promise<NetworkCosts>;
  /** Measures once, a tenth of a second, and remembers. */
  unitCosts(): Promise<UnitCosts>;
  close(): void;
}

export interface ClientBackend {
  readonly training: TrainingClient;
  readonly tokens: TokensClient;
  readonly name: string;
  readonly parameterSet: string;
  generateSecretKey(): SecretKey;
  /** The secret key as bytes, for a protected file; the caller wipes them. */
  exportSecretKey(key: SecretKey): Uint8Array;
  importSecretKey(bytes: Uint8Array): SecretKey;
  /** The payload of an evaluation key file: what trees need (automorphism keys, seeded). */
  generateEvaluationKeys(key: SecretKey): Promise<Uint8Array>;
  /** The payload of a lookup key file: 22, 43 or 65 MB. */
  generateLookupKeys(key: SecretKey, setting: LookupSetting): Promise<Uint8Array>;
  /** The phase of each lwe, for tests and traces. */
  lwePhases(key: SecretKey, lwe: Uint32Array): Promise<Uint32Array>;
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
