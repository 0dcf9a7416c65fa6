import { join } from "node:path";
import { SottoError } from "../../errors.ts";

/** Bytes that the files of one job take, or will take. */
interface Space {
  rows: number;
  answers: number;
}

/** Takes the pieces of a file in order. */
export interface Sink {
  write(chunk: Uint8Array): Promise<void>;
}

/** The files of jobs: the encrypted rows until a job has finished, its answers from then on. Their space is promised before they come. */
export class JobFolder {
  readonly #spaces = new Map<string, Space>();

  constructor(private readonly folder: string, private readonly capacity: number) {}

  /** Promises space to a job. Throws `busy` when there is not enough. */
  promise(id: string, space: Readonly<Space>): void {
    let taken = 0;
    for (const { rows, answers } of this.#spaces.values()) taken += rows + answers;
    if (taken + space.rows + space.answers > this.capacity) {
      throw new SottoError(
        "busy",
        "the disk that jobs may use is full: delete finished jobs, or send the request again later",
      );
    }
    this.#spaces.set(id, { ...space });
  }

  /** Writes a file of a job; what is half written when `fill` fails is for `drop`. */
  async write(id: string, file: keyof Space, fill: (sink: Sink) => Promise<void>): Promise<void> {
    await Deno.mkdir(this.folder, { recursive: true, mode: 0o700 });
    using handle = await Deno.open(this.#path(id, file), { create: true, truncate: true, write: true, mode: 0o600 });
    await fill({
      async write(chunk) {
        for (let done = 0; done < chunk.byteLength;) done += await handle.write(chunk.subarray(done));
      },
    });
  }

  /** A file of a job from its beginning. */
  async read(
    id: string,
    file: keyof Space,
  ): Promise<{ stream: ReadableStream<Uint8Array<ArrayBuffer>>; bytes: number }> {
    const handle = await Deno.open(this.#path(id, file));
    try {
      const { size } = await handle.stat();
      return { stream: handle.readable, bytes: size };
    } catch (error) {
      handle.close();
      throw error;
    }
  }

  /** Removes a file of a job and frees its space; who reads it at the moment reads it to the end. */
  async drop(id: string, file: keyof Space): Promise<void> {
    const space = this.#spaces.get(id);
    if (space !== undefined) space[file] = 0;
    if (space !== undefined && space.rows + space.answers === 0) this.#spaces.delete(id);
    await Deno.remove(this.#path(id, file)).catch((error) => {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    });
  }

  #path(id: string, file: keyof Space): string {
    return join(this.folder, `${id}.${file}`);
  }
}
