/** Computes parts of jobs until it is told to stop: in the process of a server, or in one of its own. */
import { hostname } from "node:os";
import { deleteWorker, type JobKind, saveWorker, type WorkerRow } from "../db/mod.ts";
import { inSpan, withTraceparent } from "../observation/mod.ts";
import { Attempt, type EndReason } from "./attempt.ts";
import type { Computing } from "./compute/computing.ts";
import type { Handler } from "./handlers/handler.ts";
import { computeImport } from "./handlers/import.ts";
import { computePrediction } from "./handlers/prediction.ts";
import { computeTraining } from "./handlers/training.ts";
import type { JobBasis } from "./job_basis.ts";
import { details, knownError } from "./log.ts";
import { type Claim, claimPart, failPart, finishPart, handBack, retryPart, stopPart, takeTurns } from "./part_state.ts";
import type { PartMessage } from "./queue.ts";
import { capabilitiesOfBackend, queueName } from "./queue_names.ts";

const HANDLERS: Readonly<Record<JobKind, Handler>> = {
  prediction: computePrediction,
  training: computeTraining,
  import: computeImport,
};

/** Between two signs of life in the table of workers. */
const LIFE_MS = 5000;

export class Worker {
  readonly #attempts = new Set<Attempt>();
  readonly #row: Omit<WorkerRow, "seenAt">;
  readonly #queues: readonly string[];
  #handling = 0;
  #idle: PromiseWithResolvers<void> | undefined;
  #timer: ReturnType<typeof setInterval> | undefined;
  #draining = false;

  constructor(private readonly basis: JobBasis, private readonly computing: Computing) {
    const { backend, config } = computing;
    const capabilities = capabilitiesOfBackend(backend.name);
    this.#queues = (Object.keys(HANDLERS) as JobKind[]).flatMap((kind) =>
      capabilities.map((capability) => queueName({ kind, capability }))
    );
    this.#row = {
      id: crypto.randomUUID(),
      name: `${hostname()} ${Deno.pid}`,
      capabilities,
      backend: backend.name,
      threads: backend.threads,
      memoryBytes: config.runMemoryBytes,
      startedAt: new Date(),
    };
  }

  /** Registers the worker and begins to take parts: one of each kind at a time. */
  async start(): Promise<void> {
    await this.#live();
    this.#timer = setInterval(() => void this.#live(), LIFE_MS);
    for (const queue of this.#queues) await this.basis.queue.work(queue, (message) => this.#handle(message));
  }

  /**
   * Takes no further part, gives those that compute so many seconds to end, and hands the others back to the queue; trainings save a
   * checkpoint and go back at once. Settles when nothing computes any more.
   */
  async drain(seconds: number): Promise<void> {
    this.#draining = true;
    clearInterval(this.#timer);
    await Promise.all(this.#queues.map((queue) => this.basis.queue.leave(queue)));
    for (const attempt of this.#attempts) if (attempt.claim.job.kind === "training") attempt.drain();
    const timer = setTimeout(() => this.#attempts.forEach((attempt) => attempt.drain()), seconds * 1000);
    await this.#still();
    clearTimeout(timer);
    await deleteWorker(this.basis.database, this.#row.id).catch(() => undefined);
  }

  #still(): Promise<void> {
    if (this.#handling === 0) return Promise.resolve();
    this.#idle ??= Promise.withResolvers();
    return this.#idle.promise;
  }

  async #live(): Promise<void> {
    const { database, log } = this.basis;
    try {
      await saveWorker(database, { ...this.#row, seenAt: new Date() });
    } catch (error) {
      log.warn("worker not registered", details(knownError(error, "registering the worker failed")));
    }
  }

  async #handle(message: PartMessage): Promise<void> {
    this.#handling++;
    try {
      const claim = await claimPart(this.basis, message, this.#row);
      if (claim !== undefined) await this.#compute(claim);
    } finally {
      this.#handling--;
      if (this.#handling === 0) this.#idle?.resolve();
    }
  }

  async #compute(claim: Claim): Promise<void> {
    const attempt = new Attempt(this.basis, claim);
    this.#attempts.add(attempt);
    if (this.#draining) attempt.drain();
    const { job, part } = claim;
    const names = { job: job.id, tenant: job.tenantId, kind: job.kind, part: part.number, rows: part.rows };
    this.basis.log.info("part started", { ...names, attempt: part.attempts });
    const attributes = { "sotto.job": job.id, "sotto.tenant": job.tenantId, "sotto.part": part.number };
    const compute = () => inSpan(`part ${job.kind}`, attributes, () => HANDLERS[job.kind](this.computing, attempt));
    try {
      await this.#end(attempt, await withTraceparent(job.traceparent, compute));
    } catch (error) {
      await this.#fail(attempt, error);
    } finally {
      this.#attempts.delete(attempt);
      await attempt.close();
    }
  }

  async #end({ claim, stopRequested }: Attempt, outcome: Awaited<ReturnType<Handler>>): Promise<void> {
    if (outcome === "stopped") return await (stopRequested ? this.#stop(claim) : takeTurns(this.basis, claim));
    try {
      const wanted = await finishPart(this.basis, claim, outcome);
      this.#count(claim, wanted ? "done" : "lost");
      if (wanted) return;
      this.basis.log.warn("result not wanted", { job: claim.job.id, part: claim.part.number });
    } finally {
      await outcome.held?.end();
    }
  }

  async #stop(claim: Claim): Promise<void> {
    this.#count(claim, "stopped");
    await stopPart(this.basis, claim);
  }

  #count({ job: { kind } }: Claim, outcome: EndReason | "done" | "failed" | "retried"): void {
    this.computing.metrics.jobParts.inc({ kind, outcome });
  }

  /** Throws when the queue is to bring the part again. */
  async #fail(attempt: Attempt, error: unknown): Promise<void> {
    const { claim, reason } = attempt;
    if (reason === "stopped") return await this.#stop(claim);
    if (reason !== undefined) this.#count(claim, reason);
    if (reason === "lost") return;
    if (reason === "drained") return await handBack(this.basis, claim);
    const known = knownError(error, "the server failed: give its operator the id of the job");
    const properties = { job: claim.job.id, part: claim.part.number, attempt: claim.part.attempts, ...details(known) };
    const failure = { code: known.code, detail: known.message };
    this.#count(claim, known.status < 500 ? "failed" : "retried");
    if (known.status < 500) {
      this.basis.log.warn("job failed", properties);
      return await failPart(this.basis, claim, failure);
    }
    this.basis.log.error("part failed", properties);
    await retryPart(this.basis, claim, failure);
    throw known;
  }
}
