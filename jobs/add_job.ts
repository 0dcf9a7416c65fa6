/** Adding a job: record, parts and messages appear together, or not at all. */
import { isDeepStrictEqual } from "node:util";
import {
  countJobBytes,
  countUnfinishedJobs,
  type Database,
  findJobByKey,
  insertJob,
  insertJobParts,
  type JobPartRow,
  type JobRow,
  lockPlaces,
} from "../db/mod.ts";
import { SottoError } from "../errors.ts";
import { currentTraceparent } from "../observation/mod.ts";
import { chooseCapability } from "./capability.ts";
import { priorityOf, takePlaces } from "./fair_order.ts";
import type { JobBasis } from "./job_basis.ts";
import { queueName, type WorkerCapability } from "./queue_names.ts";

/** What a job is made of. */
export type NewJob = Pick<
  JobRow,
  "tenantId" | "idempotencyKey" | "kind" | "subject" | "task" | "priority" | "memoryBytes"
>;
export type NewPart = Pick<
  JobPartRow,
  "firstRow" | "rows" | "plannedSeconds" | "inputObject" | "inputBytes" | "outputBytes"
>;

/**
 * Throws `quota_exceeded` when the tenant has as many unfinished jobs as it may, `busy` when all tenants together have, or when the bytes of jobs would
 * take more than they may. Training runs do not count: sessions are counted.
 */
export async function requireRoom(
  { config }: Pick<JobBasis, "config">,
  database: Database,
  tenantId: string,
  bytes: number,
): Promise<void> {
  const { queuedJobs, jobsPerTenant, jobSpoolBytes } = config;
  const mine = await countUnfinishedJobs(database, tenantId);
  if (mine >= jobsPerTenant) {
    throw new SottoError("quota_exceeded", `you have ${mine} unfinished jobs, as many as you may: wait for one`);
  }
  if (await countUnfinishedJobs(database) >= queuedJobs) {
    throw new SottoError("busy", "the server has as many jobs as it takes: send the request again later");
  }
  if (await countJobBytes(database) + bytes > jobSpoolBytes) {
    const message = "the disk that jobs may use is full: delete finished jobs, or send the request again later";
    throw new SottoError("busy", message);
  }
}

/**
 * Adds a job in the transaction of `inside`, unless a request with the same key has made it before: then the old one comes back and `created` is false.
 * Throws what `requireRoom` throws, and `idempotency_key_reused`.
 */
export async function addJob(
  basis: JobBasis,
  inside: Database,
  made: NewJob,
  parts: readonly NewPart[],
): Promise<{ job: JobRow; created: boolean }> {
  await lockPlaces(inside);
  const known = await findKnown(inside, made);
  if (known !== undefined) return { job: known, created: false };
  const bytes = parts.reduce((sum, { inputBytes, outputBytes }) => sum + inputBytes + outputBytes, 0);
  if (made.kind !== "training") await requireRoom(basis, inside, made.tenantId, bytes);
  const job = newRow(made, parts, await chooseCapability(inside, made.kind));
  const tags = await takePlaces(inside, job, parts.map(({ plannedSeconds }) => plannedSeconds));
  const rows = parts.map((part, number) => newPart(job, part, number, tags[number]));
  await insertJob(inside, job);
  await insertJobParts(inside, rows);
  const messages = rows.map(({ jobId, number, message, startTag }) => ({
    jobId,
    number,
    message,
    priority: priorityOf(startTag),
  }));
  await basis.queue.send(inside, queueName(job), messages);
  return { job, created: true };
}

async function findKnown(
  inside: Database,
  { tenantId, idempotencyKey, kind, task }: NewJob,
): Promise<JobRow | undefined> {
  if (idempotencyKey === null) return undefined;
  const job = await findJobByKey(inside, tenantId, idempotencyKey);
  if (job === undefined || job.kind === kind && isDeepStrictEqual(job.task, JSON.parse(JSON.stringify(task)))) {
    return job;
  }
  const message = "this idempotency key was used for another job: use another key";
  throw new SottoError("idempotency_key_reused", message);
}

function newRow(made: NewJob, parts: readonly NewPart[], capability: WorkerCapability): JobRow {
  return {
    ...made,
    id: crypto.randomUUID(),
    capability,
    state: "queued",
    rows: parts.reduce((sum, { rows }) => sum + rows, 0),
    plannedSeconds: parts.reduce((sum, { plannedSeconds }) => sum + plannedSeconds, 0),
    traceparent: currentTraceparent() ?? null,
    stopRequestedAt: null,
    stopReason: null,
    error: null,
    result: null,
    serverMs: null,
    createdAt: new Date(),
    startedAt: null,
    finishedAt: null,
    expiresAt: null,
  };
}

function newPart({ id: jobId }: JobRow, part: NewPart, number: number, startTag: number): JobPartRow {
  return {
    ...part,
    jobId,
    number,
    startTag,
    outputObject: null,
    state: "queued",
    message: crypto.randomUUID(),
    lease: null,
    workerId: null,
    attempts: 0,
    startedAt: null,
    progress: 0,
    live: null,
    error: null,
    serverMs: null,
    changedAt: new Date(),
  };
}
