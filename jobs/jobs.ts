import {
  countWorkers,
  type Database,
  findJob,
  type JobCursor,
  type JobProgress,
  jobProgress,
  type JobRow,
  listJobs,
  secondsBefore,
} from "../db/mod.ts";
import { SottoError } from "../errors.ts";
import { addImport, type ImportJobOptions } from "./add_import.ts";
import { addJob } from "./add_job.ts";
import { addPrediction, type NewPrediction } from "./add_prediction.ts";
import { type Answers, openAnswers } from "./answers.ts";
import type { ImportRequest } from "./compute/import_model.ts";
import type { JobBasis } from "./job_basis.ts";
import { isFinished } from "./job_state.ts";
import { forgetJob, Maintenance } from "./maintenance.ts";
import { requestStop } from "./part_state.ts";
import { WORKER_LOST_MS } from "./capability.ts";
import { secondsUntilDone } from "./estimate.ts";

/** A job with how far it is. */
export interface WatchedJob extends JobRow {
  readonly progress: JobProgress;
  /** Until it is done, the work before it included. */
  readonly secondsLeft: number;
}

/**
 * How long a request waits for a job to stop: a worker notices within a second and ends what it computes, except the step of a training, which
 * takes its time. Now and then it is asked again, for a worker may have ended meanwhile.
 */
const [STOP_SECONDS, ASK_AGAIN_MS] = [600, 5000];

/** Jobs of all tenants, as requests see them. */
export class Jobs {
  readonly #maintenance: Maintenance;
  #closed = false;

  constructor(private readonly basis: JobBasis) {
    this.#maintenance = new Maintenance(basis);
  }

  /** Opens the queue and begins to look after the jobs. */
  async start(): Promise<void> {
    await this.basis.queue.start();
    await this.#maintenance.start();
  }

  /** Lets no further job in. */
  drain(): void {
    this.#closed = true;
  }

  /** The server stops: who follows a job is to ask another time. */
  get draining(): boolean {
    return this.#closed;
  }

  /** Closes the queue. */
  async close(): Promise<void> {
    this.drain();
    await this.#maintenance.close();
    await this.basis.queue.stop(1);
  }

  /** Adds a prediction: see `addPrediction`. Throws `busy` while the server stops. */
  addPrediction(made: NewPrediction): Promise<JobRow> {
    this.#requireOpen();
    return addPrediction(this.basis, made);
  }

  /** Adds an import: see `addImport`. Throws `busy` while the server stops. */
  addImport(tenantId: string, request: ImportRequest, options: ImportJobOptions): Promise<JobRow> {
    this.#requireOpen();
    return addImport(this.basis, tenantId, request, options);
  }

  /** Adds the run of a session in the transaction of `inside`, which made the session run. Throws `busy` while the server stops. */
  async addRun(
    inside: Database,
    session: { readonly id: string; readonly tenantId: string },
    seconds: number,
  ): Promise<JobRow> {
    this.#requireOpen();
    const { id: subject, tenantId } = session;
    const made = {
      tenantId,
      idempotencyKey: null,
      kind: "training",
      subject,
      task: {},
      priority: "normal",
      memoryBytes: 0,
    } as const;
    const part = { firstRow: 0, rows: 0, plannedSeconds: seconds, inputObject: null, inputBytes: 0, outputBytes: 0 };
    return (await addJob(this.basis, inside, made, [part])).job;
  }

  /** A tenant's job. Throws `job_unknown`. */
  async find(tenantId: string, id: string): Promise<WatchedJob> {
    const job = await findJob(this.basis.database, tenantId, id);
    if (job !== undefined) return (await this.#watch([job]))[0];
    throw new SottoError("job_unknown", "you have no job with this id: it was deleted, or its time has run out");
  }

  /** A tenant's jobs, newest first. */
  async list(tenantId: string, page: { readonly limit: number; readonly after?: JobCursor }): Promise<WatchedJob[]> {
    return await this.#watch(await listJobs(this.basis.database, tenantId, page));
  }

  /** The answers file of a prediction that succeeded. Throws `job_unknown`, `job_unfinished`, `conflict` for a job that has none. */
  async answers(tenantId: string, id: string): Promise<Answers> {
    return await openAnswers(this.basis, await this.find(tenantId, id));
  }

  /** Stops a job that has not finished, and settles when nothing of it computes any more; forgets a finished one. */
  async remove(tenantId: string, id: string): Promise<void> {
    if (isFinished(await this.find(tenantId, id))) await forgetJob(this.basis, id);
    else await this.stop(tenantId, id, "its owner cancelled it");
  }

  /** Stops an unfinished job; settles when it has ended, or throws `busy` when its worker does not answer. */
  async stop(tenantId: string, id: string, reason: string): Promise<void> {
    const end = Date.now() + STOP_SECONDS * 1000;
    let askedAt = 0;
    for (let wait = 20; Date.now() < end; wait = Math.min(500, wait * 1.5)) {
      if (Date.now() - askedAt > ASK_AGAIN_MS) {
        await requestStop(this.basis, id, reason);
        askedAt = Date.now();
      }
      const job = await findJob(this.basis.database, tenantId, id);
      if (job === undefined || isFinished(job)) return;
      await new Promise((resolve) => setTimeout(resolve, wait));
    }
    throw new SottoError("busy", "the job is to stop, its worker has not done so yet: ask for the job again later");
  }

  async #watch(jobs: readonly JobRow[]): Promise<WatchedJob[]> {
    const { database } = this.basis;
    const progress = await jobProgress(database, jobs.map(({ id }) => id));
    const seen = new Date(Date.now() - WORKER_LOST_MS);
    const watched: WatchedJob[] = [];
    for (const job of jobs) {
      const found = progress.get(job.id);
      if (found === undefined) continue;
      const around = isFinished(job) ? { workers: 1, secondsBefore: 0 } : {
        workers: await countWorkers(database, job.capability, seen),
        secondsBefore: await secondsBefore(database, job.id),
      };
      watched.push({ ...job, progress: found, secondsLeft: secondsUntilDone(job, found, around, new Date()) });
    }
    return watched;
  }

  #requireOpen(): void {
    if (this.#closed) throw new SottoError("busy", "the server is stopping: send the request again later");
  }
}
