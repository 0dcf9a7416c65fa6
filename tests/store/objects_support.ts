/** Two servers of one database and one object folder, without HTTP. */
import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { ConnectionPool } from "../../db/connection_pool.ts";
import {
  createTenant,
  type Database,
  type EvaluationKeysRow,
  insertEvaluationKeys,
  openDatabase,
} from "../../db/mod.ts";
import { keepObject, type ObjectParts, openFileStore } from "../../store/mod.ts";
import { makeDataFolder } from "../support/data_folder.ts";
import { withPostgres } from "../support/postgres.ts";

/** More than any test stores. */
export const PLENTY = { tenantBytes: 2 ** 40 };

/** Later than everything: no object is too young to be collected. */
export const LATER = () => new Date(Date.now() + 86_400_000);

/** The parts of both servers; with the embedded database they share its one connection. */
export type Servers = readonly [ObjectParts, ObjectParts];

/** What two servers must do, by the sentence that it proves. */
export type Cases = Record<string, (servers: Servers) => Promise<void>>;

/** Runs every case on its own embedded database and on its own database of a PostgreSQL server. */
export function testOnBothDatabases(cases: Cases): void {
  for (const [sentence, work] of Object.entries(cases)) {
    Deno.test(`${sentence} (embedded database)`, () =>
      withFolder(makeDataFolder(), async (dataDir) => {
        const database = await openDatabase({ dataDir });
        await withServers(dataDir, [database, database], work);
      }));
  }
  Deno.test("the same holds on PostgreSQL with two servers", (t) =>
    withPostgres(async (url) => {
      for (const [sentence, work] of Object.entries(cases)) await t.step(sentence, () => onPostgres(url, work));
    }));
}

async function onPostgres(url: string, work: (servers: Servers) => Promise<void>): Promise<void> {
  const name = `case_${crypto.randomUUID().replaceAll("-", "")}`;
  const client = new ConnectionPool({ connectionString: url, max: 1 });
  await client.query(`create database ${name}`).finally(() => client.end());
  await withFolder(Deno.makeTempDir(), async (dataDir) => {
    const open = () => openDatabase({ dataDir, databaseUrl: url.replace(/\/[^/]*$/, `/${name}`) });
    await withServers(dataDir, [await open(), await open()], work);
  });
}

async function withFolder(made: Promise<string>, work: (dataDir: string) => Promise<void>): Promise<void> {
  const dataDir = await made;
  try {
    await work(dataDir);
  } finally {
    await Deno.remove(dataDir, { recursive: true });
  }
}

async function withServers(
  dataDir: string,
  [one, two]: [Database, Database],
  work: (servers: Servers) => Promise<void>,
) {
  const stores = [await openFileStore(join(dataDir, "objects")), await openFileStore(join(dataDir, "objects"))];
  const config = PLENTY;
  try {
    await work([{ database: one, store: stores[0], config }, { database: two, store: stores[1], config }]);
  } finally {
    for (const store of stores) await store.close();
    for (const database of [one, two]) await database.close();
  }
}

export const newTenant = async ({ database }: ObjectParts) =>
  (await createTenant(database, `tenant ${crypto.randomUUID()}`)).id;

/** A row of its own that names an object. */
export function rowNaming(tenantId: string, objectDigest: string): EvaluationKeysRow {
  const createdAt = new Date();
  const file = { digest: randomBytes(32).toString("hex"), keyId: randomBytes(32).toString("hex"), bytes: 1 };
  const kind = { capability: "pack", parameterSet: "none" } as const;
  return { tenantId, objectDigest, ...file, ...kind, createdAt, expiresAt: new Date(createdAt.getTime() + 86_400_000) };
}

/** Stores bytes under a new row. */
export async function keepRow(parts: ObjectParts, tenantId: string, bytes: Uint8Array): Promise<EvaluationKeysRow> {
  const staged = await parts.store.stage(bytes, { maxBytes: bytes.length });
  try {
    const add = () => insertEvaluationKeys(parts.database, rowNaming(tenantId, staged.digest));
    return (await keepObject(parts, { tenantId }, staged, add)).row;
  } finally {
    await staged.discard();
  }
}
