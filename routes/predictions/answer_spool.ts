import { join } from "node:path";

/**
 * Holds an answers file until it is complete: in memory, and from `memoryBytes` on in a file that has no name any more, so that
 * nothing is left of it however the process ends.
 */
export class AnswerSpool {
  #chunks: Uint8Array<ArrayBuffer>[] = [];
  #file: Deno.FsFile | undefined;
  #bytes = 0;

  constructor(private readonly folder: string, private readonly memoryBytes: number) {}

  /** Bytes written so far. */
  get bytes(): number {
    return this.#bytes;
  }

  async write(chunk: Uint8Array): Promise<void> {
    this.#bytes += chunk.byteLength;
    this.#chunks.push(chunk as Uint8Array<ArrayBuffer>);
    if (this.#file === undefined && this.#bytes <= this.memoryBytes) return;
    this.#file ??= await openNameless(this.folder);
    for (const waiting of this.#chunks) await writeAll(this.#file, waiting);
    this.#chunks = [];
  }

  /** Everything in order; the spool is empty afterwards. Reading to the end or cancelling frees the file. */
  async readable(): Promise<ReadableStream<Uint8Array<ArrayBuffer>>> {
    if (this.#file === undefined) return ReadableStream.from(this.#chunks);
    const file = this.#file;
    this.#file = undefined;
    await file.seek(0, Deno.SeekMode.Start);
    return file.readable;
  }

  /** Frees what was not handed out. */
  discard(): void {
    this.#file?.close();
    this.#file = undefined;
    this.#chunks = [];
  }
}

async function openNameless(folder: string): Promise<Deno.FsFile> {
  await Deno.mkdir(folder, { recursive: true, mode: 0o700 });
  const path = join(folder, crypto.randomUUID());
  const file = await Deno.open(path, { createNew: true, read: true, write: true, mode: 0o600 });
  await Deno.remove(path);
  return file;
}

async function writeAll(file: Deno.FsFile, chunk: Uint8Array): Promise<void> {
  for (let done = 0; done < chunk.byteLength;) done += await file.write(chunk.subarray(done));
}
