import { SottoError } from "../../errors.ts";

/** Bytes that several requests may hold together. One request alone may hold more than all. */
export class ByteBudget {
  #held = 0;
  constructor(readonly bytesMax: number) {}

  /** Holds bytes until the answer is disposed of. Throws `busy` when too many are held. */
  take(bytes: number): Disposable {
    if (this.#held > 0 && this.#held + bytes > this.bytesMax) {
      throw new SottoError(
        "busy",
        "the server holds as many bytes of products as it may: send the request again later",
      );
    }
    this.#held += bytes;
    let left = bytes;
    return {
      [Symbol.dispose]: () => {
        this.#held -= left;
        left = 0;
      },
    };
  }
}
