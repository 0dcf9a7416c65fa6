/** Cases of the suite about training sessions. */
import assert from "node:assert/strict";
import {
  changeTrainingSession,
  countTrainingBatches,
  countTrainingSessions,
  createTenant,
  createToken,
  type Database,
  deleteTrainingOwner,
  deleteTrainingSession,
  findTrainingSession,
  insertTrainingOwner,
  insertTrainingSession,
  isObjectReferenced,
  listBatchParts,
  listLiveRuns,
  listStrayRuns,
  listTrainingOwners,
  putTrainingBatch,
  resetOrderConfirmations,
  revokeOwnerTokens,
  setOrderConfirmation,
  TRAINING_STATES,
  trainingObjects,
  type TrainingOwnerRow,
  type TrainingSessionRow,
  verifyToken,
} from "./mod.ts";

export const trainingSuite: Record<string, (database: Database) => Promise<void>> = {
  "a training session is its tenant's and changes in the states that are named only": sessionRows,
  "sessions that run without a job are found": strayRuns,
  "parts of batches are one an owner and batch, in the order of the owners": batchRows,
  "a deleted session or owner takes tokens and batches with it": deletions,
  "owners confirm a row order until it is reset": confirmations,
};

const hex = () => crypto.randomUUID().replaceAll("-", "").repeat(2);
const tenantOf = async (database: Database) => (await createTenant(database, `tenant ${crypto.randomUUID()}`)).id;

async function makeSession(database: Database): Promise<TrainingSessionRow> {
  const now = new Date("2026-01-02T03:04:05.678Z");
  const objects = { trainingKeysObject: hex(), publicKeyObject: hex(), orderObject: null, checkpointObject: hex() };
  const row: TrainingSessionRow = {
    id: crypto.randomUUID(),
    tenantId: await tenantOf(database),
    name: "made",
    spec: { kind: "logistic", steps: 10 },
    plan: {},
    batchCount: 3,
    checkpointEvery: 10,
    state: "preparing",
    failure: null,
    stopAt: 0,
    keyId: hex(),
    orderDigest: null,
    step: 0,
    stepMs: 1.5,
    createdAt: now,
    changedAt: now,
    ...objects,
  };
  await insertTrainingSession(database, row);
  return row;
}

/** Owners of one session are added at different times: their order is the order of these. */
let ownersAdded = 0;

async function addOwner(database: Database, sessionId: string, name: string): Promise<TrainingOwnerRow> {
  const shape = { kind: "columns", columns: [0, 2], firstBatch: 0, batchCount: 3, orderDigest: null } as const;
  const row = {
    id: crypto.randomUUID(),
    sessionId,
    name,
    ...shape,
    columns: [0, 2],
    createdAt: new Date(Date.now() + ownersAdded++),
  };
  assert.equal(await insertTrainingOwner(database, row), true);
  return row;
}

async function addPart(database: Database, { sessionId, id }: TrainingOwnerRow, batch: number): Promise<string> {
  const objectDigest = hex();
  const createdAt = new Date();
  await putTrainingBatch(database, { sessionId, ownerId: id, batch, digest: hex(), objectDigest, bytes: 7, createdAt });
  return objectDigest;
}

async function sessionRows(database: Database): Promise<void> {
  const session = await makeSession(database);
  assert.deepEqual(await findTrainingSession(database, session.tenantId, session.id), session);
  assert.equal(await findTrainingSession(database, await tenantOf(database), session.id), undefined);
  assert.equal(await countTrainingSessions(database, session.tenantId), 1);
  assert.equal(await changeTrainingSession(database, session.id, ["paused", "running"], { step: 1 }), undefined);
  const changed = await changeTrainingSession(database, session.id, ["preparing"], { state: "running", step: 1 });
  assert.deepEqual([changed?.state, changed?.step], ["running", 1]);
  assert.ok(changed!.changedAt > session.changedAt);
}

async function strayRuns(database: Database): Promise<void> {
  const [ran, rested] = [await makeSession(database), await makeSession(database)];
  await changeTrainingSession(database, ran.id, ["preparing"], { state: "running" });
  const found = (await listStrayRuns(database)).map(({ id }) => id);
  assert.ok(found.includes(ran.id) && !found.includes(rested.id));
  assert.deepEqual(await listLiveRuns(database, [ran.id, rested.id]), []);
  for (const { id } of [ran, rested]) await changeTrainingSession(database, id, ["running"], { state: "paused" });
  for (const { id } of [ran, rested]) await deleteTrainingSession(database, id, TRAINING_STATES);
}

async function batchRows(database: Database): Promise<void> {
  const session = await makeSession(database);
  const [first, second] = [await addOwner(database, session.id, "a"), await addOwner(database, session.id, "b")];
  assert.equal(await insertTrainingOwner(database, { ...first, id: crypto.randomUUID() }), false);
  assert.deepEqual((await listTrainingOwners(database, session.id)).map(({ columns }) => columns), [[0, 2], [0, 2]]);
  const late = await addPart(database, second, 1);
  const replaced = await addPart(database, first, 1);
  const early = await addPart(database, first, 1);
  assert.deepEqual((await listBatchParts(database, session.id, 1)).map((part) => part.objectDigest), [early, late]);
  assert.deepEqual(await listBatchParts(database, session.id, 2), []);
  assert.deepEqual(await countTrainingBatches(database, session.id), new Map([[first.id, 1], [second.id, 1]]));
  assert.deepEqual(await Promise.all([early, replaced].map((o) => isObjectReferenced(database, o))), [true, false]);
}

async function deletions(database: Database): Promise<void> {
  const session = await makeSession(database);
  const [first, second] = [await addOwner(database, session.id, "a"), await addOwner(database, session.id, "b")];
  const request = { tenant: session.tenantId, scopes: ["train"] as const, days: 1 };
  const { token } = await createToken(database, { ...request, trainingOwnerId: first.id });
  assert.equal((await verifyToken(database, token)).trainingOwnerId, first.id);
  const revoked = await createToken(database, { ...request, trainingOwnerId: second.id });
  await revokeOwnerTokens(database, second.id);
  await assert.rejects(verifyToken(database, revoked.token), { code: "token_invalid" });
  const part = await addPart(database, first, 0);
  assert.deepEqual(await deleteTrainingOwner(database, first.id), [part]);
  await assert.rejects(verifyToken(database, token), { code: "token_invalid" });
  const kept = await addPart(database, second, 0);
  const objects = [session.trainingKeysObject, session.publicKeyObject, session.checkpointObject, kept];
  assert.deepEqual((await trainingObjects(database, session)).sort(), [...objects].sort());
  assert.deepEqual(await Promise.all(objects.map((o) => isObjectReferenced(database, o!))), [true, true, true, true]);
  assert.equal(await deleteTrainingSession(database, session.id, ["finished"]), false);
  assert.equal(await deleteTrainingSession(database, session.id, ["preparing"]), true);
  assert.deepEqual(await Promise.all(objects.map((o) => isObjectReferenced(database, o!))), [
    false,
    false,
    false,
    false,
  ]);
}

async function confirmations(database: Database): Promise<void> {
  const session = await makeSession(database);
  const owner = await addOwner(database, session.id, "a");
  const digest = hex();
  await setOrderConfirmation(database, owner.id, digest);
  assert.equal((await listTrainingOwners(database, session.id))[0].orderDigest, digest);
  await resetOrderConfirmations(database, session.id);
  assert.equal((await listTrainingOwners(database, session.id))[0].orderDigest, null);
}
