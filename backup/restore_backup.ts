import { createReadStream } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import {
  advanceCounters,
  type Database,
  inTransaction,
  isEmptyDatabase,
  listReferences,
  writeRows,
} from "../db/mod.ts";
import { SottoError } from "../errors.ts";
import type { ObjectStore } from "../store/mod.ts";
import type { Manifest } from "./manifest.ts";
import { tableFile } from "./spool_tables.ts";
import { unpackBackup } from "./unpack_backup.ts";

/** Where a backup is restored to. */
export interface RestoreTarget {
  readonly database: Database;
  readonly store: ObjectStore;
  /** Runs in the transaction that adds the rows, after them. */
  readonly finish: (inside: Database) => Promise<void>;
}

/** Text of the rows that are added at a time; only a longer row makes it more. */
const BATCH_LENGTH = 1_000_000;

/**
 * Restores a backup into an empty database of the same schema: the objects first, each checked by its digest, then all rows in one
 * transaction, so that a restore that fails leaves no row and can be run again.
 * Throws `file_unreadable`, `malformed_file`, `schema_version_wrong`, `conflict` when the database has rows, or `store_corrupt` when
 * an object that the backup only names is not in the store.
 */
export async function restoreBackup(file: string, target: RestoreTarget): Promise<Manifest> {
  if (!(await isEmptyDatabase(target.database))) {
    throw new SottoError("conflict", "the database is not empty: restore into a new data folder or database");
  }
  const folder = await Deno.makeTempDir({ prefix: "sotto-restore-" });
  try {
    const manifest = await unpackBackup(file, folder, target.store);
    await inTransaction(target.database, async (inside) => {
      for (const { name } of manifest.tables) await fillTable(inside, name, join(folder, tableFile(name)));
      await requireObjects(inside, target.store, manifest);
      await target.finish(inside);
    });
    return manifest;
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

async function fillTable(inside: Database, table: string, path: string): Promise<void> {
  let [rows, length]: [string[], number] = [[], 0];
  const flush = async () => {
    if (rows.length > 0) await writeRows(inside, table, rows);
    [rows, length] = [[], 0];
  };
  for await (const line of createInterface({ input: createReadStream(path), crlfDelay: Infinity })) {
    rows.push(line);
    length += line.length;
    if (length >= BATCH_LENGTH) await flush();
  }
  await flush();
  await advanceCounters(inside, table);
}

async function requireObjects(inside: Database, store: ObjectStore, { objects }: Manifest): Promise<void> {
  for (const digest of new Set((await listReferences(inside)).map((reference) => reference.digest))) {
    if (await store.has(digest)) continue;
    const message =
      `the object ${digest} is not in the store: the backup expects it where it was, in ${objects.location}`;
    throw new SottoError("store_corrupt", message);
  }
}
