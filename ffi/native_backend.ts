/** The port of `circuits/backend.ts` on the native kernels. */
import type {
  Backend,
  CallOptions,
  EvaluationKeys,
  LeafMatrix,
  LeafMatrixSpec,
  SecretKey,
  UnitCosts,
  WeightMatrix,
  WeightMatrixSpec,
} from "../circuits/backend.ts";
import { SottoError } from "../errors.ts";
import { check, checkAsync, type Library, openLibrary, type Symbols } from "./library.ts";
import { NativeHandle, readPointer } from "./native_handle.ts";
import * as structs from "./structs.ts";

export interface OpenOptions {
  /** Path of the library; default: where `deno task build` puts it. */
  readonly library?: string;
  /** "auto", "ref", "portable", "avx2" or "avx512ifma". */
  readonly backend?: string;
  /** Worker threads; 0 or absent: all cores. */
  readonly threads?: number;
}

type Pointer = NonNullable<Deno.PointerValue>;
type Bytes = Uint8Array<ArrayBuffer>;

/** How often progress is read, in milliseconds. */
const PROGRESS_INTERVAL_MS = 50;

class NativeEvaluationKeys extends NativeHandle<"EvaluationKeys"> implements EvaluationKeys {
  constructor(pointer: Pointer, destroy: (pointer: Pointer) => void, readonly bytes: number) {
    super("EvaluationKeys", pointer, destroy);
  }
}

/** Opens the library and makes one context of it. Throws `library_missing` or `configuration_invalid`. */
export function openBackend(options: OpenOptions = {}): Backend {
  return new NativeBackend(openLibrary(options.library), options);
}

class NativeBackend implements Backend {
  readonly name: string;
  readonly parameterSet: string;
  readonly threads: number;
  readonly #library: Library;
  readonly #native: Symbols;
  readonly #context: NativeHandle<"context">;
  readonly #modulus: bigint;
  #unitCosts?: Promise<UnitCosts>;

  constructor(library: Library, options: OpenOptions) {
    this.#library = library;
    this.#native = library.symbols;
    const context = this.#create(
      "opening the back end",
      (out) =>
        this.#native.sotto_context_create(structs.contextOptions(options.threads ?? 0, options.backend ?? "auto"), out),
    );
    this.#context = new NativeHandle("context", context, (pointer) => this.#native.sotto_context_destroy(pointer));
    const info = new Uint8Array(structs.CONTEXT_INFO_BYTES);
    check(this.#native, this.#native.sotto_context_describe(context, info), "describing the back end");
    const described = structs.readContextInfo(info);
    this.name = described.backend === "ref" ? "ref" : `cpu/${described.backend}`;
    this.parameterSet = described.parameterSet;
    this.threads = described.threads;
    this.#modulus = described.modulus;
  }

  generateSecretKey(): SecretKey {
    return this.#secretKey((out) => this.#native.sotto_secret_key_generate(this.#context.pointer, null, out));
  }

  importSecretKey(bytes: Uint8Array): SecretKey {
    return this.#secretKey((out) =>
      this.#native.sotto_secret_key_import(this.#context.pointer, fixed(bytes), BigInt(bytes.length), out)
    );
  }

  exportSecretKey(key: SecretKey): Uint8Array {
    const bytes = new Uint8Array(2048);
    const pointer = native(key, "SecretKey").pointer;
    check(
      this.#native,
      this.#native.sotto_secret_key_export(this.#context.pointer, pointer, bytes, BigInt(bytes.length)),
      "exporting a secret key",
    );
    return bytes;
  }

  generateEvaluationKeys(key: SecretKey): Promise<Uint8Array> {
    const payload = new Uint8Array(Number(this.#native.sotto_evaluation_keys_payload_bytes()));
    return this.#call(
      "generating evaluation keys",
      payload,
      [],
      [key],
      (context, [secret]) =>
        this.#native.sotto_evaluation_keys_generate_async(context, secret, null, payload, BigInt(payload.length)),
    );
  }

  encrypt(
    key: SecretKey,
    messages: Int32Array,
    shape: { ciphertextCount: number; stride: number; scale: bigint; bits: number },
  ): Promise<Uint8Array> {
    if (messages.length !== shape.ciphertextCount * shape.stride) {
      throw new SottoError(
        "backend_failed",
        `encrypt: ${messages.length} messages for ${shape.ciphertextCount} x ${shape.stride}`,
      );
    }
    const records = new Uint8Array(shape.ciphertextCount * Number(this.#native.sotto_record_bytes(shape.bits)));
    const [input, head] = [atLeastOne(messages), structs.encryptShape(shape)];
    return this.#call(
      "encrypting",
      records,
      [input, head],
      [key],
      (context, [secret]) =>
        this.#native.sotto_encrypt_async(
          context,
          secret,
          input,
          head,
          null,
          atLeastOne(records),
          BigInt(records.length),
        ),
    );
  }

  async decrypt(
    key: SecretKey,
    records: Uint8Array,
    shape: {
      usefulCounts: readonly number[];
      positions: Uint32Array;
      bits: number;
      recordCount: number;
      scale: bigint;
    },
  ): Promise<Float64Array> {
    const values = new Float64Array(shape.recordCount * shape.positions.length);
    const useful = Uint32Array.from(shape.usefulCounts);
    const head = structs.decryptShape({ ...shape, ciphertexts: useful.length });
    const [input, positions] = [fixed(atLeastOne(records)), fixed(atLeastOne(shape.positions))];
    await this.#call(
      "decrypting",
      values,
      [input, head, useful, positions],
      [key],
      (context, [secret]) =>
        this.#native.sotto_decrypt_async(
          context,
          secret,
          input,
          BigInt(records.length),
          head,
          atLeastOne(useful),
          positions,
          BigInt(shape.positions.length),
          atLeastOne(values),
        ),
    );
    return values;
  }

  async loadEvaluationKeys(payload: Uint8Array): Promise<EvaluationKeys> {
    const expected = Number(this.#native.sotto_evaluation_keys_payload_bytes());
    if (payload.length !== expected) {
      throw new SottoError("malformed_file", `evaluation keys have ${payload.length} bytes, ${expected} are needed`);
    }
    const out = new BigUint64Array(1);
    const input = fixed(payload);
    await this.#call(
      "loading evaluation keys",
      out,
      [input],
      [],
      (context) => this.#native.sotto_evaluation_keys_load_async(context, input, BigInt(payload.length), out),
    );
    const pointer = readPointer(out);
    const bytes = Number(this.#native.sotto_evaluation_keys_bytes(pointer));
    return new NativeEvaluationKeys(pointer, (p) => this.#native.sotto_evaluation_keys_destroy(p), bytes);
  }

  createLeafMatrix(spec: LeafMatrixSpec): LeafMatrix {
    const shape = structs.leafMatrixShape(spec, this.#modulus / BigInt(spec.plaintextModulus));
    const pointer = this.#create("compiling the trees", (out) =>
      this.#native.sotto_leaf_matrix_create(
        this.#context.pointer,
        shape,
        fixed(spec.treeOffsets),
        fixed(spec.rowOffsets),
        fixed(atLeastOne(spec.columns)),
        fixed(atLeastOne(spec.weights)),
        fixed(spec.constants),
        fixed(spec.labels),
        out,
      ));
    return new NativeHandle("LeafMatrix", pointer, (p) => this.#native.sotto_leaf_matrix_destroy(p));
  }

  evaluateLeaves(
    matrix: LeafMatrix,
    keys: EvaluationKeys,
    rows: Uint8Array,
    shape: { rowCount: number; inputBits: number; answerBits: number },
    options: CallOptions & { blindingSeed?: Uint8Array } = {},
  ): Promise<Uint8Array> {
    const [leaves, unlocked] = [native(matrix, "LeafMatrix"), native(keys, "EvaluationKeys")];
    const record = Number(this.#native.sotto_leaf_answer_bytes(leaves.pointer, shape.answerBits));
    const answers = new Uint8Array(shape.rowCount * record);
    const head = structs.evaluateShape({ ...shape, recordCount: shape.rowCount, threads: options.threads ?? 0 });
    const [input, seed] = [fixed(atLeastOne(rows)), options.blindingSeed ? fixed(options.blindingSeed) : null];
    return leaves.use((matrixPointer) =>
      unlocked.use((keysPointer) =>
        this.#job("evaluating trees", [input, answers, head], options, (out) =>
          this.#native.sotto_leaves_submit(
            this.#context.pointer,
            matrixPointer,
            keysPointer,
            input,
            BigInt(rows.length),
            head,
            seed,
            atLeastOne(answers),
            BigInt(answers.length),
            out,
          ))
      )
    ).then(() => answers);
  }

  createWeightMatrix(spec: WeightMatrixSpec): WeightMatrix {
    const pointer = this.#create("compiling the linear model", (out) =>
      this.#native.sotto_weight_matrix_create(
        this.#context.pointer,
        fixed(spec.weights),
        BigInt(spec.rowCount),
        BigInt(spec.columnCount),
        out,
      ));
    return new NativeHandle("WeightMatrix", pointer, (p) => this.#native.sotto_weight_matrix_destroy(p));
  }

  evaluateLinear(
    matrix: WeightMatrix,
    rows: Uint8Array,
    shape: { ciphertextCount: number; inputBits: number; answerBits: number },
    options: CallOptions = {},
  ): Promise<Uint8Array> {
    const weights = native(matrix, "WeightMatrix");
    const record = Number(this.#native.sotto_linear_answer_bytes(weights.pointer, shape.answerBits));
    const answers = new Uint8Array(shape.ciphertextCount * record);
    const head = structs.evaluateShape({ ...shape, recordCount: shape.ciphertextCount, threads: options.threads ?? 0 });
    const input = fixed(atLeastOne(rows));
    return weights.use((pointer) =>
      this.#job("evaluating a linear model", [input, answers, head], options, (out) =>
        this.#native.sotto_linear_submit(
          this.#context.pointer,
          pointer,
          input,
          BigInt(rows.length),
          head,
          atLeastOne(answers),
          BigInt(answers.length),
          out,
        ))
    ).then(() => answers);
  }

  unitCosts(): Promise<UnitCosts> {
    return this.#unitCosts ??= (async () => {
      const bytes = new Uint8Array(structs.UNIT_COSTS_BYTES);
      await this.#call(
        "measuring unit costs",
        bytes,
        [],
        [],
        (context) => this.#native.sotto_measure_async(context, bytes),
      );
      return structs.readUnitCosts(bytes);
    })();
  }

  close(): void {
    this.#context.close();
  }

  /** Waits for a native job whose buffers are `pinned`: they stay reachable, hence in place, until no worker touches them. */
  async #job(
    where: string,
    pinned: readonly ArrayBufferView[],
    options: CallOptions,
    submit: (out: BigUint64Array<ArrayBuffer>) => number,
  ): Promise<void> {
    if (options.signal?.aborted) throw new SottoError("cancelled", `${where} was cancelled`);
    await this.#context.use(async () => {
      const job = this.#create(where, submit);
      const cancel = () => this.#native.sotto_job_cancel(job);
      const report = () => options.onProgress?.(this.#native.sotto_job_progress(job) / 65536);
      const timer = options.onProgress ? setInterval(report, PROGRESS_INTERVAL_MS) : undefined;
      options.signal?.addEventListener("abort", cancel);
      try {
        checkAsync(await this.#native.sotto_job_wait_async(job), where);
        report();
      } finally {
        clearInterval(timer);
        options.signal?.removeEventListener("abort", cancel);
        this.#native.sotto_job_destroy(job);
        keepAlive(pinned);
      }
    });
  }

  /** One asynchronous call that uses the context and at most one key, reads `pinned` and writes `result`, which it gives back. */
  async #call<T extends ArrayBufferView>(
    where: string,
    result: T,
    pinned: readonly ArrayBufferView[],
    keys: readonly SecretKey[],
    run: (context: Pointer, keys: Pointer[]) => Promise<number>,
  ): Promise<T> {
    await this.#context.use(async (context) => {
      const [key] = keys;
      const status = key
        ? await native(key, "SecretKey").use((pointer) => run(context, [pointer]))
        : await run(context, []);
      keepAlive([result, ...pinned]);
      checkAsync(status, where);
    });
    return result;
  }

  #secretKey(make: (out: BigUint64Array<ArrayBuffer>) => number): SecretKey {
    const pointer = this.#create("making a secret key", make);
    return new NativeHandle("SecretKey", pointer, (p) => this.#native.sotto_secret_key_destroy(p));
  }

  #create(where: string, make: (out: BigUint64Array<ArrayBuffer>) => number): Pointer {
    const out = new BigUint64Array(1);
    check(this.#native, make(out), where);
    return readPointer(out);
  }
}

/** The native side of a handle; a handle of another back end is refused. */
function native<Brand extends string>(handle: { readonly brand: Brand }, brand: Brand): NativeHandle<Brand> {
  if (handle instanceof NativeHandle && handle.brand === brand) return handle;
  throw new SottoError("backend_failed", `this ${brand} was made by another back end`);
}

/** Memory that native code may read while JavaScript runs on: never shared, never resizable. */
function fixed<T extends ArrayBufferView>(view: T): T & ArrayBufferView<ArrayBuffer> {
  if (view.buffer instanceof ArrayBuffer && !view.buffer.resizable) return view as T & ArrayBufferView<ArrayBuffer>;
  throw new SottoError("backend_failed", "native calls take fixed, unshared buffers only");
}

/** Empty arrays have no address; native code is given one element that it never reads. */
function atLeastOne<T extends Uint8Array | Int8Array | Uint32Array | Int32Array | Float64Array>(array: T): T {
  return array.length ? array : new (array.constructor as new (length: number) => T)(1);
}

/** A use after the wait: until here the garbage collector may not free what native code reads or writes. */
function keepAlive(_pinned: readonly ArrayBufferView[]): void {}
