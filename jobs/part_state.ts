/** The life of a part: queued, claimed with a new lease, ended by the holder of the lease and nobody else. */
import {
  cancelJobParts,
  cancelLostParts,
  changeJob,
  changeJobPart,
  changeLeasedPart,
  countPartStates,
  type Database,
  findJobPart,
  type JobPartRow,
  type JobRow,
  lockJob,
  lockPlaces,
  type PartLease,
  type StoredError,
} from "../db/mod.ts";
import { SottoError } from "../errors.ts";
import type { HeldObject } from "../store/mod.ts";
import { noteTaken, priorityOf, takePlaces } from "./fair_order.ts";
import type { JobBasis } from "./job_basis.ts";
import { cancelledBy, changing, endJob, isFinished, type JobEnd } from "./job_state.ts";
import type { PartMessage } from "./queue.ts";
import { queueName } from "./queue_names.ts";

/** Seconds after which a worker that lacks the memory lets others see the part again. */
const TOO_LARGE_SECONDS = 5;

/** A worker that has not said for so long how far its part is does not live: it says so twice a second. */
export const LOST_MS = 20_000;

/** Who computes. */
export interface Claimer {
  readonly id: string;
  readonly memoryBytes: number;
}

/** A part that this process computes now. */
export interface Claim {
  readonly job: JobRow;
  readonly part: JobPartRow;
  readonly lease: PartLease;
}

/** Takes a part under a new lease; nothing when the message is stale, or there is nothing to compute. */
export function claimPart(basis: JobBasis, message: PartMessage, worker: Claimer): Promise<Claim | undefined> {
  return changing(basis, async (inside, release) => {
    const job = await lockJob(inside, message.jobId);
    const part = await findJobPart(inside, message.jobId, message.number);
    if (job === undefined || part === undefined || isFinished(job) || part.message !== message.message) return;
    if (part.state !== "queued" && part.state !== "running") return;
    if (job.stopRequestedAt !== null) {
      await changeJobPart(inside, part, { state: "cancelled", lease: null });
      return void await endWhenStill(basis, inside, job, {}, release);
    }
    if (job.memoryBytes > worker.memoryBytes) return void await sendAgain(basis, inside, job, part, TOO_LARGE_SECONDS);
    if (part.state === "running" && job.kind === "training" && !basis.config.resumeTraining) {
      return void await endJob(basis, inside, job, INTERRUPTED, release);
    }
    return await take(inside, job, part, worker);
  });
}

async function take(inside: Database, job: JobRow, part: JobPartRow, worker: Claimer): Promise<Claim> {
  const lease = { jobId: job.id, number: part.number, lease: crypto.randomUUID() };
  const change = {
    state: "running",
    lease: lease.lease,
    workerId: worker.id,
    attempts: part.attempts + 1,
    startedAt: new Date(),
  } as const;
  await changeJobPart(inside, part, change);
  const startedAt = job.startedAt ?? new Date();
  await changeJob(inside, job.id, { state: "running", startedAt });
  await noteTaken(inside, job, part.startTag);
  return { job: { ...job, state: "running", startedAt }, part: { ...part, ...change }, lease };
}

/** The end of a training run whose process ended, when its owner is to resume it. */
const INTERRUPTED: JobEnd = {
  state: "cancelled",
  error: cancelledBy("its worker ended, resume the session"),
  session: "interrupted",
};

/** What a part has made. */
export interface PartResult {
  readonly outputObject?: string;
  /** Keeps the output until the part names it. */
  readonly held?: HeldObject;
  readonly serverMs?: number;
  /** For the end of the job, when this is its last part. */
  readonly end?: Pick<JobEnd, "result" | "session">;
}

/** Keeps the result of a part, and ends the job with its last one. False when the lease is lost: the result is not wanted. */
export function finishPart(basis: JobBasis, { job: { id }, lease }: Claim, result: PartResult): Promise<boolean> {
  return changing(basis, async (inside, release) => {
    const job = await lockJob(inside, id);
    const part = await findJobPart(inside, id, lease.number);
    if (job === undefined || part === undefined) return false;
    const { outputObject = null, serverMs = null, end = {} } = result;
    const change = { state: "done", progress: 1, outputObject, serverMs, inputObject: null, lease: null } as const;
    if (!await changeLeasedPart(inside, lease, change)) return false;
    if (part.inputObject !== null) release([part.inputObject]);
    await endWhenStill(basis, inside, job, end, release);
    return true;
  });
}

/** Gives up a part because its job is to stop. */
export function stopPart(basis: JobBasis, { job: { id }, lease }: Claim): Promise<void> {
  return changing(basis, async (inside, release) => {
    const job = await lockJob(inside, id);
    if (job === undefined || !await changeLeasedPart(inside, lease, { state: "cancelled", lease: null })) return;
    await endWhenStill(basis, inside, job, {}, release);
  });
}

/** Ends the job when none of its parts waits or computes. */
async function endWhenStill(
  basis: JobBasis,
  inside: Database,
  job: JobRow,
  end: Pick<JobEnd, "result" | "session">,
  release: (objects: readonly string[]) => void,
): Promise<void> {
  const { queued, running, cancelled } = await countPartStates(inside, job.id);
  if (queued + running > 0) return;
  const error = cancelledBy(job.stopReason ?? "it was to stop");
  const ending: JobEnd = cancelled > 0 ? { state: "cancelled", error } : { state: "succeeded", ...end };
  await endJob(basis, inside, job, ending, release);
}

/** Ends the job with the error of one of its parts. */
export function failPart(basis: JobBasis, { job: { id }, lease }: Claim, error: StoredError): Promise<void> {
  return changing(basis, async (inside, release) => {
    const job = await lockJob(inside, id);
    if (job === undefined || !await changeLeasedPart(inside, lease, { state: "cancelled", error, lease: null })) return;
    await endJob(basis, inside, job, { state: "failed", error }, release);
  });
}

/** Notes why an attempt failed; the queue brings the part again. */
export async function retryPart({ database }: JobBasis, { lease }: Claim, error: StoredError): Promise<void> {
  await changeLeasedPart(database, lease, { state: "queued", lease: null, progress: 0, error });
}

/** Gives a part back to the queue as if it had not been taken: its worker stops. */
export function handBack(basis: JobBasis, { job: { id }, part, lease }: Claim): Promise<void> {
  return changing(basis, async (inside, release) => {
    const job = await lockJob(inside, id);
    const change = { state: "queued", lease: null, attempts: part.attempts - 1 } as const;
    if (job === undefined || isFinished(job) || !await changeLeasedPart(inside, lease, change)) return;
    await requeue(basis, inside, job, part, release);
  });
}

/** Gives a part back that goes on after the parts of others that wait: it gets a new place in the fair order. */
export function takeTurns(basis: JobBasis, { job: { id }, part, lease }: Claim): Promise<void> {
  return changing(basis, async (inside) => {
    await lockPlaces(inside);
    const job = await lockJob(inside, id);
    if (job === undefined || isFinished(job)) return;
    const [startTag] = await takePlaces(inside, job, [part.plannedSeconds]);
    const change = { state: "queued", lease: null, attempts: part.attempts - 1, startTag } as const;
    if (await changeLeasedPart(inside, lease, change)) await sendAgain(basis, inside, job, { ...part, startTag });
  });
}

/** Queues a part again, or interrupts a training run that its owner is to resume. */
export async function requeue(
  basis: JobBasis,
  inside: Database,
  job: JobRow,
  part: JobPartRow,
  release: (objects: readonly string[]) => void,
): Promise<void> {
  if (job.kind !== "training" || basis.config.resumeTraining) return await sendAgain(basis, inside, job, part);
  await endJob(basis, inside, job, INTERRUPTED, release);
}

/** A new message for a part; the one before is stale. */
export async function sendAgain(
  basis: JobBasis,
  inside: Database,
  job: JobRow,
  part: JobPartRow,
  delaySeconds?: number,
) {
  const message = crypto.randomUUID();
  await changeJobPart(inside, part, { state: "queued", lease: null, message });
  const place = { jobId: job.id, number: part.number, message, priority: priorityOf(part.startTag) };
  await basis.queue.send(inside, queueName(job), [{ ...place, ...(delaySeconds ? { delaySeconds } : {}) }]);
}

/** Asks a job to stop: what waits is cancelled at once, what computes when its worker notices. */
export function requestStop(basis: JobBasis, id: string, reason: string): Promise<void> {
  return changing(basis, async (inside, release) => {
    const job = await lockJob(inside, id);
    if (job === undefined || isFinished(job)) return;
    const stopReason = job.stopReason ?? reason;
    await changeJob(inside, id, { stopRequestedAt: job.stopRequestedAt ?? new Date(), stopReason });
    await cancelJobParts(inside, id, ["queued"]);
    await cancelLostParts(inside, id, new Date(Date.now() - LOST_MS));
    await endWhenStill(basis, inside, { ...job, stopReason }, {}, release);
  });
}

/** Ends a job whose part was tried as often as it may be. */
export function buryPart(basis: JobBasis, message: PartMessage): Promise<void> {
  return changing(basis, async (inside, release) => {
    const job = await lockJob(inside, message.jobId);
    const part = await findJobPart(inside, message.jobId, message.number);
    if (job === undefined || part === undefined || isFinished(job) || part.message !== message.message) return;
    const lost = new SottoError(
      "worker_lost",
      `the worker that computed it ended, ${part.attempts} times: give its operator the id of the job`,
    );
    const error = part.error ?? { code: lost.code, detail: lost.message };
    basis.log.error("job failed", { job: job.id, part: part.number, attempts: part.attempts, ...error });
    await endJob(basis, inside, job, { state: "failed", error }, release);
  });
}
