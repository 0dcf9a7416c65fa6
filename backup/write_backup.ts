import { createWriteStream } from "node:fs";
import { dirname, join } from "node:path";
import { pipeline } from "node:stream/promises";
import { type Pack, pack } from "tar-stream";
import { type Database, SCHEMA_VERSION } from "../db/mod.ts";
import { isSottoError, SottoError } from "../errors.ts";
import type { ObjectStore } from "../store/mod.ts";
import { MANIFEST, type Manifest } from "./manifest.ts";
import { type Snapshot, spoolTables, tableFile } from "./spool_tables.ts";

/** What a backup is made of. */
export interface BackupOptions {
  readonly database: Database;
  readonly store: ObjectStore;
  /** Where the objects lie, in words for whoever restores. */
  readonly location: string;
  /** False: they stay where they are, and the backup only names them. */
  readonly withObjects: boolean;
}

/** How often a backup begins again because an object was removed under its hands. */
const TRIES = 5;

/**
 * Writes one state of the database, and every object that it names, to a new file; servers and workers may go on meanwhile. The file
 * appears under its name when it is whole. Memory: a piece of an object, and the list of them.
 * Throws `conflict` when the file is there, `file_unreadable` when it cannot be written, or what database and store throw.
 */
export async function writeBackup(file: string, options: BackupOptions): Promise<Manifest> {
  if (await Deno.stat(file).then(() => true, () => false)) {
    throw new SottoError("conflict", `${file} is there: name a new file, or remove it`);
  }
  const folder = await makeFolder(file);
  try {
    for (let attempt = 1;; attempt++) {
      const manifest = await tryBackup(await emptyFolder(folder, attempt), options, attempt);
      if (manifest === undefined) continue;
      await Deno.rename(join(folder, String(attempt), "backup"), file);
      return manifest;
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

async function makeFolder(file: string): Promise<string> {
  return await Deno.makeTempDir({ dir: dirname(file), prefix: ".backup-" }).catch((cause) => {
    throw new SottoError("file_unreadable", `${file} cannot be written: name a file in a folder that exists`, {
      cause,
    });
  });
}

async function emptyFolder(folder: string, attempt: number): Promise<string> {
  const path = join(folder, String(attempt));
  await Deno.mkdir(path);
  return path;
}

/** Nothing when an object that the snapshot names is gone: a client deleted it since, so another snapshot does not name it. */
async function tryBackup(folder: string, options: BackupOptions, attempt: number): Promise<Manifest | undefined> {
  const snapshot = await spoolTables(options.database, folder);
  try {
    return await writeTar(folder, snapshot, options);
  } catch (error) {
    if (!isSottoError(error) || error.code !== "store_corrupt" || attempt === TRIES) throw error;
    return undefined;
  }
}

async function writeTar(folder: string, snapshot: Snapshot, options: BackupOptions): Promise<Manifest> {
  const manifest = manifestOf(snapshot, options);
  const tar = pack();
  const file = createWriteStream(join(folder, "backup"), { flags: "wx", mode: 0o600, flush: true });
  const written = pipeline(tar, file);
  written.catch(() => undefined);
  try {
    const text = new TextEncoder().encode(JSON.stringify(manifest, null, 2) + "\n");
    await addEntry(tar, MANIFEST, text.byteLength, ReadableStream.from([text]));
    for (const { name, bytes } of snapshot.tables) {
      const table = await Deno.open(join(folder, tableFile(name)));
      await addEntry(tar, `tables/${tableFile(name)}`, bytes, table.readable);
    }
    if (options.withObjects) await addObjects(tar, snapshot.objects, options.store);
    tar.finalize();
  } catch (error) {
    tar.destroy();
    throw error;
  }
  await written;
  return manifest;
}

function manifestOf({ tables, objects }: Snapshot, { withObjects, location }: BackupOptions): Manifest {
  return {
    format: "sotto backup 1",
    schema: SCHEMA_VERSION,
    created_at: new Date().toISOString(),
    tables,
    objects: { included: withObjects, location, count: objects.length },
  };
}

/** The store checks the digest of what it reads. */
async function addObjects(tar: Pack, digests: readonly string[], store: ObjectStore): Promise<void> {
  const sizes = new Map<string, number>();
  for await (const { digest, bytes } of store.list()) sizes.set(digest, bytes);
  for (const digest of digests) {
    const bytes = sizes.get(digest) ?? (await store.get(digest)).byteLength;
    await addEntry(tar, `objects/${digest}`, bytes, await store.openReadable(digest));
  }
}

/** Resolves when the entry is whole. */
async function addEntry(tar: Pack, name: string, size: number, content: AsyncIterable<Uint8Array>): Promise<void> {
  const { promise: ended, resolve, reject } = Promise.withResolvers<void>();
  const entry = tar.entry({ name, size, mode: 0o600 }, (error) => error ? reject(error) : resolve());
  ended.catch(() => undefined);
  for await (const chunk of content) {
    if (!entry.write(chunk)) await drained(entry, ended);
  }
  entry.end(undefined);
  await ended;
}

/** Until the entry takes more, or fails. */
async function drained(entry: ReturnType<Pack["entry"]>, ended: Promise<void>): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  entry.once("drain", resolve);
  await Promise.race([promise, ended]);
}
