/** Bytes that are counted together when nobody said before how long a body is. */
const PIECE_BYTES = 1024 * 1024;

/** Counts the bytes of a body against the tenant's limit: all of them at once when their number is known, else piece by piece. */
export class Upload {
  #bytes = 0;
  #uncharged = 0;

  /** @param declared length that is charged already @param charge counts bytes; throws `rate_limited` */
  constructor(
    private readonly declared: number | undefined,
    private readonly charge: (bytes: number) => Promise<void>,
  ) {}

  /** Bytes that arrived, or will. */
  get bytes(): number {
    return this.declared ?? this.#bytes;
  }

  /** Told of every chunk of the body. Throws `rate_limited`. */
  async arrived(bytes: number): Promise<void> {
    this.#bytes += bytes;
    if (this.declared !== undefined) return;
    this.#uncharged += bytes;
    if (this.#uncharged < PIECE_BYTES) return;
    const piece = this.#uncharged;
    this.#uncharged = 0;
    await this.charge(piece);
  }

  /** Charges what is left, after the answer. */
  async end(): Promise<void> {
    const rest = this.#uncharged;
    this.#uncharged = 0;
    if (rest > 0) await this.charge(rest).catch(() => undefined);
  }
}
