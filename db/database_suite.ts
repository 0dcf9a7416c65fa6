/** The one suite of the queries, run on every database that `openDatabase` knows. */
import assert from "node:assert/strict";
import {
  type BaseModelRow,
  changeTenant,
  chargeFineTuningSession,
  countBaseModelSessions,
  createTenant,
  type Database,
  deleteBaseModel,
  deleteEvaluationKeys,
  deleteFineTuningSession,
  deleteModel,
  deleteTenant,
  type EvaluationKeysRow,
  findCapability,
  findEvaluationKeys,
  findFineTuningSession,
  findModel,
  type FineTuningSessionRow,
  insertBaseModel,
  insertEvaluationKeys,
  insertFineTuningSession,
  insertModel,
  isObjectReferenced,
  listBaseModels,
  listEvaluationKeys,
  listModels,
  type ModelRow,
  renewEvaluationKeys,
} from "./mod.ts";

import { tenantSuite } from "./tenant_suite.ts";
import { trainingSuite } from "./training_suite.ts";

/** Cases by the sentence that they prove; each makes its own tenants. */
export const databaseSuite: Record<string, (database: Database) => Promise<void>> = {
  "the database answers": (database) => database.check(),
  "evaluation keys are found by their tenant only, once each": keyRows,
  "evaluation keys can be renewed": keyRenewal,
  "the newest keys of a capability that have not expired are found by key pair": keyCapabilities,
  "a model comes back as it was described": modelRows,
  "an object is referenced until its last row is gone": references,
  "a base model belongs to its tenant and keeps its object": baseModelRows,
  "a fine-tuning session is charged up to its quota, and keeps its base model": fineTuningSessionRows,
  "a row of an unknown tenant is refused": unknownTenant,
  "a deleted tenant takes its keys, models and sessions along": deletedTenant,
  ...tenantSuite,
  ...trainingSuite,
};

const hex = () => crypto.randomUUID().replaceAll("-", "").repeat(2);
const tenantOf = async (database: Database) => (await createTenant(database, `tenant ${crypto.randomUUID()}`)).id;

function keysRow(tenantId: string): EvaluationKeysRow {
  const createdAt = new Date("2026-01-02T03:04:05.678Z");
  const expiresAt = new Date("2027-01-02T03:04:05.678Z");
  const digests = { digest: hex(), objectDigest: hex(), keyId: hex() };
  return {
    tenantId,
    ...digests,
    capability: "pack",
    parameterSet: "ring-2048-q50",
    bytes: 2 ** 40,
    createdAt,
    expiresAt,
  };
}

function modelRow(tenantId: string): ModelRow {
  return {
    tenantId,
    id: hex(),
    name: "a model",
    source: { format: "xgboost", version: "3.0", objective: "binary:logistic" },
    options: { format: "xgboost", bins: { kind: "quantile", edges: [[0.1, 1e-300], []] } },
    description: { mode: "leaves", label_offset: 0.1 + 0.2, features: [{ name: 'é"\\' }] },
    objectDigest: hex(),
    createdAt: new Date(),
  };
}

async function keyRows(database: Database): Promise<void> {
  const [mine, theirs] = [await tenantOf(database), await tenantOf(database)];
  const row = keysRow(mine);
  assert.deepEqual(await insertEvaluationKeys(database, row), { row, created: true });
  const again = await insertEvaluationKeys(database, { ...row, createdAt: new Date() });
  assert.deepEqual(again, { row, created: false });
  assert.equal(await findEvaluationKeys(database, theirs, row.digest), undefined);
  assert.equal(await deleteEvaluationKeys(database, theirs, row.digest), undefined);
  assert.deepEqual(await listEvaluationKeys(database, theirs), []);
  assert.deepEqual(await listEvaluationKeys(database, mine), [row]);
  assert.deepEqual(await deleteEvaluationKeys(database, mine, row.digest), row);
  assert.equal(await findEvaluationKeys(database, mine, row.digest), undefined);
}

async function keyRenewal(database: Database): Promise<void> {
  const row = keysRow(await tenantOf(database));
  await insertEvaluationKeys(database, row);
  const later = new Date("2030-01-01T00:00:00Z");
  const renewed = await renewEvaluationKeys(database, row.tenantId, row.digest, later);
  assert.deepEqual(renewed, { ...row, expiresAt: later });
}

async function keyCapabilities(database: Database): Promise<void> {
  const first = { ...keysRow(await tenantOf(database)), capability: "lookup2" as const };
  const later = { ...first, digest: hex(), createdAt: new Date("2026-02-02T00:00:00Z") };
  const expired = { ...later, digest: hex(), createdAt: new Date("2026-03-02T00:00:00Z"), expiresAt: new Date(0) };
  for (const row of [later, first, expired]) await insertEvaluationKeys(database, row);
  const now = new Date("2026-06-01T00:00:00Z");
  assert.deepEqual(await findCapability(database, first, "lookup2", now), later);
  assert.equal(await findCapability(database, first, "pack", now), undefined);
  assert.equal(await findCapability(database, { ...first, keyId: hex() }, "lookup2", now), undefined);
  const stranger = { ...first, tenantId: await tenantOf(database) };
  assert.equal(await findCapability(database, stranger, "lookup2", now), undefined);
  assert.equal(await findCapability(database, first, "lookup2", new Date("2028-01-01T00:00:00Z")), undefined);
}

async function modelRows(database: Database): Promise<void> {
  const [mine, theirs] = [await tenantOf(database), await tenantOf(database)];
  const row = modelRow(mine);
  assert.deepEqual(await insertModel(database, row), { row, created: true });
  assert.deepEqual(await insertModel(database, { ...row, name: "another" }), { row, created: false });
  assert.equal(await findModel(database, theirs, row.id), undefined);
  const { id, name, createdAt, source } = row;
  assert.deepEqual(await listModels(database, mine), [{ id, name, createdAt, source }]);
  assert.equal(await deleteModel(database, theirs, row.id), undefined);
  assert.deepEqual(await deleteModel(database, mine, row.id), row);
}

async function references(database: Database): Promise<void> {
  const [a, b] = [keysRow(await tenantOf(database)), modelRow(await tenantOf(database))];
  await insertEvaluationKeys(database, a);
  await insertModel(database, { ...b, objectDigest: a.objectDigest });
  await deleteEvaluationKeys(database, a.tenantId, a.digest);
  assert.equal(await isObjectReferenced(database, a.objectDigest), true);
  await deleteModel(database, b.tenantId, b.id);
  assert.equal(await isObjectReferenced(database, a.objectDigest), false);
  const calibration = hex();
  await insertModel(database, { ...b, options: { ...b.options, calibration } });
  assert.equal(await isObjectReferenced(database, calibration), true);
}

function baseModelRow(tenantId: string): BaseModelRow {
  return {
    ...{ tenantId, id: hex(), name: "a model", path: "a.gguf", weights: "int10" },
    files: [{ name: "a.gguf", bytes: 2 ** 40, changed: "2026-01-02T03:04:05.678Z" }],
    config: { hidden: 64, rope: { theta: 1e4 } },
    groups: [{ name: "output", rows: 5 }],
    ...{ publicObject: hex(), publicBytes: 2 ** 40, createdAt: new Date() },
  };
}

async function baseModelRows(database: Database): Promise<void> {
  const [mine, theirs] = [await tenantOf(database), await tenantOf(database)];
  const row = baseModelRow(mine);
  assert.deepEqual(await insertBaseModel(database, row), { row, created: true });
  assert.deepEqual(await insertBaseModel(database, { ...row, name: "another" }), { row, created: false });
  assert.deepEqual(await listBaseModels(database, mine), [row]);
  assert.equal(await deleteBaseModel(database, theirs, row.id), undefined);
  assert.equal(await isObjectReferenced(database, row.publicObject), true);
  assert.deepEqual(await deleteBaseModel(database, mine, row.id), row);
  assert.equal(await isObjectReferenced(database, row.publicObject), false);
}

function fineTuningSessionRow({ tenantId, id: baseModelId }: BaseModelRow): FineTuningSessionRow {
  return {
    ...{ id: crypto.randomUUID(), tenantId, baseModelId, parameterSet: "tokens-1024-q32", maskSeed: null },
    ...{ masks: "fresh", tokensMax: 64, placement: [], requests: 0, bytesUsed: 0, bytesMax: 2 ** 40 },
    createdAt: new Date(),
  };
}

async function fineTuningSessionRows(database: Database): Promise<void> {
  const model = baseModelRow(await tenantOf(database));
  const { tenantId } = model;
  await insertBaseModel(database, model);
  const row = fineTuningSessionRow(model);
  await insertFineTuningSession(database, row);
  assert.equal(await chargeFineTuningSession(database, row.id, 2 ** 40 - 1), true);
  assert.equal(await chargeFineTuningSession(database, row.id, 2), false);
  const charged = { ...row, bytesUsed: 2 ** 40 - 1, requests: 1 };
  assert.deepEqual(await findFineTuningSession(database, tenantId, row.id), charged);
  assert.equal(await countBaseModelSessions(database, tenantId, model.id), 1);
  await assert.rejects(deleteBaseModel(database, tenantId, model.id));
  const stranger = await tenantOf(database);
  assert.equal(await deleteFineTuningSession(database, stranger, row.id), false);
  assert.equal(await deleteFineTuningSession(database, tenantId, row.id), true);
  await deleteBaseModel(database, tenantId, model.id);
}

async function unknownTenant(database: Database): Promise<void> {
  await assert.rejects(insertEvaluationKeys(database, keysRow(crypto.randomUUID())));
}

async function deletedTenant(database: Database): Promise<void> {
  const { id, name } = await createTenant(database, `tenant ${crypto.randomUUID()}`);
  const [keys, model, baseModel] = [keysRow(id), modelRow(id), baseModelRow(id)];
  await insertEvaluationKeys(database, keys);
  await insertModel(database, model);
  await insertBaseModel(database, baseModel);
  await insertFineTuningSession(database, fineTuningSessionRow(baseModel));
  await changeTenant(database, name, { disabledAt: new Date() });
  await deleteTenant(database, name);
  for (const digest of [keys.objectDigest, model.objectDigest, baseModel.publicObject]) {
    assert.equal(await isObjectReferenced(database, digest), false);
  }
}
