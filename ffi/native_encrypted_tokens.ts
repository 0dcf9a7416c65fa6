import type { CallOptions } from "../circuits/backend.ts";
import type { EncryptedTokens, TokenRequest } from "../circuits/finetune/backend.ts";
import { splitTokenAnswer } from "../circuits/finetune/token_layout.ts";
import { fixed, type NativeCalls } from "./native_calls.ts";
import type { NativeHandle } from "./native_handle.ts";
import * as structs from "./structs.ts";

/** Owns the secret of one block: nobody else can encrypt with it, and it has encrypted already. */
export class NativeEncryptedTokens implements EncryptedTokens {
  readonly #calls: NativeCalls;
  readonly #secret: NativeHandle<"TokenSecret">;
  readonly #scales: Float64Array<ArrayBuffer>;

  constructor(
    calls: NativeCalls,
    secret: NativeHandle<"TokenSecret">,
    readonly request: TokenRequest,
    scales: Float64Array<ArrayBuffer>,
  ) {
    this.#calls = calls;
    this.#secret = secret;
    this.#scales = scales;
  }

  async decrypt(
    answer: Uint8Array,
    rowScales: Float32Array,
    options: CallOptions & { masks?: Uint8Array } = {},
  ): Promise<Float32Array> {
    const { set, tokens } = this.request;
    const rows = rowScales.length;
    const split = splitTokenAnswer({ set, tokens, rows }, answer, options.masks);
    const shape = structs.tokenShape({ ...this.request, threads: options.threads });
    const phases = new Int32Array(tokens * rows);
    const [masks, bodies, count] = [fixed(split.masks), fixed(split.bodies), BigInt(rows)];
    const [maskBytes, bodyBytes] = [BigInt(masks.length), BigInt(bodies.length)];
    const { context, native } = this.#calls;
    await this.#secret.use((secret) =>
      this.#calls.job(
        "decrypting tokens",
        [masks, bodies, phases, shape],
        options,
        (job) =>
          native.sotto_tokens_decrypt_submit(
            context.pointer,
            secret,
            masks,
            maskBytes,
            bodies,
            bodyBytes,
            count,
            shape,
            phases,
            job,
          ),
      )
    );
    return await this.#values(phases, fixed(rowScales), shape, options);
  }

  async #values(
    phases: Int32Array<ArrayBuffer>,
    rowScales: Float32Array & ArrayBufferView<ArrayBuffer>,
    shape: Uint8Array<ArrayBuffer>,
    options: CallOptions,
  ): Promise<Float32Array> {
    const values = new Float32Array(phases.length);
    const [count, size] = [BigInt(rowScales.length), BigInt(values.length)];
    const { context, native } = this.#calls;
    await this.#calls.job(
      "scaling tokens",
      [phases, rowScales, shape, values, this.#scales],
      { ...options, onProgress: undefined },
      (job) =>
        native.sotto_tokens_dequantise_submit(
          context.pointer,
          phases,
          count,
          shape,
          this.#scales,
          rowScales,
          values,
          size,
          job,
        ),
    );
    return values;
  }

  close(): void {
    this.#secret.close();
  }
  [Symbol.dispose](): void {
    this.close();
  }
}
