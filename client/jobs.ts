/** What the server does later: predictions, training runs, imports. */
import { z } from "zod";
import { ERROR_STATUS, type ErrorCode, isSottoError, SottoError } from "../errors.ts";
import { type LongCallOptions, refuseCancelled } from "./calls.ts";
import type { EncryptedAnswers } from "./http.ts";

const CODES = Object.keys(ERROR_STATUS) as [ErrorCode, ...ErrorCode[]];

export const jobSchema = z.object({
  id: z.string(),
  kind: z.enum(["prediction", "training", "import"]).default("prediction"),
  /** Of a prediction. */
  model_id: z.string().optional(),
  /** Of a training run. */
  session_id: z.string().optional(),
  priority: z.enum(["low", "normal", "high"]).default("normal"),
  rows: z.number(),
  /** Pieces that workers compute on their own. */
  parts: z.object({ done: z.number(), total: z.number() }).default({ done: 0, total: 1 }),
  /** Most attempts that a part took. */
  attempts: z.number().default(0),
  state: z.enum(["queued", "running", "succeeded", "failed", "cancelled"]),
  /** Share done, between 0 and 1. */
  progress: z.number(),
  /** The jobs before it included. */
  estimated_seconds_left: z.number(),
  created_at: z.string(),
  started_at: z.string().nullable(),
  finished_at: z.string().nullable(),
  /** What it made: the id of a model, or of a training session. */
  result: z.string().optional(),
  error: z.object({ code: z.enum(CODES).catch("internal"), detail: z.string() }).optional(),
});

/** A page of jobs, newest first; `next` is the cursor of the page after. */
export const jobPageSchema = z.object({ jobs: z.array(jobSchema), next: z.string().nullable() });

/** A job as the server shows it. */
export type Job = z.infer<typeof jobSchema>;
export type JobPage = z.infer<typeof jobPageSchema>;

/** The calls that following a job takes. */
export interface JobCalls {
  getJob(id: string, signal?: AbortSignal): Promise<Job>;
  jobAnswers(id: string, signal?: AbortSignal): Promise<EncryptedAnswers>;
  deleteJob(id: string): Promise<void>;
}

/** Between two questions, at first and at most; after an unanswered one; and how many unanswered ones in a row are the end. */
const [FIRST_MS, LAST_MS, LOST_MS, LOST_MAX] = [100, 2000, 1000, 10];

/**
 * Waits for a job, fetches its answers and deletes it on the server. On abort it is cancelled there.
 * @throws SottoError the job's own error, cancelled, and what the calls throw.
 */
export async function followJob(calls: JobCalls, id: string, options: LongCallOptions = {}): Promise<EncryptedAnswers> {
  try {
    const job = await waitFor(calls, id, options);
    if (job.state !== "succeeded") throw failure(job);
    const answers = await patiently(() => calls.jobAnswers(id, options.signal), options.signal);
    await calls.deleteJob(id).catch(() => undefined);
    return answers;
  } catch (error) {
    if (options.signal?.aborted) await calls.deleteJob(id).catch(() => undefined);
    throw error;
  }
}

async function waitFor(calls: JobCalls, id: string, options: LongCallOptions): Promise<Job> {
  for (let wait = FIRST_MS;; wait = Math.min(LAST_MS, wait * 1.5)) {
    refuseCancelled(options);
    const job = await patiently(() => calls.getJob(id, options.signal), options.signal);
    options.onProgress?.(job.progress);
    if (job.state !== "queued" && job.state !== "running") return job;
    await pause(wait, options.signal);
  }
}

/** A server that restarts its network, or is busy for a moment, does not end a job of hours. */
async function patiently<T>(ask: () => Promise<T>, signal?: AbortSignal): Promise<T> {
  for (let lost = 1;; lost++) {
    try {
      return await ask();
    } catch (error) {
      const passing = isSottoError(error) && (error.status === 503 || error.code === "server_unreachable");
      if (!passing || lost === LOST_MAX) throw error;
      await pause(LOST_MS, signal);
    }
  }
}

function failure({ error, state }: Job): SottoError {
  return new SottoError(error?.code ?? "internal", error?.detail ?? `the job ${state} on the server`);
}

/** Ends early on abort. */
function pause(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = () => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", end);
      resolve();
    };
    const timer = setTimeout(end, ms);
    signal?.addEventListener("abort", end);
  });
}
