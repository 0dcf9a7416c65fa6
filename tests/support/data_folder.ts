/** Data folders for tests. Making an embedded database takes seconds, copying a made one does not. */
import { cp } from "node:fs/promises";
import { join } from "node:path";
import { openDatabase } from "../../db/mod.ts";
import { installQueue } from "../../jobs/mod.ts";

let made: Promise<string> | undefined;

/** A new data folder that holds an empty, migrated embedded database; the caller removes it. */
export async function makeDataFolder(): Promise<string> {
  const dataDir = await Deno.makeTempDir();
  made ??= makeOriginal();
  await cp(join(await made, "pglite"), join(dataDir, "pglite"), { recursive: true });
  return dataDir;
}

async function makeOriginal(): Promise<string> {
  const dataDir = await Deno.makeTempDir();
  globalThis.addEventListener("unload", () => Deno.removeSync(dataDir, { recursive: true }));
  const database = await openDatabase({ dataDir });
  await installQueue(database);
  await database.close();
  return dataDir;
}
