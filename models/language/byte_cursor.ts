/** Reading a file from its beginning on, number by number, with a window of it in memory. */
import { refuseFile } from "../refuse.ts";
import type { FileBytes } from "./file_bytes.ts";
import { TEXT_BYTES_MAX, WINDOW_BYTES } from "./limits.ts";

/** Little-endian numbers, by their name. 64-bit integers are rounded to the nearest double. */
const NUMBERS = {
  u8: { bytes: 1, read: (view: DataView, at: number) => view.getUint8(at) },
  i8: { bytes: 1, read: (view: DataView, at: number) => view.getInt8(at) },
  u16: { bytes: 2, read: (view: DataView, at: number) => view.getUint16(at, true) },
  i16: { bytes: 2, read: (view: DataView, at: number) => view.getInt16(at, true) },
  u32: { bytes: 4, read: (view: DataView, at: number) => view.getUint32(at, true) },
  i32: { bytes: 4, read: (view: DataView, at: number) => view.getInt32(at, true) },
  f32: { bytes: 4, read: (view: DataView, at: number) => view.getFloat32(at, true) },
  u64: { bytes: 8, read: (view: DataView, at: number) => Number(view.getBigUint64(at, true)) },
  i64: { bytes: 8, read: (view: DataView, at: number) => Number(view.getBigInt64(at, true)) },
  f64: { bytes: 8, read: (view: DataView, at: number) => view.getFloat64(at, true) },
};
export type NumberType = keyof typeof NUMBERS;

/** A place in a file that moves on with every read. */
export class ByteCursor {
  #window = new DataView(new ArrayBuffer(0));
  #start = 0;
  #at = 0;
  readonly #decoder = new TextDecoder();

  /** @param end nothing from there on is read */
  constructor(private readonly file: FileBytes, private readonly end: number) {}

  /** The offset of the next byte in the file. */
  get offset(): number {
    return this.#start + this.#at;
  }

  /** Bytes that may still be read. */
  get left(): number {
    return this.end - this.offset;
  }

  /** Moves the window so that the next `length` bytes lie in it. */
  async #fill(length: number): Promise<void> {
    if (length > this.left) {
      refuseFile(`${this.file.path} ends, or is beyond its limit, inside its header; fetch it again.`);
    }
    const start = this.offset;
    const bytes = await this.file.read(start, Math.min(Math.max(length, WINDOW_BYTES), this.left));
    this.#window = new DataView(bytes.buffer);
    this.#start = start;
    this.#at = 0;
  }

  /** Steps over the next `length` bytes and says where in the window they begin. */
  async #take(length: number): Promise<number> {
    if (this.#at + length > this.#window.byteLength) await this.#fill(length);
    this.#at += length;
    return this.#at - length;
  }

  async number(type: NumberType): Promise<number> {
    const { bytes, read } = NUMBERS[type];
    const at = await this.#take(bytes);
    return read(this.#window, at);
  }

  /** A 64-bit count of at most `max`. */
  async count(what: string, max: number): Promise<number> {
    const value = await this.number("u64");
    if (!(value <= max)) refuseFile(`${this.file.path}: ${what} is ${value} and may be ${max}.`);
    return value;
  }

  /** A text after its 64-bit length. */
  async text(): Promise<string> {
    const length = await this.count("the length of a text", TEXT_BYTES_MAX);
    const at = await this.#take(length);
    return this.#decoder.decode(new Uint8Array(this.#window.buffer, at, length));
  }
}
