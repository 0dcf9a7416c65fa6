import {
  changeTrainingSession,
  type Database,
  findTrainingSession,
  findUnfinishedJob,
  inTransaction,
  listLiveRuns,
  listStrayRuns,
  type TrainingSessionRow,
} from "../../db/mod.ts";
import { type Jobs, type Log, unknownSession } from "../../jobs/mod.ts";
import type { SottoError } from "../../errors.ts";
import { type Action, requireAllowed, statesOf, wrongState } from "./states.ts";

/** How far a run is, newer than its last checkpoint. */
export interface LiveStep {
  readonly step: number;
  readonly stepMs: number | null;
}

/** What runs are made of. */
export interface RunParts {
  readonly database: Database;
  readonly jobs: Jobs;
  readonly log: Log;
}

/** Seconds of a step that nobody has measured yet, for the fair order of runs. */
const STEP_SECONDS = 1;

/** Runs of sessions: each is a job, and the state of its session changes with it. */
export class TrainingRuns {
  constructor(private readonly parts: RunParts) {}

  /** What running sessions have done since their last checkpoints, by their ids. */
  async live(sessions: readonly TrainingSessionRow[]): Promise<Map<string, LiveStep>> {
    const running = sessions.filter(({ state }) => state === "running").map(({ id }) => id);
    const rows = await listLiveRuns(this.parts.database, running);
    return new Map(rows.map(({ session, live }) => {
      const { step, step_ms } = live as { step: number; step_ms: number | null };
      return [session, { step, stepMs: step_ms }];
    }));
  }

  /** Starts a run that ends at `stopAt`. Throws `session_state`, or `busy` while the server stops. */
  async start(session: TrainingSessionRow, action: "run" | "resume", stopAt: number): Promise<TrainingSessionRow> {
    requireAllowed(session.state, action);
    const { database, jobs } = this.parts;
    const changed = await inTransaction(database, async (inside) => {
      const change = { state: "running", stopAt, failure: null } as const;
      const row = await changeTrainingSession(inside, session.id, statesOf(action), change);
      if (row === undefined) return undefined;
      const stepSeconds = row.stepMs === null ? STEP_SECONDS : row.stepMs / 1000;
      await jobs.addRun(inside, row, (stopAt - row.step) * stepSeconds);
      return row;
    });
    if (changed === undefined) throw await this.#refusal(session, action);
    return changed;
  }

  /** Ends a run after the step that computes; settles when its state is stored. Throws `session_state`. */
  async pause(session: TrainingSessionRow): Promise<TrainingSessionRow> {
    requireAllowed(session.state, "pause");
    const { database, jobs } = this.parts;
    const job = await findUnfinishedJob(database, "training", session.id);
    if (job !== undefined) await jobs.stop(session.tenantId, job.id, "its session was paused");
    else await changeTrainingSession(database, session.id, statesOf("pause"), { state: "paused" });
    const found = await findTrainingSession(database, session.tenantId, session.id);
    if (found === undefined) throw unknownSession();
    return found;
  }

  /** Sessions that should run and have no job (they ran before there were jobs) are interrupted, and go on when `goOn` says so. */
  async recover(goOn: boolean): Promise<void> {
    const { database, log } = this.parts;
    for (const session of await listStrayRuns(database)) {
      const interrupted = await changeTrainingSession(database, session.id, ["running"], { state: "interrupted" });
      if (interrupted === undefined) continue;
      log.warn("training interrupted", { session: session.id, step: session.step, resumed: goOn });
      if (goOn) await this.start(interrupted, "resume", interrupted.stopAt);
    }
  }

  async #refusal(session: TrainingSessionRow, action: Action): Promise<SottoError> {
    const found = await findTrainingSession(this.parts.database, session.tenantId, session.id);
    return found === undefined ? unknownSession() : wrongState(found.state, action);
  }
}
