import assert from "node:assert/strict";
import { sql } from "drizzle-orm";
import { join } from "node:path";
import { readConfig } from "../../config.ts";
import {
  createTenant,
  type Database,
  deleteWorker,
  findJob,
  findJobPart,
  inTransaction,
  type JobPriority,
  type JobRow,
  listJobParts,
  openDatabase,
  saveWorker,
} from "../../db/mod.ts";
import { leaveGpus } from "../../jobs/capability.ts";
import { addJob } from "../../jobs/add_job.ts";
import { Attempt } from "../../jobs/attempt.ts";
import type { JobBasis } from "../../jobs/mod.ts";
import { requeueStranded } from "../../jobs/maintenance.ts";
import { Queue } from "../../jobs/mod.ts";
import { buryPart, claimPart, finishPart, handBack, requestStop, retryPart, takeTurns } from "../../jobs/part_state.ts";
import type { PartMessage } from "../../jobs/queue.ts";
import { openFileStore } from "../../store/mod.ts";
import { makeDataFolder } from "../support/data_folder.ts";
import { withPostgres } from "../support/postgres.ts";
import { collect } from "../support/server.ts";

const WORKER = { id: crypto.randomUUID(), memoryBytes: 1000 };

async function openBasis(location: { dataDir: string; databaseUrl?: string }, settings = {}): Promise<JobBasis> {
  const database = await openDatabase(location);
  const log = collect([]);
  const config = { ...readConfig({}), ...settings };
  const store = await openFileStore(join(location.dataDir, "objects"));
  const queue = new Queue(database, log);
  await queue.start();
  return { config, database, store, log, queue };
}

async function closeBasis({ queue, store, database }: JobBasis): Promise<void> {
  await queue.stop(1);
  await store.close();
  await database.close();
}

async function withBasis(work: (basis: JobBasis, tenantId: string) => Promise<void>, settings = {}): Promise<void> {
  const dataDir = await makeDataFolder();
  const basis = await openBasis({ dataDir }, settings);
  try {
    await work(basis, (await createTenant(basis.database, "ours")).id);
  } finally {
    await closeBasis(basis);
    await Deno.remove(dataDir, { recursive: true });
  }
}

interface Wanted {
  readonly parts?: number;
  readonly memoryBytes?: number;
  readonly priority?: JobPriority;
  readonly kind?: "import" | "prediction";
}

/** A job of parts of ten planned seconds that nobody will compute. */
async function add(basis: JobBasis, tenantId: string, wanted: Wanted = {}): Promise<JobRow> {
  const { parts = 1, memoryBytes = 0, priority = "normal", kind = "import" as const } = wanted;
  const made = {
    tenantId,
    idempotencyKey: null,
    kind,
    subject: null,
    task: {},
    priority,
    memoryBytes,
  };
  const part = { rows: 1, plannedSeconds: 10, inputObject: null, inputBytes: 0, outputBytes: 0 };
  const rows = Array.from({ length: parts }, (_, firstRow) => ({ ...part, firstRow }));
  return (await inTransaction(basis.database, (inside) => addJob(basis, inside, made, rows))).job;
}

async function messageOf({ database }: JobBasis, { id }: JobRow, number = 0): Promise<PartMessage> {
  return { jobId: id, number, message: (await findJobPart(database, id, number))!.message };
}

const stateOf = async (database: Database, { tenantId, id }: JobRow) => (await findJob(database, tenantId, id))!;

Deno.test("of two attempts at a part the later one ends it, and the result of the earlier one is not wanted", () =>
  withBasis(async (basis, tenantId) => {
    const job = await add(basis, tenantId);
    const message = await messageOf(basis, job);
    const lost = (await claimPart(basis, message, WORKER))!;
    const second = (await claimPart(basis, message, WORKER))!;
    assert.notEqual(lost.lease.lease, second.lease.lease);
    assert.equal(await finishPart(basis, lost, { end: { result: "of the lost one" } }), false);
    assert.equal((await stateOf(basis.database, job)).state, "running");
    assert.equal(await finishPart(basis, second, { end: { result: "of the second" } }), true);
    assert.equal(await finishPart(basis, second, { end: { result: "again" } }), false);
    const ended = await stateOf(basis.database, job);
    assert.deepEqual([ended.state, ended.result], ["succeeded", "of the second"]);
  }));

Deno.test("an attempt that lost its lease learns it, and writes nothing", () =>
  withBasis(async (basis, tenantId) => {
    const message = await messageOf(basis, await add(basis, tenantId));
    const attempt = new Attempt(basis, (await claimPart(basis, message, WORKER))!);
    assert.equal(await attempt.whileLeased(() => Promise.resolve("written")), "written");
    await claimPart(basis, message, WORKER);
    await attempt.report();
    assert.deepEqual([attempt.reason, attempt.signal.aborted], ["lost", true]);
    let written = false;
    await assert.rejects(attempt.whileLeased(() => Promise.resolve(void (written = true))), { code: "cancelled" });
    assert.equal(written, false);
    await attempt.close();
  }));

Deno.test("a part that was handed back has a new message, no failed attempt, and its old message is stale", () =>
  withBasis(async (basis, tenantId) => {
    const job = await add(basis, tenantId);
    const before = await messageOf(basis, job);
    await handBack(basis, (await claimPart(basis, before, WORKER))!);
    const after = await messageOf(basis, job);
    assert.notEqual(before.message, after.message);
    assert.equal(await claimPart(basis, before, WORKER), undefined);
    assert.equal((await claimPart(basis, after, WORKER))?.part.attempts, 1);
  }));

Deno.test("a part that takes turns goes on behind those that wait, without a failed attempt", () =>
  withBasis(async (basis, tenantId) => {
    const [long, short] = [await add(basis, tenantId), await add(basis, tenantId)];
    await takeTurns(basis, (await claimPart(basis, await messageOf(basis, long), WORKER))!);
    const [part] = await listJobParts(basis.database, long.id);
    const [other] = await listJobParts(basis.database, short.id);
    assert.ok(part.startTag > other.startTag);
    assert.deepEqual([part.state, part.attempts], ["queued", 0]);
    assert.ok(await claimPart(basis, await messageOf(basis, long), WORKER));
  }));

Deno.test("a part that was tried as often as it may be ends its job with the reason", () =>
  withBasis(async (basis, tenantId) => {
    const [killed, failing] = [await add(basis, tenantId, { parts: 2 }), await add(basis, tenantId)];
    const message = await messageOf(basis, killed, 1);
    await claimPart(basis, message, WORKER);
    await buryPart(basis, message);
    const lost = await stateOf(basis.database, killed);
    assert.deepEqual([lost.state, lost.error?.code], ["failed", "worker_lost"]);
    assert.ok((await listJobParts(basis.database, killed.id)).every(({ state }) => state === "cancelled"));
    const other = await messageOf(basis, failing);
    await retryPart(basis, (await claimPart(basis, other, WORKER))!, { code: "out_of_memory", detail: "full" });
    await buryPart(basis, other);
    assert.deepEqual((await stateOf(basis.database, failing)).error, { code: "out_of_memory", detail: "full" });
  }));

Deno.test("a worker without the memory of a job leaves it to others", () =>
  withBasis(async (basis, tenantId) => {
    const job = await add(basis, tenantId, { memoryBytes: 2000 });
    assert.equal(await claimPart(basis, await messageOf(basis, job), WORKER), undefined);
    assert.equal((await stateOf(basis.database, job)).state, "queued");
    const large = { ...WORKER, memoryBytes: 2000 };
    assert.ok(await claimPart(basis, await messageOf(basis, job), large));
  }));

Deno.test("a part whose message is gone gets another one", () =>
  withBasis(async (basis, tenantId) => {
    const job = await add(basis, tenantId);
    const before = await messageOf(basis, job);
    const soon = () => new Date(Date.now() + 1000);
    await requeueStranded(basis, soon());
    assert.deepEqual(await messageOf(basis, job), before);
    await basis.database.queries.execute(sql`delete from pgboss.job`);
    await requeueStranded(basis, soon());
    const after = await messageOf(basis, job);
    assert.notEqual(after.message, before.message);
    await requeueStranded(basis, soon());
    assert.deepEqual(await messageOf(basis, job), after);
  }));

Deno.test("a job that is to stop ends at once while it waits, and with its last part while it computes", () =>
  withBasis(async (basis, tenantId) => {
    const [waiting, computing] = [await add(basis, tenantId), await add(basis, tenantId, { parts: 2 })];
    const claim = (await claimPart(basis, await messageOf(basis, computing), WORKER))!;
    for (const job of [waiting, computing]) await requestStop(basis, job.id, "its owner cancelled it");
    assert.equal((await stateOf(basis.database, waiting)).state, "cancelled");
    assert.equal((await stateOf(basis.database, computing)).state, "running");
    assert.equal(await claimPart(basis, await messageOf(basis, computing, 1), WORKER), undefined);
    await finishPart(basis, claim, {});
    const ended = await stateOf(basis.database, computing);
    assert.deepEqual([ended.state, ended.error?.detail], [
      "cancelled",
      "the job was cancelled: its owner cancelled it",
    ]);
  }));

Deno.test("a tenant that came later is served before the rest of one that sent much, a high priority sooner", () =>
  withBasis(async (basis, tenantId) => {
    const large = await add(basis, tenantId, { parts: 10 });
    for (const number of [0, 1, 2]) await claimPart(basis, await messageOf(basis, large, number), WORKER);
    const theirs = (await createTenant(basis.database, "theirs")).id;
    const small = await add(basis, theirs, { parts: 2 });
    const high = await add(basis, (await createTenant(basis.database, "high")).id, { parts: 2, priority: "high" });
    const tags = async (job: JobRow) => (await listJobParts(basis.database, job.id)).map(({ startTag }) => startTag);
    assert.deepEqual(await tags(large), [0, 10, 20, 30, 40, 50, 60, 70, 80, 90]);
    assert.deepEqual(await tags(small), [20, 30]);
    assert.deepEqual(await tags(high), [20, 22.5]);
  }));

Deno.test("jobs go to workers with GPUs while there are any, and leave them when none is left", () =>
  withBasis(async (basis, tenantId) => {
    const { database } = basis;
    const worker = { name: "gpu", capabilities: ["cpu", "cuda"], backend: "cuda", threads: 1, memoryBytes: 1 };
    const [id, now] = [crypto.randomUUID(), new Date()];
    await saveWorker(database, { ...worker, id, startedAt: now, seenAt: now });
    const job = await add(basis, tenantId, { kind: "prediction", parts: 2 });
    assert.equal(job.capability, "cuda");
    assert.equal((await add(basis, tenantId)).capability, "cpu");
    const before = await messageOf(basis, job, 1);
    await leaveGpus(basis);
    assert.equal((await stateOf(database, job)).capability, "cuda");
    await deleteWorker(database, id);
    await leaveGpus(basis);
    assert.equal((await stateOf(database, job)).capability, "cpu");
    assert.equal(await claimPart(basis, before, WORKER), undefined);
    assert.ok(await claimPart(basis, await messageOf(basis, job, 1), WORKER));
  }));

Deno.test("the clock of a queue starts again when nothing waits or runs", () =>
  withBasis(async (basis, tenantId) => {
    const first = await add(basis, tenantId, { parts: 2 });
    for (const number of [0, 1]) {
      await finishPart(basis, (await claimPart(basis, await messageOf(basis, first, number), WORKER))!, {});
    }
    const [part] = await listJobParts(basis.database, (await add(basis, tenantId)).id);
    assert.equal(part.startTag, 0);
  }));

Deno.test("jobs of a tenant are bounded over all servers, however many ask at the same time", () =>
  withPostgres(async (databaseUrl) => {
    const dataDir = await Deno.makeTempDir();
    const open = () => openBasis({ dataDir, databaseUrl }, { jobsPerTenant: 3 });
    const servers = [await open(), await open()];
    const { id } = await createTenant(servers[0].database, "ours");
    const asked = Array.from({ length: 12 }, (_, i) => add(servers[i % 2], id));
    const results = await Promise.allSettled(asked);
    assert.equal(results.filter(({ status }) => status === "fulfilled").length, 3);
    for (const result of results) {
      if (result.status === "rejected") assert.equal(result.reason.code, "quota_exceeded");
    }
    for (const server of servers) await closeBasis(server);
    await Deno.remove(dataDir, { recursive: true });
  }));
