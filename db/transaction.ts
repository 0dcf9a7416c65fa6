import type { Database } from "./database.ts";

/** Runs `work` in one transaction, which an error rolls back. Inside it use the database that `work` is given, no other. */
export function inTransaction<T>(database: Database, work: (inside: Database) => Promise<T>): Promise<T> {
  return database.queries.transaction((queries) => work({ ...database, queries }));
}
