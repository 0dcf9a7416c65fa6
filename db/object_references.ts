import { eq, type SQL, sql } from "drizzle-orm";
import type { PgColumn, PgTable } from "drizzle-orm/pg-core";
import type { Database } from "./database.ts";
import {
  baseModels,
  evaluationKeys,
  jobParts,
  jobs,
  models,
  objectHolds,
  storedObjects,
  trainingBatches,
  trainingSessions,
} from "./schema.ts";

/** A row names an object. */
export interface ObjectReference {
  readonly tenantId: string;
  readonly digest: string;
}

const own = (table: PgTable & { tenantId: PgColumn }, digest: PgColumn) => named(table.tenantId, digest, sql`${table}`);

function named(tenant: PgColumn, digest: PgColumn | SQL, from: SQL): SQL {
  return sql`select ${tenant} as tenant_id, ${digest} as digest from ${from} where ${digest} is not null`;
}

const withJob = sql`${jobParts} join ${jobs} on ${eq(jobs.id, jobParts.jobId)}`;
const withSession = sql`${trainingBatches} join ${trainingSessions} on ${
  eq(trainingSessions.id, trainingBatches.sessionId)
}`;

/** Every column that names an object, with the tenant of its row. A new one belongs here: a test looks for it in the schema. */
const COLUMNS: SQL[] = [
  own(evaluationKeys, evaluationKeys.objectDigest),
  own(models, models.objectDigest),
  named(models.tenantId, sql`${models.options} ->> 'calibration'`, sql`${models}`),
  own(baseModels, baseModels.publicObject),
  own(trainingSessions, trainingSessions.trainingKeysObject),
  own(trainingSessions, trainingSessions.publicKeyObject),
  own(trainingSessions, trainingSessions.orderObject),
  own(trainingSessions, trainingSessions.checkpointObject),
  named(trainingSessions.tenantId, trainingBatches.objectDigest, withSession),
  named(jobs.tenantId, jobParts.inputObject, withJob),
  named(jobs.tenantId, jobParts.outputObject, withJob),
];

/** All references of all tenants, as a table of `tenant_id` and `digest`; conditions on them reach the indexes of each table. */
export const REFERENCES = sql`(${sql.join(COLUMNS, sql` union all `)})`;

/** The holds that still count. */
const HOLDS = sql`(select ${objectHolds.tenantId} as tenant_id, ${objectHolds.digest} as digest from ${objectHolds}
  where ${objectHolds.expiresAt} > now())`;

/** True while a row names the object: of one tenant, or of any. */
export function isObjectReferenced(database: Database, digest: string, tenantId?: string): Promise<boolean> {
  return isIn(database, REFERENCES, digest, tenantId);
}

/**
 * True while a row names the object, or is about to: of one tenant, or of any. Holds are read first, for a hold ends after its row was
 * added: who finds no hold finds the row.
 */
export async function isObjectNeeded(database: Database, digest: string, tenantId?: string): Promise<boolean> {
  return await isIn(database, HOLDS, digest, tenantId) || await isIn(database, REFERENCES, digest, tenantId);
}

async function isIn({ queries }: Database, table: SQL, digest: string, tenantId?: string): Promise<boolean> {
  const ours = tenantId === undefined ? sql`true` : sql`r.tenant_id = ${tenantId}`;
  const found = sql<boolean>`exists (select 1 from ${table} r where r.digest = ${digest} and ${ours})`;
  const [row] = await queries.select({ found }).from(sql`(select 1) one`);
  return row.found;
}

/** Which of these objects no row names and nobody holds. */
export async function findUnneeded({ queries }: Database, digests: readonly string[]): Promise<string[]> {
  const given = sql`unnest(string_to_array(${digests.join(",")}, ',')) as g (digest)`;
  const rows = await queries.select({ digest: sql<string>`g.digest` }).from(given).where(sql`
    not exists (select 1 from ${HOLDS} h where h.digest = g.digest)
    and not exists (select 1 from ${REFERENCES} r where r.digest = g.digest)`);
  return rows.map(({ digest }) => digest);
}

/** Every object that rows name, once a tenant. */
export function listReferences({ queries }: Database): Promise<ObjectReference[]> {
  const columns = { tenantId: sql<string>`r.tenant_id`, digest: sql<string>`r.digest` };
  return queries.selectDistinct(columns).from(sql`${REFERENCES} r`);
}

/** Objects that are counted for a tenant that neither names nor holds them. */
export async function listCountedInVain({ queries }: Database): Promise<string[]> {
  const same = sql`r.tenant_id = ${storedObjects.tenantId} and r.digest = ${storedObjects.digest}`;
  const rows = await queries.selectDistinct({ digest: storedObjects.digest }).from(storedObjects).where(sql`
    not exists (select 1 from ${HOLDS} r where ${same}) and not exists (select 1 from ${REFERENCES} r where ${same})`);
  return rows.map(({ digest }) => digest);
}

/** Objects that rows name but nobody counts: those of before objects were counted. */
export async function listUncounted({ queries }: Database): Promise<ObjectReference[]> {
  const columns = { tenantId: sql<string>`r.tenant_id`, digest: sql<string>`r.digest` };
  return await queries.selectDistinct(columns).from(sql`${REFERENCES} r`).where(sql`not exists (
    select 1 from ${storedObjects} s where s.tenant_id = r.tenant_id and s.digest = r.digest)`);
}
