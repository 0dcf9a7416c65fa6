import { createHash } from "node:crypto";
import { dirname, join } from "node:path";
import { SottoError } from "../errors.ts";
import { limitBytes } from "./byte_limit.ts";
import { KeyedMutex } from "./keyed_mutex.ts";
import type { ObjectInfo, ObjectSource, ObjectStore, PutLimits, StagedObject } from "./object_store.ts";

const DIGEST_FORM = /^[0-9a-f]{64}$/;

/**
 * Opens the store of a folder: `FOLDER/ab/abcd...` are objects, `FOLDER/tmp` is what is on its way in. Objects appear by rename
 * of a synced file and a sync of their folder, so after a crash an object is whole or absent. What an earlier process left in
 * `tmp` is removed; the caller holds the folder alone.
 */
export async function openFileStore(folder: string): Promise<ObjectStore> {
  const temporary = join(folder, "tmp");
  await Deno.remove(temporary, { recursive: true }).catch(ignoreMissing);
  await Deno.mkdir(temporary, { recursive: true, mode: 0o700 });
  return new FileStore(folder, temporary);
}

class FileStore implements ObjectStore {
  readonly #mutex = new KeyedMutex();

  constructor(readonly folder: string, readonly temporary: string) {}

  async put(source: ObjectSource, limits: PutLimits): Promise<ObjectInfo> {
    const staged = await this.stage(source, limits);
    try {
      await staged.commit();
    } finally {
      await staged.discard();
    }
    return { digest: staged.digest, bytes: staged.bytes };
  }

  async stage(source: ObjectSource, limits: PutLimits): Promise<StagedObject> {
    const path = join(this.temporary, crypto.randomUUID());
    try {
      const { digest, bytes } = await writeFile(path, source, limits);
      return {
        digest,
        bytes,
        read: () => Deno.readFile(path),
        commit: () => publish(path, this.#path(digest)),
        discard: () => Deno.remove(path).catch(ignoreMissing),
      };
    } catch (error) {
      await Deno.remove(path).catch(ignoreMissing);
      throw error;
    }
  }

  async get(digest: string): Promise<Uint8Array<ArrayBuffer>> {
    const bytes = await Deno.readFile(this.#path(digest)).catch((error) => missing(digest, error));
    if (createHash("sha256").update(bytes).digest("hex") === digest) return bytes;
    throw new SottoError(
      "store_corrupt",
      `the stored object ${digest} was changed on disk: restore it, or upload it again`,
    );
  }

  async openReadable(digest: string): Promise<ReadableStream<Uint8Array>> {
    return (await Deno.open(this.#path(digest)).catch((error) => missing(digest, error))).readable;
  }

  has(digest: string): Promise<boolean> {
    return exists(this.#path(digest));
  }

  async delete(digest: string): Promise<void> {
    await Deno.remove(this.#path(digest)).catch(ignoreMissing);
  }

  exclusive<T>(digest: string, work: () => Promise<T>): Promise<T> {
    return this.#mutex.run(digest, work);
  }

  async check(): Promise<void> {
    const path = join(this.temporary, crypto.randomUUID());
    try {
      await Deno.writeFile(path, new Uint8Array(1));
      await Deno.remove(path);
    } catch (cause) {
      throw new SottoError("store_corrupt", "the object store cannot be written: check disk and SOTTO_DATA_DIR", {
        cause,
      });
    }
  }

  #path(digest: string): string {
    if (!DIGEST_FORM.test(digest)) throw new SottoError("internal", `an object digest has the wrong form: ${digest}`);
    return join(this.folder, digest.slice(0, 2), digest);
  }
}

async function writeFile(path: string, source: ObjectSource, { maxBytes }: PutLimits): Promise<ObjectInfo> {
  const chunks = source instanceof Uint8Array ? ReadableStream.from([source]) : source;
  const hash = createHash("sha256");
  let bytes = 0;
  using file = await Deno.open(path, { createNew: true, write: true, mode: 0o600 });
  for await (const chunk of limitBytes(chunks, maxBytes)) {
    hash.update(chunk);
    bytes += chunk.byteLength;
    await writeAll(file, chunk);
  }
  await file.sync();
  return { digest: hash.digest("hex"), bytes };
}

async function writeAll(file: Deno.FsFile, chunk: Uint8Array): Promise<void> {
  for (let done = 0; done < chunk.byteLength;) done += await file.write(chunk.subarray(done));
}

/** Renames over an equal object if there is one: also repairs an object that was changed on disk. */
async function publish(from: string, to: string): Promise<void> {
  const folder = dirname(to);
  await Deno.mkdir(folder, { recursive: true, mode: 0o700 });
  await Deno.rename(from, to);
  await syncFolder(folder);
  await syncFolder(dirname(folder));
}

async function syncFolder(folder: string): Promise<void> {
  using handle = await Deno.open(folder);
  await handle.sync();
}

async function exists(path: string): Promise<boolean> {
  try {
    return (await Deno.stat(path)).isFile;
  } catch (error) {
    ignoreMissing(error);
    return false;
  }
}

function ignoreMissing(error: unknown): void {
  if (!(error instanceof Deno.errors.NotFound)) throw error;
}

function missing(digest: string, cause: unknown): never {
  throw new SottoError("store_corrupt", `the stored object ${digest} cannot be read: restore it, or upload it again`, {
    cause,
  });
}
