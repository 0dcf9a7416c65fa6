/** The embedded database (PGlite) in a folder. Imported only when it is used: its code takes memory and time. */
import { PGlite } from "@electric-sql/pglite";
import { drizzle } from "drizzle-orm/pglite";
import { migrate } from "drizzle-orm/pglite/migrator";
import { type Database, type Queries, toDatabase } from "./database.ts";
import { type FolderLock, lockFolder } from "./folder_lock.ts";
import { type MigrateMode, MIGRATIONS, mustMigrate, schemaState } from "./migrations.ts";
import * as schema from "./schema.ts";

/** The standard sizes are those of a server with a hundred clients, and resident: 140 MB that one client of small rows has no use for. */
const MEMORY = ["shared_buffers=8MB", "wal_buffers=256kB", "max_connections=5"].flatMap((setting) => ["-c", setting]);

/** Opens the folder, made when absent, under its lock. Throws `data_folder_locked` or `schema_version_wrong`. */
export async function openEmbedded(folder: string, mode: MigrateMode): Promise<Database> {
  const lock = await lockFolder(folder);
  try {
    return await start(folder, mode, lock);
  } catch (error) {
    lock.release();
    throw error;
  }
}

async function start(folder: string, mode: MigrateMode, lock: FolderLock): Promise<Database> {
  const pglite = await PGlite.create(folder, { startParams: [...PGlite.defaultStartParams, ...MEMORY] });
  try {
    const embedded = drizzle(pglite, { schema });
    const queries = embedded as unknown as Queries;
    if (mustMigrate(await schemaState(queries), mode)) await migrate(embedded, { migrationsFolder: MIGRATIONS });
    return toDatabase(queries, { kind: "embedded", pglite }, async () => {
      await pglite.close();
      lock.release();
    });
  } catch (error) {
    await pglite.close();
    throw error;
  }
}
