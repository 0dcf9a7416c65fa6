import { createHash } from "node:crypto";
import { join } from "node:path";
import { limitBytes } from "./byte_limit.ts";
import type { ObjectInfo, ObjectSource, PutLimits } from "./object_store.ts";
import { storeUnavailable } from "./store_errors.ts";

const LOCK_ENDING = ".lock";

/** A complete, synced file that no other process touches. */
export interface SpooledFile extends ObjectInfo {
  readonly path: string;
  /** Removes it; a missing one is no error. */
  remove(): Promise<void>;
}

/**
 * Files on their way in. Several processes may share the parent folder: each has its own folder in it, `PARENT/ID`, and holds an
 * operating-system lock on `PARENT/ID.lock`. A lock ends with its process, so whatever is not locked belongs to nobody and is
 * removed, at the opening of the next process or by `removeLeftovers`; `PARENT/lock` keeps two of them apart.
 */
export class SpoolFolder {
  /** What could not be removed when it should have been: the next write or removal of leftovers tries again. */
  readonly #unremoved = new Set<string>();

  private constructor(
    readonly parent: string,
    readonly path: string,
    private readonly lock: Deno.FsFile,
  ) {}

  static async open(parent: string): Promise<SpoolFolder> {
    await Deno.mkdir(parent, { recursive: true, mode: 0o700 });
    return await alone(parent, async () => {
      await removeUnlocked(parent);
      const path = join(parent, crypto.randomUUID());
      const lock = await openLock(`${path}${LOCK_ENDING}`);
      await lock.lock(true);
      await Deno.mkdir(path, { mode: 0o700 });
      return new SpoolFolder(parent, path, lock);
    });
  }

  /** Writes and syncs; hashes on the way. Throws `body_too_large`, `store_unavailable`, or what the source throws. */
  async write(source: ObjectSource, limits: PutLimits): Promise<SpooledFile> {
    await this.#removeAgain();
    const path = join(this.path, crypto.randomUUID());
    const remove = () => this.#remove(path);
    try {
      return { path, remove, ...await writeFile(path, source, limits) };
    } catch (error) {
      await remove();
      throw error;
    }
  }

  /** Never fails: who has a file to remove has more important things to say. */
  async #remove(path: string): Promise<void> {
    this.#unremoved.delete(path);
    try {
      await Deno.remove(path);
    } catch (error) {
      // The folder may have been away and be back by now.
      const isGone = error instanceof Deno.errors.NotFound && await isThere(this.path) && !await isThere(path);
      if (!isGone) this.#unremoved.add(path);
    }
  }

  async #removeAgain(): Promise<void> {
    for (const path of [...this.#unremoved]) await this.#remove(path);
  }

  /** Removes the files of processes that have ended. Returns how many files there were. */
  async removeLeftovers(): Promise<number> {
    await this.#removeAgain();
    return await alone(this.parent, () => removeUnlocked(this.parent));
  }

  async close(): Promise<void> {
    await alone(this.parent, async () => {
      await Deno.remove(this.path, { recursive: true }).catch(ignoreMissing);
      await Deno.remove(`${this.path}${LOCK_ENDING}`).catch(ignoreMissing);
      this.lock.close();
    });
  }
}

/** One process at a time; the lock file stays, for a file that is removed cannot be waited for. */
async function alone<T>(parent: string, work: () => Promise<T>): Promise<T> {
  using gate = await openLock(join(parent, "lock"));
  await gate.lock(true);
  return await work();
}

function openLock(path: string): Promise<Deno.FsFile> {
  return Deno.open(path, { create: true, read: true, write: true, mode: 0o600 });
}

async function removeUnlocked(parent: string): Promise<number> {
  let removed = 0;
  for (const { name } of await Array.fromAsync(Deno.readDir(parent))) {
    if (name === "lock" || name.endsWith(LOCK_ENDING)) continue;
    using lock = await openLock(join(parent, `${name}${LOCK_ENDING}`));
    if (!(await lock.tryLock(true))) continue;
    removed += await countFiles(join(parent, name));
    await Deno.remove(join(parent, name), { recursive: true });
    await Deno.remove(join(parent, `${name}${LOCK_ENDING}`));
  }
  return removed;
}

function isThere(path: string): Promise<boolean> {
  return Deno.stat(path).then(() => true, () => false);
}

async function countFiles(path: string): Promise<number> {
  if ((await Deno.stat(path)).isFile) return 1;
  return (await Array.fromAsync(Deno.readDir(path))).length;
}

async function writeFile(path: string, source: ObjectSource, { maxBytes }: PutLimits): Promise<ObjectInfo> {
  const chunks = source instanceof Uint8Array ? ReadableStream.from([source]) : source;
  const hash = createHash("sha256");
  let bytes = 0;
  using file = await Deno.open(path, { createNew: true, write: true, mode: 0o600 }).catch(notWritten);
  for await (const chunk of limitBytes(chunks, maxBytes)) {
    hash.update(chunk);
    bytes += chunk.byteLength;
    await writeAll(file, chunk).catch(notWritten);
  }
  await file.sync().catch(notWritten);
  return { digest: hash.digest("hex"), bytes };
}

function notWritten(cause: unknown): never {
  throw storeUnavailable("cannot write to its disk", cause);
}

async function writeAll(file: Deno.FsFile, chunk: Uint8Array): Promise<void> {
  for (let done = 0; done < chunk.byteLength;) done += await file.write(chunk.subarray(done));
}

/** For removals that may come second. */
export function ignoreMissing(error: unknown): void {
  if (!(error instanceof Deno.errors.NotFound)) throw error;
}
