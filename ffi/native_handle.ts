/** Ownership of native objects: closed once, never while a call uses them. */
import { SottoError } from "../errors.ts";
import type { Handle } from "../circuits/backend.ts";

type Pointer = NonNullable<Deno.PointerValue>;

/** Frees what the program forgot to close. */
const forgotten = new FinalizationRegistry<() => void>((destroy) => destroy());

/** A native object and what frees it. `close` waits for the calls that `use` it. */
export class NativeHandle<Brand extends string> implements Handle {
  #pointer: Pointer | null;
  #users = 0;
  #closed = false;
  readonly #destroy: (pointer: Pointer) => void;

  constructor(readonly brand: Brand, pointer: Pointer, destroy: (pointer: Pointer) => void) {
    this.#pointer = pointer;
    this.#destroy = destroy;
    forgotten.register(this, () => destroy(pointer), this);
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** The pointer, for the length of a synchronous call. */
  get pointer(): Pointer {
    if (this.#closed || !this.#pointer) throw new SottoError("backend_failed", `this ${this.brand} is closed`);
    return this.#pointer;
  }

  /** Runs an asynchronous call during which the object cannot be freed. */
  async use<T>(call: (pointer: Pointer) => Promise<T>): Promise<T> {
    const pointer = this.pointer;
    this.#users++;
    try {
      return await call(pointer);
    } finally {
      this.#users--;
      this.#free();
    }
  }

  close(): void {
    this.#closed = true;
    this.#free();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #free(): void {
    if (!this.#closed || this.#users > 0 || !this.#pointer) return;
    forgotten.unregister(this);
    const pointer = this.#pointer;
    this.#pointer = null;
    this.#destroy(pointer);
  }
}

/** The pointer that a native call wrote into an out-parameter. */
export function readPointer(out: BigUint64Array): Pointer {
  const pointer = Deno.UnsafePointer.create(out[0]);
  if (!pointer) throw new SottoError("backend_failed", "a native call succeeded without a result");
  return pointer;
}
