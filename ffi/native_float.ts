/** The float port of fine-tuning on the native kernels: products, attention, cross-entropy and gated units on all cores, off the event loop. */
import type {
  AttentionInputs,
  AttentionOutput,
  AttentionShape,
  FloatKernels,
  FloatProduct,
  Floats,
} from "../circuits/finetune/float_kernels.ts";
import { SottoError } from "../errors.ts";
import { openLibrary } from "./library.ts";
import { fixed, NativeCalls, type Pointer } from "./native_calls.ts";
import * as structs from "./structs.ts";

type View = Float32Array<ArrayBuffer>;

/** A float back end with threads of its own. Single precision only. */
export interface NativeFloatKernels extends FloatKernels, Disposable {
  zeros(count: number): Float32Array<ArrayBuffer>;
  close(): void;
}

/** Opens the library and makes one context for float work. Throws `library_missing` or `configuration_invalid`. */
export function openFloatKernels(
  options: { library?: string; backend?: string; threads?: number } = {},
): NativeFloatKernels {
  const native = openLibrary(options.library).symbols;
  const requested = structs.contextOptions(options.threads ?? 0, options.backend ?? "auto");
  return new NativeFloat(new NativeCalls(native, (out) => native.sotto_context_create(requested, out)));
}

class NativeFloat implements NativeFloatKernels {
  readonly name: string;
  constructor(readonly calls: NativeCalls) {
    const info = new Uint8Array(structs.CONTEXT_INFO_BYTES);
    calls.native.sotto_context_describe(calls.context.pointer, info);
    this.name = `cpu/${structs.readContextInfo(info).backend}`;
  }

  zeros(count: number): View {
    return new Float32Array(count);
  }

  async gemm(product: FloatProduct): Promise<void> {
    const [a, b, c] = [single(product.left.data), single(product.right.data), single(product.out)];
    if (product.rows === 0 || product.columns === 0) return;
    const shape = structs.gemmShape(product);
    await this.#call("a float product", [a, b, c, shape], (context) =>
      this.calls.native.sotto_float_gemm_async(
        context,
        shape,
        addressable(a),
        BigInt(a.length),
        addressable(b),
        BigInt(b.length),
        c,
        BigInt(c.length),
      ));
  }

  async attention(shape: AttentionShape, inputs: AttentionInputs): Promise<AttentionOutput> {
    const [query, key, value] = [single(inputs.query), single(inputs.key), single(inputs.value)];
    requireSameLength(key, value);
    const out = this.zeros(query.length);
    const logSums = this.zeros(query.length / shape.headSize);
    const head = attentionStructs(shape);
    if (query.length === 0) return { out, logSums };
    await this.#call(
      "attention",
      [query, key, value, out, logSums, ...head],
      (context) =>
        this.calls.native.sotto_float_attention_async(
          context,
          ...head,
          query,
          BigInt(query.length),
          key,
          value,
          BigInt(key.length),
          out,
          logSums,
          BigInt(logSums.length),
        ),
    );
    return { out, logSums };
  }

  async attentionGradient(
    shape: AttentionShape,
    inputs: AttentionInputs,
    output: AttentionOutput,
    outGradient: Floats,
  ): Promise<AttentionInputs> {
    const [query, key, value] = [single(inputs.query), single(inputs.key), single(inputs.value)];
    const [out, logSums, dOut] = [single(output.out), single(output.logSums), single(outGradient)];
    [[key, value], [query, out], [query, dOut]].forEach(([x, y]) => requireSameLength(x, y));
    const gradients = {
      query: this.zeros(query.length),
      key: this.zeros(key.length),
      value: this.zeros(key.length),
    };
    const head = attentionStructs(shape);
    if (query.length === 0) return gradients;
    const pinned = [query, key, value, out, logSums, dOut, ...head, ...Object.values(gradients)];
    await this.#call(
      "the gradient of attention",
      pinned,
      (context) =>
        this.calls.native.sotto_float_attention_gradient_async(
          context,
          ...head,
          query,
          BigInt(query.length),
          key,
          value,
          BigInt(key.length),
          out,
          logSums,
          BigInt(logSums.length),
          dOut,
          gradients.query,
          gradients.key,
          gradients.value,
        ),
    );
    return gradients;
  }

  async crossEntropy(
    logits: Floats,
    labels: Int32Array,
    vocabulary: number,
    gradientScale?: number,
  ): Promise<Float64Array> {
    const losses = new Float64Array(labels.length);
    if (labels.length === 0) return losses;
    const [values, targets] = [single(logits), fixed(labels)];
    const shape = structs.crossEntropyShape({ tokenCount: labels.length, vocabulary, gradientScale });
    await this.#call(
      "cross-entropy",
      [values, targets, losses, shape],
      (context) =>
        this.calls.native.sotto_float_cross_entropy_async(
          context,
          shape,
          values,
          BigInt(values.length),
          targets,
          losses,
        ),
    );
    return losses;
  }

  async swiglu(gate: Floats, up: Floats): Promise<Floats> {
    const [z, factor] = [single(gate), single(up)];
    requireSameLength(z, factor);
    const out = this.zeros(z.length);
    if (z.length === 0) return out;
    await this.#call(
      "a gated unit",
      [z, factor, out],
      (context) => this.calls.native.sotto_float_swiglu_async(context, z, factor, out, BigInt(z.length)),
    );
    return out;
  }

  async swigluGradient(outGradient: Floats, gate: Floats, up: Floats): Promise<[gate: Floats, up: Floats]> {
    const [dOut, z, factor] = [single(outGradient), single(gate), single(up)];
    [[z, factor], [z, dOut]].forEach(([x, y]) => requireSameLength(x, y));
    const [dGate, dUp] = [this.zeros(z.length), this.zeros(z.length)];
    if (z.length === 0) return [dGate, dUp];
    const count = BigInt(z.length);
    await this.#call(
      "the gradient of a gated unit",
      [dOut, z, factor, dGate, dUp],
      (context) => this.calls.native.sotto_float_swiglu_gradient_async(context, dOut, z, factor, dGate, dUp, count),
    );
    return [dGate, dUp];
  }

  close(): void {
    this.calls.context.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  async #call(
    where: string,
    pinned: readonly ArrayBufferView[],
    run: (context: Pointer) => Promise<number>,
  ): Promise<void> {
    await this.calls.call(where, pinned[0], pinned, [], run);
  }
}

/** Native code computes in single precision on fixed memory. */
function single(floats: Floats): View {
  if (floats instanceof Float32Array) return fixed(floats) as View;
  throw new SottoError("backend_failed", "native float kernels take single precision only; use PlainFloat(64)");
}

/** An empty array has no address; the native side is given one float that it never reads. */
function addressable(view: View): View {
  return view.length ? view : new Float32Array(1);
}

function requireSameLength(x: View, y: View): void {
  if (x.length !== y.length) {
    throw new SottoError("backend_failed", `arrays of ${x.length} and ${y.length} floats must be equally long`);
  }
}

function attentionStructs(
  shape: AttentionShape,
): [Uint8Array<ArrayBuffer>, Uint32Array<ArrayBuffer>, Uint32Array<ArrayBuffer>] {
  const { queryStarts, keyStarts } = shape;
  if (queryStarts.length !== keyStarts.length || queryStarts.length === 0) {
    throw new SottoError("backend_failed", "queries and keys must be of the same sequences");
  }
  const [queries, keys] = [fixed(queryStarts), fixed(keyStarts)] as Uint32Array<ArrayBuffer>[];
  return [structs.attentionShape(shape), queries, keys];
}
