import type { SQL } from "drizzle-orm";
import type { Queries } from "./database.ts";

/** The rows of a query that no schema describes; the drivers answer such with an array, or with an object that has `rows`. */
export async function rawRows(queries: Queries, query: SQL): Promise<Record<string, unknown>[]> {
  const answer = await queries.execute(query) as unknown;
  return Array.isArray(answer) ? [...answer] : (answer as { rows: Record<string, unknown>[] }).rows;
}
