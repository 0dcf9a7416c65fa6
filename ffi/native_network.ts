/** The part of the port that networks use: lookup keys, layers on lwe, lookups, answers. */
import {
  type CallOptions,
  type EvaluationKeys,
  type Layer,
  type LayerRange,
  type LayerSpec,
  type LookupKeys,
  type LookupSetting,
  LWE_WORDS,
  type SecretKey,
} from "../circuits/backend.ts";
import { SottoError } from "../errors.ts";
import type { Symbols } from "./library.ts";
import { atLeastOne, fixed, type NativeCalls, nativeHandle, type Pointer } from "./native_calls.ts";
import { NativeHandle, readPointer } from "./native_handle.ts";
import * as structs from "./structs.ts";

class NativeLookupKeys extends NativeHandle<"LookupKeys"> implements LookupKeys {
  constructor(
    pointer: Pointer,
    destroy: (pointer: Pointer) => void,
    readonly setting: LookupSetting,
    readonly bytes: number,
  ) {
    super("LookupKeys", pointer, destroy);
  }
}

class NativeLayer extends NativeHandle<"Layer"> implements Layer {
  constructor(pointer: Pointer, destroy: (pointer: Pointer) => void, readonly bytes: number) {
    super("Layer", pointer, destroy);
  }
}

/** See the methods of the same names in `Backend`. */
export class NativeNetwork {
  readonly #native: Symbols;
  constructor(readonly calls: NativeCalls) {
    this.#native = calls.native;
  }

  generateLookupKeys(key: SecretKey, setting: LookupSetting): Promise<Uint8Array> {
    const payload = new Uint8Array(Number(this.#native.sotto_lookup_keys_payload_bytes(setting)));
    const size = BigInt(payload.length);
    return this.calls.call(
      "generating lookup keys",
      payload,
      [],
      [key],
      (context, [secret]) =>
        this.#native.sotto_lookup_keys_generate_async(context, secret, setting, null, payload, size),
    );
  }

  async loadLookupKeys(setting: LookupSetting, payload: Uint8Array): Promise<LookupKeys> {
    const expected = Number(this.#native.sotto_lookup_keys_payload_bytes(setting));
    if (payload.length !== expected) {
      const has = `lookup keys of setting ${setting} have ${payload.length} bytes`;
      throw new SottoError("malformed_file", `${has}, ${expected} are needed`);
    }
    const out = new BigUint64Array(1);
    const input = fixed(payload);
    await this.calls.call(
      "loading lookup keys",
      out,
      [input],
      [],
      (context) => this.#native.sotto_lookup_keys_load_async(context, setting, input, BigInt(input.length), out),
    );
    const pointer = readPointer(out);
    const bytes = Number(this.#native.sotto_lookup_keys_bytes(pointer));
    return new NativeLookupKeys(pointer, (p) => this.#native.sotto_lookup_keys_destroy(p), setting, bytes);
  }

  lwePhases(key: SecretKey, lwe: Uint32Array): Promise<Uint32Array> {
    const count = lweCount("phases", lwe);
    const input = fixed(atLeastOne(lwe));
    const phases = new Uint32Array(count);
    return this.calls.call(
      "reading phases",
      phases,
      [input],
      [key],
      (context, [secret]) =>
        this.#native.sotto_lwe_phase_u32_async(context, secret, input, BigInt(count), atLeastOne(phases)),
    );
  }

  createLayer(spec: LayerSpec): Layer {
    requireLength("weights", spec.weights, spec.groupCount * spec.rowsPerGroup * spec.depth);
    requireLength("indices", spec.indices, spec.patchCount * spec.groupCount * spec.depth);
    requireLength("offsets", spec.offsets, spec.groupCount * spec.rowsPerGroup);
    const shape = structs.layerShape(spec);
    const pointer = this.calls.create("preparing a layer", (out) =>
      this.#native.sotto_layer_create(
        this.calls.context.pointer,
        shape,
        fixed(spec.weights),
        fixed(spec.indices),
        fixed(spec.offsets),
        out,
      ));
    const bytes = Number(this.#native.sotto_layer_bytes(pointer));
    return new NativeLayer(pointer, (p) => this.#native.sotto_layer_destroy(p), bytes);
  }

  expandInputs(
    records: Uint8Array,
    shape: { rowCount: number; ciphertextsPerRow: number; inputBits: number; count: number; rowStride: number },
    out: Uint32Array,
    options: CallOptions,
  ): Promise<void> {
    const [input, result] = [fixed(atLeastOne(records)), fixed(out)];
    const head = structs.inputsShape({ ...shape, threads: options.threads ?? 0 });
    const size = BigInt(records.length), total = BigInt(lweCount("expanded inputs", out));
    return this.calls.job(
      "expanding inputs",
      [input, result, head],
      options,
      (job) => this.#native.sotto_inputs_submit(this.calls.context.pointer, input, size, head, result, total, job),
    );
  }

  applyLayer(
    layer: Layer,
    inputs: Uint32Array,
    range: LayerRange,
    out: Uint32Array,
    options: CallOptions,
  ): Promise<void> {
    const [input, result] = [fixed(inputs), fixed(out)];
    const head = structs.layerRange(range, options.threads ?? 0);
    const counts = [BigInt(lweCount("inputs", inputs)), BigInt(lweCount("outputs", out))] as const;
    return nativeHandle(layer, "Layer").use((pointer) =>
      this.calls.job("applying a layer", [input, result, head], options, (job) =>
        this.#native.sotto_layer_submit(
          this.calls.context.pointer,
          pointer,
          input,
          counts[0],
          head,
          result,
          counts[1],
          job,
        ))
    );
  }

  lookup(
    keys: LookupKeys,
    lwe: Uint32Array,
    table: { tables: BigUint64Array; indices: Uint32Array },
    out: Uint32Array,
    options: CallOptions,
  ): Promise<void> {
    const count = table.indices.length;
    requireLength("lwe", lwe, count * LWE_WORDS);
    requireLength("results", out, count * LWE_WORDS);
    const [input, result, tables] = [fixed(atLeastOne(lwe)), fixed(atLeastOne(out)), fixed(table.tables)];
    const indices = fixed(atLeastOne(table.indices));
    const head = structs.lookupShape({ count, tableCount: tables.length / 2048, threads: options.threads ?? 0 });
    return nativeHandle(keys, "LookupKeys").use((pointer) =>
      this.calls.job(
        "looking up",
        [input, result, tables, indices, head],
        options,
        (job) =>
          this.#native.sotto_lookup_submit(
            this.calls.context.pointer,
            pointer,
            input,
            tables,
            indices,
            head,
            result,
            BigInt(out.byteLength),
            job,
          ),
      )
    );
  }

  async packAnswers(
    keys: EvaluationKeys,
    lwe: Uint32Array,
    shape: { recordCount: number; count: number; answerBits: number; rowStride: number },
    options: CallOptions & { blindingSeed?: Uint8Array },
  ): Promise<Uint8Array> {
    const needed = shape.recordCount === 0 ? 0 : (shape.recordCount - 1) * shape.rowStride + shape.count;
    if (lweCount("answers", lwe) < needed) {
      throw new SottoError("backend_failed", `answers: ${lweCount("answers", lwe)} lwe, ${needed} are needed`);
    }
    const record = Number(this.#native.sotto_lwe_answer_bytes(shape.count, shape.answerBits));
    const answers = new Uint8Array(shape.recordCount * record);
    const [input, result] = [fixed(atLeastOne(lwe)), atLeastOne(answers)];
    const head = structs.lweAnswersShape({ ...shape, threads: options.threads ?? 0 });
    const seed = options.blindingSeed ? fixed(options.blindingSeed) : null;
    await nativeHandle(keys, "EvaluationKeys").use((pointer) =>
      this.calls.job("packing answers", [input, result, head], options, (job) =>
        this.#native.sotto_lwe_answers_submit(
          this.calls.context.pointer,
          pointer,
          input,
          head,
          seed,
          result,
          BigInt(answers.length),
          job,
        ))
    );
    return answers;
  }
}

function lweCount(what: string, lwe: Uint32Array): number {
  if (lwe.length % LWE_WORDS === 0) return lwe.length / LWE_WORDS;
  throw new SottoError("backend_failed", `${what}: ${lwe.length} words are no whole number of lwe`);
}

function requireLength(what: string, array: { readonly length: number }, length: number): void {
  if (array.length === length) return;
  throw new SottoError("backend_failed", `${what}: ${array.length} elements, ${length} are needed`);
}
