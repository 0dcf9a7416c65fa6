/** Runs of training sessions: one part, which goes on where the last checkpoint is. */
import { findTrainingSession } from "../../db/mod.ts";
import type { Attempt } from "../attempt.ts";
import type { Computing } from "../compute/computing.ts";
import { unknownSession } from "../compute/unknown.ts";
import { runSession } from "../training/session_run.ts";
import type { PartOutcome } from "./handler.ts";

/** Computes steps until the session's stop, or until the job is to stop; every checkpoint is written under the lease. */
export async function computeTraining(computing: Computing, attempt: Attempt): Promise<PartOutcome> {
  const { job } = attempt.claim;
  const session = await findTrainingSession(computing.database, job.tenantId, job.subject!);
  if (session === undefined) throw unknownSession();
  const { log } = computing;
  log.info("training started", {
    session: session.id,
    tenant: job.tenantId,
    step: session.step,
    stop_at: session.stopAt,
  });
  const first = session.step;
  const start = performance.now();
  const steps = await runSession(computing, session, {
    signal: attempt.signal,
    isStopping: () => attempt.stopping,
    onStep: (step, stepMs) => {
      attempt.note((step - first) / Math.max(1, session.stopAt - first), { step, step_ms: stepMs });
    },
    whileLeased: (work) => attempt.whileLeased(work),
  });
  const serverMs = performance.now() - start;
  computing.metrics.observeWork({ kind: "training", circuit: "training", tenant: job.tenantId }, serverMs / 1000);
  if (steps < session.stopAt) return "stopped";
  const state = steps === session.spec.steps ? "trained" : "paused";
  return { serverMs, end: { session: state, result: session.id } };
}
