import { dirname, join } from "node:path";
import { checkDigest } from "./check_digest.ts";
import type { ObjectInfo, ObjectSource, ObjectStore, PutLimits, StagedObject, StoredObject } from "./object_store.ts";
import { putStaged } from "./put_staged.ts";
import { ignoreMissing, SpoolFolder } from "./spool_folder.ts";
import { corrupt, isDigest, requireDigest, storeUnavailable } from "./store_errors.ts";

/**
 * Opens the store of a folder: `FOLDER/ab/abcd...` are objects, `FOLDER/tmp` is what is on its way in. Objects appear by rename
 * of a synced file and a sync of their folder, so after a crash an object is whole or absent. Several processes may share the
 * folder: a rename is atomic, and each has its own part of `tmp`. Throws `store_unavailable`.
 */
export async function openFileStore(folder: string): Promise<ObjectStore> {
  try {
    return new FileStore(folder, await SpoolFolder.open(join(folder, "tmp")));
  } catch (cause) {
    throw storeUnavailable(`cannot use its folder ${folder}`, cause);
  }
}

class FileStore implements ObjectStore {
  constructor(private readonly folder: string, private readonly spool: SpoolFolder) {}

  async put(source: ObjectSource, limits: PutLimits): Promise<ObjectInfo> {
    return await putStaged(await this.stage(source, limits));
  }

  async stage(source: ObjectSource, limits: PutLimits): Promise<StagedObject> {
    const { path, digest, bytes, remove } = await this.spool.write(source, limits);
    return {
      digest,
      bytes,
      read: () => Deno.readFile(path).catch(notReadable),
      commit: () => publish(path, this.#path(digest)),
      discard: remove,
    };
  }

  async get(digest: string): Promise<Uint8Array<ArrayBuffer>> {
    return await new Response(await this.openReadable(digest)).bytes();
  }

  async openReadable(digest: string): Promise<ReadableStream<Uint8Array<ArrayBuffer>>> {
    const file = await Deno.open(this.#path(digest)).catch((cause) => this.#notRead(digest, cause));
    return ReadableStream.from(checkDigest(file.readable, digest));
  }

  has(digest: string): Promise<boolean> {
    return exists(this.#path(digest));
  }

  async delete(digest: string): Promise<void> {
    await Deno.remove(this.#path(digest)).catch(ignoreMissing).catch((cause) => {
      throw storeUnavailable("cannot write to its disk", cause);
    });
  }

  async *list(): AsyncGenerator<StoredObject> {
    for await (const { name: part, isDirectory } of Deno.readDir(this.folder)) {
      if (!isDirectory || !/^[0-9a-f]{2}$/.test(part)) continue;
      for await (const { name: digest } of Deno.readDir(join(this.folder, part))) {
        if (!isDigest(digest)) continue;
        const found = await stat(this.#path(digest));
        if (found !== undefined) yield { digest, bytes: found.size, changedAt: found.mtime! };
      }
    }
  }

  removeLeftovers(): Promise<number> {
    return this.spool.removeLeftovers();
  }

  async check(): Promise<void> {
    const { remove } = await this.spool.write(new Uint8Array(1), { maxBytes: 1 });
    await remove();
  }

  close(): Promise<void> {
    return this.spool.close();
  }

  /** An object that is missing while its folder is there is lost; anything else may pass. */
  async #notRead(digest: string, cause: unknown): Promise<never> {
    if (cause instanceof Deno.errors.NotFound && await isFolder(this.spool.path)) {
      throw corrupt(digest, "is missing", cause);
    }
    return notReadable(cause);
  }

  #path(digest: string): string {
    return join(this.folder, requireDigest(digest).slice(0, 2), digest);
  }
}

/** Renames over an equal object if there is one: also repairs an object that was changed on disk. */
async function publish(from: string, to: string): Promise<void> {
  const folder = dirname(to);
  try {
    await Deno.mkdir(folder, { recursive: true, mode: 0o700 });
    await Deno.rename(from, to);
    await syncFolder(folder);
    await syncFolder(dirname(folder));
  } catch (cause) {
    throw storeUnavailable("cannot write to its disk", cause);
  }
}

async function syncFolder(folder: string): Promise<void> {
  using handle = await Deno.open(folder);
  await handle.sync();
}

async function exists(path: string): Promise<boolean> {
  return (await stat(path))?.isFile ?? false;
}

async function isFolder(path: string): Promise<boolean> {
  return (await stat(path))?.isDirectory ?? false;
}

async function stat(path: string): Promise<Deno.FileInfo | undefined> {
  try {
    return await Deno.stat(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) notReadable(error);
  }
}

function notReadable(cause: unknown): never {
  throw storeUnavailable("cannot read from its disk", cause);
}
