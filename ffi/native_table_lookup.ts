/** Lookups of training: several tables on one rotation, results on the torus or mod q. */
import type { CallOptions, LookupKeys } from "../circuits/backend.ts";
import { CIPHERTEXT_WORDS, type LookupTables, RING_LWE_WORDS } from "../circuits/training_backend.ts";
import { SottoError } from "../errors.ts";
import { fixed, type NativeCalls, nativeHandle } from "./native_calls.ts";
import { wholeCount } from "./native_training_client.ts";
import * as structs from "./structs.ts";

const N = CIPHERTEXT_WORDS / 2;
/** `sotto_lookup_shape.modulus`. */
const MODULUS = { torus: 0, q: 1 } as const;
/** Lookups that a worker takes together. */
const TILE = 16;

interface Part {
  readonly lwe: Uint32Array;
  readonly tables: LookupTables;
  readonly results: BigUint64Array | Uint32Array;
}

/** Lookups on one context with `threads` workers. */
export class NativeTableLookup {
  constructor(readonly calls: NativeCalls, readonly threads: number) {}

  async modular(
    keys: LookupKeys,
    lwe: Uint32Array,
    tables: LookupTables,
    options: CallOptions = {},
  ): Promise<BigUint64Array> {
    const results = new BigUint64Array((tables.indices.length << tables.valuesLog) * RING_LWE_WORDS);
    await this.#run(keys, { lwe, tables, results }, "q", options);
    return results;
  }

  async torus(
    keys: LookupKeys,
    lwe: Uint32Array,
    tables: LookupTables,
    options: CallOptions = {},
  ): Promise<Uint32Array> {
    const results = new Uint32Array((tables.indices.length << tables.valuesLog) * RING_LWE_WORDS);
    await this.#run(keys, { lwe, tables, results }, "torus", options);
    return results;
  }

  /** One job, or one a thread where a single tile of lookups would leave threads idle. */
  async #run(keys: LookupKeys, part: Part, modulus: keyof typeof MODULUS, options: CallOptions): Promise<void> {
    const { indices, valuesLog, tables } = part.tables;
    const count = wholeCount("a lookup", part.lwe, RING_LWE_WORDS);
    if (count !== indices.length) throw new SottoError("backend_failed", `${count} lwe with ${indices.length} tables`);
    if (count === 0) return;
    const parts = count <= TILE * (this.threads - 1) ? Math.min(count, this.threads) : 1;
    if (parts === 1) return await this.#job(keys, part, modulus, options);
    const size = Math.ceil(count / parts);
    const { onProgress, ...quiet } = options;
    const jobs: Promise<void>[] = [];
    for (let first = 0; first < count; first += size) {
      const end = Math.min(count, first + size);
      const words = (index: number) => index * RING_LWE_WORDS;
      const share = {
        lwe: part.lwe.subarray(words(first), words(end)),
        tables: { tables, indices: indices.subarray(first, end), valuesLog },
        results: part.results.subarray(words(first << valuesLog), words(end << valuesLog)),
      };
      jobs.push(this.#job(keys, share, modulus, quiet));
    }
    const settled = await Promise.allSettled(jobs);
    for (const job of settled) if (job.status === "rejected") throw job.reason;
    onProgress?.(1);
  }

  async #job(keys: LookupKeys, part: Part, modulus: keyof typeof MODULUS, options: CallOptions): Promise<void> {
    const { tables, indices, valuesLog } = part.tables;
    const shape = { count: indices.length, tableCount: wholeCount("tables", tables, N), valuesLog };
    const head = structs.lookupShape({ ...shape, modulus: MODULUS[modulus], threads: options.threads ?? 0 });
    const [input, table, index] = [fixed(part.lwe), fixed(tables), fixed(indices)];
    const out = fixed(part.results) as typeof part.results & ArrayBufferView<ArrayBuffer>;
    await nativeHandle(keys, "LookupKeys").use((pointer) =>
      this.calls.job(
        "looking up",
        [input, table, index, head, out],
        options,
        (job) =>
          this.calls.native.sotto_lookup_submit(
            this.calls.context.pointer,
            pointer,
            input,
            table,
            index,
            head,
            out,
            BigInt(out.byteLength),
            job,
          ),
      )
    );
  }
}
