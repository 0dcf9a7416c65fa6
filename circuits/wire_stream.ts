/** Sotto files as streams: memory stays at one chunk of records. */
import { createHash, type Hash } from "node:crypto";
import { SottoError } from "../errors.ts";
import {
  decodeHeader,
  DIGEST_BYTES,
  encodeHeader,
  type Expected,
  expectedLength,
  type Header,
  HEADER_BYTES,
  malformed,
  requireDigest,
} from "./wire_file.ts";

/** A file that is being read. */
export interface FileStream {
  readonly header: Header;
  /**
   * Whole records, at most `chunkRecords` a chunk, each chunk a fresh array. Ends only after length and digest were found right.
   * May be called once.
   * @throws SottoError `malformed_file` on a wrong length, `digest_mismatch`
   */
  records(): AsyncIterable<Uint8Array>;
  /** SHA-256 of header and payload as 64 hex digits; known only after `records()` has ended. */
  digest(): string;
  /** Gives up what was not read. */
  cancel(): Promise<void>;
}

/**
 * Reads the header, then hands out the records as they arrive. The stream is cancelled when anything is wrong.
 * @throws SottoError of `decodeHeader`, before any record is read
 */
export async function readFileStream(
  stream: ReadableStream<Uint8Array>,
  options: Expected & { chunkRecords: number },
): Promise<FileStream> {
  const source = new ByteSource(stream);
  const hash = createHash("sha256");
  try {
    const head = await source.take(HEADER_BYTES);
    const header = decodeHeader(head, options);
    hash.update(head);
    return new RecordStream(source, hash, header, options.chunkRecords);
  } catch (error) {
    await source.cancel();
    throw error;
  }
}

class RecordStream implements FileStream {
  #digest: string | undefined;
  #started = false;
  constructor(
    private readonly source: ByteSource,
    private readonly hash: Hash,
    readonly header: Header,
    private readonly chunkRecords: number,
  ) {}

  async *records(): AsyncIterable<Uint8Array> {
    if (this.#started) throw new SottoError("internal", "the records of a file stream can be read once");
    this.#started = true;
    try {
      for (let left = this.header.recordCount; left > 0;) {
        const count = Math.min(left, Math.max(1, this.chunkRecords));
        const chunk = await this.source.take(count * this.header.recordBytes);
        this.hash.update(chunk);
        left -= count;
        yield chunk;
      }
      await this.#finish();
    } finally {
      if (this.#digest === undefined) await this.source.cancel();
    }
  }

  async #finish(): Promise<void> {
    const trailer = await this.source.take(DIGEST_BYTES);
    if (!await this.source.ended()) {
      malformed(`it goes on after the ${expectedLength(this.header)} bytes of its header`);
    }
    const computed = this.hash.digest();
    requireDigest(computed, trailer);
    this.#digest = computed.toString("hex");
  }

  cancel(): Promise<void> {
    return this.source.cancel();
  }

  digest(): string {
    if (this.#digest === undefined) throw new SottoError("internal", "the digest is known after the last record only");
    return this.#digest;
  }
}

/** Takes exact numbers of bytes from a stream of chunks of any size. */
class ByteSource {
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  #rest: Uint8Array = new Uint8Array(0);
  #ended = false;
  constructor(stream: ReadableStream<Uint8Array>) {
    this.#reader = stream.getReader();
  }

  async take(length: number): Promise<Uint8Array> {
    const out = new Uint8Array(length);
    for (let filled = 0; filled < length;) {
      if (this.#rest.length === 0 && !await this.#pull()) malformed("it ends too early; send it again");
      const part = this.#rest.subarray(0, length - filled);
      out.set(part, filled);
      filled += part.length;
      this.#rest = this.#rest.subarray(part.length);
    }
    return out;
  }

  async ended(): Promise<boolean> {
    return this.#rest.length === 0 && !await this.#pull();
  }

  async #pull(): Promise<boolean> {
    while (!this.#ended && this.#rest.length === 0) {
      const { done, value } = await this.#reader.read();
      this.#ended = done;
      if (value !== undefined) this.#rest = value;
    }
    return !this.#ended;
  }

  async cancel(): Promise<void> {
    await this.#reader.cancel().catch(() => undefined);
  }
}

/** A file that is being written: `header`, then what was given to `update` in order, then `trailer()`. */
export interface FileWriter {
  /** The 128 bytes that begin the file. */
  readonly header: Uint8Array;
  /** Adds payload bytes, in order, in pieces of any size. */
  update(payload: Uint8Array): void;
  /** The 32 bytes that end the file. @throws SottoError `internal` when the payload has not the announced length */
  trailer(): Uint8Array;
  /** The identity of the file as 64 hex digits; after `trailer()`. */
  digest(): string;
}

/** @throws SottoError `malformed_file` when a header field does not fit */
export function fileWriter(header: Header): FileWriter {
  const head = encodeHeader(header);
  const hash = createHash("sha256").update(head);
  let left = expectedLength(header) - HEADER_BYTES - DIGEST_BYTES;
  let digest: Uint8Array | undefined;
  return {
    header: head,
    update(payload) {
      left -= payload.length;
      hash.update(payload);
    },
    trailer() {
      if (left !== 0) {
        throw new SottoError("internal", `the payload differs from its announced length by ${left} bytes`);
      }
      digest ??= new Uint8Array(hash.digest());
      return digest;
    },
    digest() {
      return [...this.trailer()].map((byte) => byte.toString(16).padStart(2, "0")).join("");
    },
  };
}
