/** Reading ranges of a file: no whole file is ever in memory. */
import { SottoError } from "../../errors.ts";
import { refuseFile } from "../refuse.ts";

/** An open file, read at any place. Reads are queued, so callers may overlap them. */
export class FileBytes implements Disposable {
  #queue: Promise<unknown> = Promise.resolve();
  #closed = false;
  private constructor(readonly path: string, readonly size: number, private readonly file: Deno.FsFile) {}

  /** @throws SottoError `file_unreadable` when there is no such file or it may not be read */
  static async open(path: string): Promise<FileBytes> {
    try {
      const file = await Deno.open(path, { read: true });
      const info = await file.stat();
      if (info.isFile) return new FileBytes(path, info.size, file);
      file.close();
    } catch (error) {
      throw new SottoError("file_unreadable", `${path} cannot be read; check its name and rights.`, { cause: error });
    }
    throw new SottoError("file_unreadable", `${path} is not a file; name a model file.`);
  }

  /**
   * Exactly `length` bytes from `offset` on.
   * @throws SottoError `malformed_file` when the file does not have them
   */
  read(offset: number, length: number): Promise<Uint8Array<ArrayBuffer>> {
    const mine = this.#queue.then(() => this.#read(offset, length));
    this.#queue = mine.catch(() => {});
    return mine;
  }

  async #read(offset: number, length: number): Promise<Uint8Array<ArrayBuffer>> {
    if (!(offset >= 0 && length >= 0 && offset + length <= this.size)) {
      refuseFile(`${this.path} ends after ${this.size} bytes, before what it announces; fetch it again.`);
    }
    const bytes = new Uint8Array(length);
    try {
      await this.file.seek(offset, Deno.SeekMode.Start);
      for (let done = 0; done < length;) {
        const count = await this.file.read(bytes.subarray(done));
        if (!count) refuseFile(`${this.path} became shorter while it was read; fetch it again.`);
        done += count;
      }
    } catch (error) {
      if (error instanceof SottoError) throw error;
      throw new SottoError("file_unreadable", `${this.path} cannot be read any more.`, { cause: error });
    }
    return bytes;
  }

  /** Closes the file; reading from it is an error afterwards. */
  close(): void {
    if (!this.#closed) this.file.close();
    this.#closed = true;
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

/**
 * A small file, whole, as text.
 * @throws SottoError `file_unreadable`, or `malformed_file` above `bytesMax`
 */
export async function readText(path: string, bytesMax: number): Promise<string> {
  using file = await FileBytes.open(path);
  if (file.size > bytesMax) refuseFile(`${path} has ${file.size} bytes and may have ${bytesMax}.`);
  return new TextDecoder().decode(await file.read(0, file.size));
}
