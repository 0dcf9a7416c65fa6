import { eq, or, sql } from "drizzle-orm";
import type { Database } from "./database.ts";
import { evaluationKeys, models } from "./schema.ts";

/** True while any row of any tenant names the object. */
export async function isObjectReferenced(database: Database, objectDigest: string): Promise<boolean> {
  const { queries } = database;
  const keys = await queries.select({ d: evaluationKeys.digest }).from(evaluationKeys)
    .where(eq(evaluationKeys.objectDigest, objectDigest)).limit(1);
  if (keys.length > 0) return true;
  const files = await queries.select({ d: models.id }).from(models)
    .where(or(eq(models.objectDigest, objectDigest), sql`${models.options} ->> 'calibration' = ${objectDigest}`))
    .limit(1);
  return files.length > 0;
}
