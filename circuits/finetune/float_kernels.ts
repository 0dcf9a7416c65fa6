/**
 * The port of the float work that the client of fine-tuning does itself: small matrix products, attention, cross-entropy, gated units. Nothing here is encrypted.
 * Native: `openFloatKernels` of `ffi/`; the readable definition: `PlainFloat`.
 */

/** Single precision, or double in the reference path that gradients are checked with. */
export type Floats = Float32Array | Float64Array;

/** A row-major matrix, or its transpose, as a factor. */
export interface Factor {
  readonly data: Floats;
  /** Columns of the matrix as it is stored. */
  readonly columns: number;
  /** True: the factor is the transpose of what is stored. */
  readonly transposed?: boolean;
}

/** out = alpha left right + beta out; left is rows x depth after its transposition, out rows x columns, row-major. */
export interface FloatProduct {
  readonly rows: number;
  readonly columns: number;
  readonly depth: number;
  readonly left: Factor;
  readonly right: Factor;
  readonly out: Floats;
  /** Default 1. */
  readonly alpha?: number;
  /** Default 0: `out` is not read. */
  readonly beta?: number;
}

/**
 * Sequences packed one after another. Sequence i is the queries `queryStarts[i]` up to `queryStarts[i + 1]` and the keys likewise; tokens of one do
 * not see those of another; its last query sees all of its keys, the query before all but the last.
 */
export interface AttentionShape {
  readonly heads: number;
  /** Heads of keys and values; each is shared by `heads / kvHeads` heads of queries (grouped-query attention). */
  readonly kvHeads: number;
  readonly headSize: number;
  readonly queryStarts: Uint32Array;
  readonly keyStarts: Uint32Array;
}

/** Rows are tokens: `heads * headSize` floats a query, `kvHeads * headSize` a key or value. */
export interface AttentionInputs {
  readonly query: Floats;
  readonly key: Floats;
  readonly value: Floats;
}

export interface AttentionOutput {
  /** As `query`. */
  readonly out: Floats;
  /** Per query and head: log sum exp of its scores. */
  readonly logSums: Floats;
}

/** What a back end does. Calls may run elsewhere: nothing given to one may change until it is done. */
export interface FloatKernels {
  /** "cpu/avx512ifma", "plain32", ... */
  readonly name: string;
  /** Zeros in the precision of this back end. */
  zeros(count: number): Floats;
  gemm(product: FloatProduct): Promise<void>;
  /** softmax(query key^T / sqrt(headSize)) value, causal. */
  attention(shape: AttentionShape, inputs: AttentionInputs): Promise<AttentionOutput>;
  /** Gradients of the inputs, given that of `output.out`. */
  attentionGradient(
    shape: AttentionShape,
    inputs: AttentionInputs,
    output: AttentionOutput,
    outGradient: Floats,
  ): Promise<AttentionInputs>;
  /**
   * -log softmax(logits)[label] of each row of `vocabulary` logits; 0 where the label is negative (ignored). With `gradientScale`, the logits become
   * gradientScale * (softmax - onehot), zero where the label is ignored.
   */
  crossEntropy(
    logits: Floats,
    labels: Int32Array,
    vocabulary: number,
    gradientScale?: number,
  ): Promise<Float64Array>;
  /** The gated unit of the feed-forward part (Shazeer 2020), element by element: silu(gate) up, silu(z) = z / (1 + exp(-z)). */
  swiglu(gate: Floats, up: Floats): Promise<Floats>;
  /** Gradients of gate and up, given that of the output. */
  swigluGradient(outGradient: Floats, gate: Floats, up: Floats): Promise<[gate: Floats, up: Floats]>;
}
