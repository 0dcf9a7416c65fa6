import { eq, or, sql } from "drizzle-orm";
import type { Database } from "./database.ts";
import { baseModels, evaluationKeys, models, trainingBatches, trainingSessions } from "./schema.ts";

/** True while any row of any tenant names the object. */
export async function isObjectReferenced(database: Database, objectDigest: string): Promise<boolean> {
  const { queries } = database;
  const keys = await queries.select({ d: evaluationKeys.digest }).from(evaluationKeys)
    .where(eq(evaluationKeys.objectDigest, objectDigest)).limit(1);
  if (keys.length > 0) return true;
  const files = await queries.select({ d: models.id }).from(models)
    .where(or(eq(models.objectDigest, objectDigest), sql`${models.options} ->> 'calibration' = ${objectDigest}`))
    .limit(1);
  if (files.length > 0) return true;
  const bases = await queries.select({ d: baseModels.id }).from(baseModels)
    .where(eq(baseModels.publicObject, objectDigest)).limit(1);
  return bases.length > 0 || await isReferencedByTraining(database, objectDigest);
}

async function isReferencedByTraining({ queries }: Database, digest: string): Promise<boolean> {
  const batches = await queries.select({ d: trainingBatches.batch }).from(trainingBatches)
    .where(eq(trainingBatches.objectDigest, digest)).limit(1);
  if (batches.length > 0) return true;
  const { trainingKeysObject, publicKeyObject, orderObject, checkpointObject } = trainingSessions;
  const columns = [trainingKeysObject, publicKeyObject, orderObject, checkpointObject];
  const sessions = await queries.select({ d: trainingSessions.id }).from(trainingSessions)
    .where(or(...columns.map((column) => eq(column, digest)))).limit(1);
  return sessions.length > 0;
}
