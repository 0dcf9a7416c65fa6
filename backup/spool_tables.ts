import { createHash } from "node:crypto";
import { join } from "node:path";
import { type Database, inSnapshot, listReferences, readTable, TABLES } from "../db/mod.ts";
import type { Manifest } from "./manifest.ts";

/** One state of the database, as files in a folder. */
export interface Snapshot {
  readonly tables: Manifest["tables"];
  /** Digests of the objects that its rows name. */
  readonly objects: readonly string[];
}

/** Name of a table's file, in the folder and in the backup. */
export function tableFile(name: string): string {
  return `${name}.jsonl`;
}

/** Writes every table of one state of the database into the folder. */
export function spoolTables(database: Database, folder: string): Promise<Snapshot> {
  return inSnapshot(database, async (inside) => {
    const tables: Manifest["tables"] = [];
    for (const name of TABLES) tables.push(await spoolTable(inside, folder, name));
    const references = await listReferences(inside);
    return { tables, objects: [...new Set(references.map(({ digest }) => digest))].sort() };
  });
}

async function spoolTable(inside: Database, folder: string, name: string): Promise<Manifest["tables"][number]> {
  using file = await Deno.open(join(folder, tableFile(name)), { createNew: true, write: true, mode: 0o600 });
  const writer = file.writable.getWriter();
  const [hash, encoder] = [createHash("sha256"), new TextEncoder()];
  let [rows, bytes] = [0, 0];
  for await (const batch of readTable(inside, name)) {
    const chunk = encoder.encode(batch.join("\n") + "\n");
    hash.update(chunk);
    await writer.write(chunk);
    rows += batch.length;
    bytes += chunk.byteLength;
  }
  await writer.close();
  return { name, rows, bytes, sha256: hash.digest("hex") };
}
