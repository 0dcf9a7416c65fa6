import type { FileStream } from "../../circuits/wire.ts";
import type { Config } from "../../config.ts";
import { SottoError } from "../../errors.ts";
import { asSottoError, details } from "../problem.ts";
import type { Log } from "../services.ts";
import { isFinished, type Job, type JobTask, secondsLeft } from "./job.ts";
import type { JobFolder, Sink } from "./job_folder.ts";
import type { JobChange, JobStore } from "./job_store.ts";
import { JobSlots } from "./job_slots.ts";
import { receiveRows } from "./receive_rows.ts";

/** What becomes a job. */
export interface JobRequest {
  readonly tenantId: string;
  readonly task: JobTask;
  readonly plannedSeconds: number;
  /** Length of the answers file. */
  readonly answerBytes: number;
}

/** Computes one job: rows file in, answers file out. Returns the back end's milliseconds. Throws when `signal` ends it. */
export type Compute = (
  task: JobTask,
  rows: ReadableStream<Uint8Array>,
  answers: Sink,
  options: { readonly signal: AbortSignal; readonly onProgress: (progress: number) => void },
) => Promise<number>;

/** What jobs are made of. */
export interface JobParts {
  readonly config: Pick<Config, "queuedJobs" | "jobsPerTenant" | "jobRetentionMinutes">;
  readonly log: Log;
  readonly store: JobStore;
  readonly folder: JobFolder;
  readonly compute: Compute;
}

const MINUTE_MS = 60_000;

/** The job that computes. */
interface Running {
  readonly id: string;
  readonly abort: AbortController;
  /** Why it was aborted. */
  reason: string;
  readonly settled: Promise<void>;
}

/** Jobs of all tenants: one computes at a time, in the order of their coming; finished ones are forgotten after a while. */
export class Jobs {
  readonly #queue: string[] = [];
  readonly #slots: JobSlots;
  readonly #timers = new Map<string, ReturnType<typeof setTimeout>>();
  #running: Running | undefined;
  #closed = false;

  constructor(private readonly parts: JobParts) {
    this.#slots = new JobSlots(parts.config);
  }

  /**
   * Receives the rows of a job to disk, checks their digest and queues the job. Memory: one chunk of rows.
   * Throws `busy`, `quota_exceeded`, and what reading the rows throws.
   */
  async submit(request: JobRequest, rows: FileStream): Promise<Job> {
    if (this.#closed) throw new SottoError("busy", "the server is stopping: send the request again later");
    const id = crypto.randomUUID();
    this.#slots.take(id, request.tenantId);
    try {
      await receiveRows(this.parts.folder, id, rows, request.answerBytes);
      return await this.#enqueue(id, request, rows.header.rowCount);
    } catch (error) {
      this.#slots.free(id);
      await this.#dropFiles(id);
      throw error;
    }
  }

  async #enqueue(id: string, { tenantId, task, plannedSeconds }: JobRequest, rowCount: number): Promise<Job> {
    if (this.#closed) throw new SottoError("busy", "the server is stopping: send the request again later");
    const progress = { state: "queued", progress: 0 } as const;
    const job = { id, tenantId, task, rowCount, plannedSeconds, ...progress, createdAt: new Date() };
    await this.parts.store.insert(job);
    this.#queue.push(id);
    this.#start();
    return job;
  }

  /** A tenant's job. Throws `job_unknown`. */
  async find(tenantId: string, id: string): Promise<Job> {
    const job = await this.parts.store.find(id);
    if (job?.tenantId === tenantId) return job;
    throw new SottoError("job_unknown", "you have no job with this id: it was deleted, or its time has run out");
  }

  /** Seconds until a job is done, the jobs before it included. */
  async secondsUntilDone(job: Job): Promise<number> {
    const at = this.#queue.indexOf(job.id);
    const before = at < 0 ? [] : [this.#running?.id, ...this.#queue.slice(0, at)];
    const jobs = await Promise.all(before.map((id) => id === undefined ? undefined : this.parts.store.find(id)));
    const now = new Date();
    return [...jobs, job].reduce((sum, one) => sum + (one === undefined ? 0 : secondsLeft(one, now)), 0);
  }

  /** The answers file of a job that succeeded. Throws `job_unknown`, `job_unfinished`, `conflict` for one that has none. */
  async answers(tenantId: string, id: string) {
    const job = await this.find(tenantId, id);
    if (!isFinished(job)) {
      throw new SottoError("job_unfinished", `the job is ${job.state}: ask for its answers when it has succeeded`);
    }
    if (job.state === "succeeded") {
      return { ...await this.parts.folder.read(id, "answers"), serverMs: job.serverMs ?? 0 };
    }
    throw new SottoError("conflict", `the job has no answers, it ${job.state}: ${job.error?.detail}`);
  }

  /** Cancels a job that has not finished, and settles when nothing of it computes any more; forgets a finished one. */
  async remove(tenantId: string, id: string): Promise<void> {
    const job = await this.find(tenantId, id);
    if (isFinished(job)) await this.#forget(id);
    else await this.#cancel(id, "its owner cancelled it");
  }

  /** Cancels every job and lets no further one in; settles when nothing computes any more. */
  async close(): Promise<void> {
    this.#closed = true;
    const ids = [...this.#queue, ...(this.#running === undefined ? [] : [this.#running.id])];
    for (const id of ids) this.parts.log.warn("job cancelled by the stop of the server", { job: id });
    await Promise.all(ids.map((id) => this.#cancel(id, "the server stopped")));
    for (const timer of this.#timers.values()) clearTimeout(timer);
    this.#timers.clear();
  }

  async #cancel(id: string, reason: string): Promise<void> {
    if (this.#running?.id === id) {
      this.#running.reason = reason;
      this.#running.abort.abort();
      return await this.#running.settled;
    }
    const at = this.#queue.indexOf(id);
    if (at < 0) return;
    this.#queue.splice(at, 1);
    await this.#finish(id, { state: "cancelled", error: cancelledBy(reason) });
  }

  #start(): void {
    if (this.#running !== undefined) return;
    const id = this.#queue.shift();
    if (id === undefined) return;
    const { promise: settled, resolve } = Promise.withResolvers<void>();
    const running = { id, abort: new AbortController(), reason: "", settled };
    this.#running = running;
    this.#run(running).finally(() => {
      this.#running = undefined;
      resolve();
      this.#start();
    });
  }

  /** Never throws: whatever happens is the end of the job. */
  async #run(running: Running): Promise<void> {
    const { id, abort } = running;
    try {
      const serverMs = await this.#compute(id, abort.signal);
      await this.#finish(id, { state: "succeeded", progress: 1, serverMs });
    } catch (error) {
      const change: JobChange = abort.signal.aborted
        ? { state: "cancelled", error: cancelledBy(running.reason) }
        : { state: "failed", error: this.#failure(id, error) };
      await this.#finish(id, change).catch((cause) => this.#failure(id, cause));
    }
  }

  async #compute(id: string, signal: AbortSignal): Promise<number> {
    const { store, folder, compute, log } = this.parts;
    const job = await store.update(id, { state: "running", startedAt: new Date() });
    if (job === undefined) throw new SottoError("internal", "the record of the job is gone");
    log.info("job started", { job: id, tenant: job.tenantId, model: job.task.model.id, rows: job.rowCount });
    const { stream } = await folder.read(id, "rows");
    let serverMs = 0;
    await folder.write(id, "answers", async (sink) => {
      const onProgress = (progress: number) => void store.update(id, { progress });
      serverMs = await compute(job.task, stream, sink, { signal, onProgress });
    });
    signal.throwIfAborted();
    return serverMs;
  }

  #failure(id: string, error: unknown): Job["error"] {
    const known = asSottoError(error, "the server failed: give its operator the id of the job");
    const { log } = this.parts;
    const properties = { job: id, ...details(known) };
    if (known.status >= 500) log.error("job failed", properties);
    else log.warn("job failed", properties);
    return { code: known.code, detail: known.message };
  }

  async #finish(id: string, change: JobChange): Promise<void> {
    await this.parts.folder.drop(id, "rows");
    if (change.state !== "succeeded") await this.parts.folder.drop(id, "answers");
    const finishedAt = new Date();
    const job = await this.parts.store.update(id, { ...change, finishedAt });
    this.#slots.free(id);
    this.parts.log.info("job ended", { job: id, tenant: job?.tenantId, state: change.state, server_ms: job?.serverMs });
    if (this.#closed) return;
    const forget = () => this.#forget(id).catch((error) => this.#failure(id, error));
    const timer = setTimeout(forget, this.parts.config.jobRetentionMinutes * MINUTE_MS);
    this.#timers.set(id, timer);
  }

  async #forget(id: string): Promise<void> {
    clearTimeout(this.#timers.get(id));
    this.#timers.delete(id);
    await this.parts.store.delete(id);
    await this.#dropFiles(id);
  }

  async #dropFiles(id: string): Promise<void> {
    await this.parts.folder.drop(id, "rows");
    await this.parts.folder.drop(id, "answers");
  }
}

function cancelledBy(reason: string): Job["error"] {
  return { code: "cancelled", detail: `the job was cancelled: ${reason}` };
}
