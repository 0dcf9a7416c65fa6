/** What every native call shares: the context, jobs, asynchronous calls, and the rules for buffers. */
import type { CallOptions, SecretKey } from "../circuits/backend.ts";
import { SottoError } from "../errors.ts";
import { check, checkAsync, type Symbols } from "./library.ts";
import { NativeHandle, readPointer } from "./native_handle.ts";

export type Pointer = NonNullable<Deno.PointerValue>;

/** How often progress is read, in milliseconds. */
const PROGRESS_INTERVAL_MS = 50;

/** One context of the native library and the calls made with it. */
export class NativeCalls {
  readonly context: NativeHandle<"context">;

  /** `createContext` writes the new context into its argument and returns a status. */
  constructor(readonly native: Symbols, createContext: (out: BigUint64Array<ArrayBuffer>) => number) {
    const context = this.create("opening the back end", createContext);
    this.context = new NativeHandle("context", context, (pointer) => native.sotto_context_destroy(pointer));
  }

  /** Waits for a native job whose buffers are `pinned`: they stay reachable, hence in place, until no worker touches them. */
  async job(
    where: string,
    pinned: readonly ArrayBufferView[],
    options: CallOptions,
    submit: (out: BigUint64Array<ArrayBuffer>) => number,
  ): Promise<void> {
    if (options.signal?.aborted) throw new SottoError("cancelled", `${where} was cancelled`);
    await this.context.use(async () => {
      const job = this.create(where, submit);
      const cancel = () => this.native.sotto_job_cancel(job);
      const report = () => options.onProgress?.(this.native.sotto_job_progress(job) / 65536);
      const timer = options.onProgress ? setInterval(report, PROGRESS_INTERVAL_MS) : undefined;
      options.signal?.addEventListener("abort", cancel);
      try {
        checkAsync(await this.native.sotto_job_wait_async(job), where);
        report();
      } finally {
        clearInterval(timer);
        options.signal?.removeEventListener("abort", cancel);
        this.native.sotto_job_destroy(job);
        keepAlive(pinned);
      }
    });
  }

  /** One asynchronous call that uses the context and at most one key, reads `pinned` and writes `result`, which it gives back. */
  async call<T extends ArrayBufferView>(
    where: string,
    result: T,
    pinned: readonly ArrayBufferView[],
    keys: readonly SecretKey[],
    run: (context: Pointer, keys: Pointer[]) => Promise<number>,
  ): Promise<T> {
    await this.context.use(async (context) => {
      const [key] = keys;
      const status = key
        ? await nativeHandle(key, "SecretKey").use((pointer) => run(context, [pointer]))
        : await run(context, []);
      keepAlive([result, ...pinned]);
      checkAsync(status, where);
    });
    return result;
  }

  create(where: string, make: (out: BigUint64Array<ArrayBuffer>) => number): Pointer {
    const out = new BigUint64Array(1);
    check(this.native, make(out), where);
    return readPointer(out);
  }
}

/** The native side of a handle; a handle of another back end is refused. */
export function nativeHandle<Brand extends string>(
  handle: { readonly brand: Brand },
  brand: Brand,
): NativeHandle<Brand> {
  if (handle instanceof NativeHandle && handle.brand === brand) return handle;
  throw new SottoError("backend_failed", `this ${brand} was made by another back end`);
}

/** Memory that native code may read while JavaScript runs on: never shared, never resizable. */
export function fixed<T extends ArrayBufferView>(view: T): T & ArrayBufferView<ArrayBuffer> {
  if (view.buffer instanceof ArrayBuffer && !view.buffer.resizable) return view as T & ArrayBufferView<ArrayBuffer>;
  throw new SottoError("backend_failed", "native calls take fixed, unshared buffers only");
}

/** Empty arrays have no address; native code is given one element that it never reads. */
export function atLeastOne<T extends Uint8Array | Int8Array | Uint32Array | Int32Array | Float64Array | BigUint64Array>(
  array: T,
): T {
  return array.length ? array : new (array.constructor as new (length: number) => T)(1);
}

/** A use after the wait: until here the garbage collector may not free what native code reads or writes. */
function keepAlive(_pinned: readonly ArrayBufferView[]): void {}
