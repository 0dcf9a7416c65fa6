/** The port of `circuits/backend.ts` on the native kernels. */
import type {
  Backend,
  CallOptions,
  EvaluationKeys,
  Layer,
  LayerRange,
  LayerSpec,
  LeafMatrix,
  LeafMatrixSpec,
  LookupKeys,
  LookupSetting,
  NetworkCosts,
  SecretKey,
  UnitCosts,
  WeightMatrix,
  WeightMatrixSpec,
} from "../circuits/backend.ts";
import { SottoError } from "../errors.ts";
import { check, type Library, type Symbols } from "./library.ts";
import { measureNetwork } from "./measure_network.ts";
import { atLeastOne, fixed, NativeCalls, nativeHandle, type Pointer } from "./native_calls.ts";
import { NativeHandle, readPointer } from "./native_handle.ts";
import { NativeNetwork } from "./native_network.ts";
import { NativeTokens } from "./native_tokens.ts";
import { NativeTraining } from "./native_training.ts";
import * as structs from "./structs.ts";

export interface NativeOptions {
  /** A name that the library knows. */
  readonly backend: string;
  /** Worker threads; 0: all cores. */
  readonly threads: number;
  readonly note?: string;
}

class NativeEvaluationKeys extends NativeHandle<"EvaluationKeys"> implements EvaluationKeys {
  constructor(pointer: Pointer, destroy: (pointer: Pointer) => void, readonly bytes: number) {
    super("EvaluationKeys", pointer, destroy);
  }
}

/** One context of an opened library. Throws what the library answers, `configuration_invalid` above all. */
export class NativeBackend implements Backend {
  readonly name: string;
  readonly note?: string;
  readonly parameterSet: string;
  readonly threads: number;
  readonly training: NativeTraining;
  readonly tokens: NativeTokens;
  readonly #native: Symbols;
  readonly #calls: NativeCalls;
  readonly #network: NativeNetwork;
  readonly #modulus: bigint;
  #unitCosts?: Promise<UnitCosts>;
  #networkCosts?: Promise<NetworkCosts>;

  constructor(library: Library, options: NativeOptions) {
    this.#native = library.symbols;
    const requested = structs.contextOptions(options.threads, options.backend);
    this.#calls = new NativeCalls(this.#native, (out) => this.#native.sotto_context_create(requested, out));
    this.#network = new NativeNetwork(this.#calls);
    this.tokens = new NativeTokens(this.#calls);
    const info = new Uint8Array(structs.CONTEXT_INFO_BYTES);
    check(
      this.#native,
      this.#native.sotto_context_describe(this.#calls.context.pointer, info),
      "describing the back end",
    );
    const described = structs.readContextInfo(info);
    this.name = /^(ref|cuda)/.test(described.backend) ? described.backend : `cpu/${described.backend}`;
    this.note = options.note;
    this.parameterSet = described.parameterSet;
    this.threads = described.threads;
    this.training = new NativeTraining(this.#calls, this.threads);
    this.#modulus = described.modulus;
  }

  generateSecretKey(): SecretKey {
    return this.#secretKey((out) => this.#native.sotto_secret_key_generate(this.#calls.context.pointer, null, out));
  }

  importSecretKey(bytes: Uint8Array): SecretKey {
    return this.#secretKey((out) =>
      this.#native.sotto_secret_key_import(this.#calls.context.pointer, fixed(bytes), BigInt(bytes.length), out)
    );
  }

  exportSecretKey(key: SecretKey): Uint8Array {
    const bytes = new Uint8Array(2048);
    const pointer = nativeHandle(key, "SecretKey").pointer;
    check(
      this.#native,
      this.#native.sotto_secret_key_export(this.#calls.context.pointer, pointer, bytes, BigInt(bytes.length)),
      "exporting a secret key",
    );
    return bytes;
  }

  generateEvaluationKeys(key: SecretKey): Promise<Uint8Array> {
    const payload = new Uint8Array(Number(this.#native.sotto_evaluation_keys_payload_bytes()));
    return this.#calls.call(
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
    return this.#calls.call(
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
    await this.#calls.call(
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
    await this.#calls.call(
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
    const pointer = this.#calls.create("compiling the trees", (out) =>
      this.#native.sotto_leaf_matrix_create(
        this.#calls.context.pointer,
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
    const [leaves, unlocked] = [nativeHandle(matrix, "LeafMatrix"), nativeHandle(keys, "EvaluationKeys")];
    const record = Number(this.#native.sotto_leaf_answer_bytes(leaves.pointer, shape.answerBits));
    const answers = new Uint8Array(shape.rowCount * record);
    const head = structs.evaluateShape({ ...shape, recordCount: shape.rowCount, threads: options.threads ?? 0 });
    const [input, seed] = [fixed(atLeastOne(rows)), options.blindingSeed ? fixed(options.blindingSeed) : null];
    return leaves.use((matrixPointer) =>
      unlocked.use((keysPointer) =>
        this.#calls.job("evaluating trees", [input, answers, head], options, (out) =>
          this.#native.sotto_leaves_submit(
            this.#calls.context.pointer,
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
    const pointer = this.#calls.create("compiling the linear model", (out) =>
      this.#native.sotto_weight_matrix_create(
        this.#calls.context.pointer,
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
    const weights = nativeHandle(matrix, "WeightMatrix");
    const record = Number(this.#native.sotto_linear_answer_bytes(weights.pointer, shape.answerBits));
    const answers = new Uint8Array(shape.ciphertextCount * record);
    const head = structs.evaluateShape({ ...shape, recordCount: shape.ciphertextCount, threads: options.threads ?? 0 });
    const input = fixed(atLeastOne(rows));
    return weights.use((pointer) =>
      this.#calls.job(
        "evaluating a linear model",
        [input, answers, head],
        options,
        (out) =>
          this.#native.sotto_linear_submit(
            this.#calls.context.pointer,
            pointer,
            input,
            BigInt(rows.length),
            head,
            atLeastOne(answers),
            BigInt(answers.length),
            out,
          ),
      )
    ).then(() => answers);
  }

  generateLookupKeys(key: SecretKey, setting: LookupSetting): Promise<Uint8Array> {
    return this.#network.generateLookupKeys(key, setting);
  }

  loadLookupKeys(setting: LookupSetting, payload: Uint8Array): Promise<LookupKeys> {
    return this.#network.loadLookupKeys(setting, payload);
  }

  lwePhases(key: SecretKey, lwe: Uint32Array): Promise<Uint32Array> {
    return this.#network.lwePhases(key, lwe);
  }

  createLayer(spec: LayerSpec): Layer {
    return this.#network.createLayer(spec);
  }

  expandInputs(
    records: Uint8Array,
    shape: { rowCount: number; ciphertextsPerRow: number; inputBits: number; count: number; rowStride: number },
    out: Uint32Array,
    options: CallOptions = {},
  ): Promise<void> {
    return this.#network.expandInputs(records, shape, out, options);
  }

  applyLayer(
    layer: Layer,
    inputs: Uint32Array,
    range: LayerRange,
    out: Uint32Array,
    options: CallOptions = {},
  ): Promise<void> {
    return this.#network.applyLayer(layer, inputs, range, out, options);
  }

  lookup(
    keys: LookupKeys,
    lwe: Uint32Array,
    tables: BigUint64Array,
    indices: Uint32Array,
    out: Uint32Array,
    options: CallOptions = {},
  ): Promise<void> {
    return this.#network.lookup(keys, lwe, { tables, indices }, out, options);
  }

  packAnswers(
    keys: EvaluationKeys,
    lwe: Uint32Array,
    shape: { recordCount: number; count: number; answerBits: number; rowStride: number },
    options: CallOptions & { blindingSeed?: Uint8Array } = {},
  ): Promise<Uint8Array> {
    return this.#network.packAnswers(keys, lwe, shape, options);
  }

  networkCosts(): Promise<NetworkCosts> {
    return this.#networkCosts ??= this.unitCosts().then((costs) =>
      measureNetwork(this.#network, costs.packed_product_ns)
    );
  }

  unitCosts(): Promise<UnitCosts> {
    return this.#unitCosts ??= (async () => {
      const bytes = new Uint8Array(structs.UNIT_COSTS_BYTES);
      await this.#calls.call(
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
    this.#calls.context.close();
  }

  #secretKey(make: (out: BigUint64Array<ArrayBuffer>) => number): SecretKey {
    const pointer = this.#calls.create("making a secret key", make);
    return new NativeHandle("SecretKey", pointer, (p) => this.#native.sotto_secret_key_destroy(p));
  }
}
