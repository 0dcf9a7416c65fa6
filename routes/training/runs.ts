import {
  changeTrainingSession,
  type Database,
  findTrainingSession,
  interruptTrainingSessions,
  type TrainingSessionRow,
} from "../../db/mod.ts";
import { SottoError } from "../../errors.ts";
import { asSottoError, details } from "../problem.ts";
import type { Services } from "../services.ts";
import { unknownSession } from "./find_session.ts";
import { runSession } from "./session_run.ts";
import { type Action, requireAllowed, statesOf, wrongState } from "./states.ts";

/** How far a run is, newer than its last checkpoint. */
export interface LiveStep {
  readonly step: number;
  readonly stepMs: number | null;
}

/** A run that waits for its turn or computes. */
interface Run {
  readonly session: Pick<TrainingSessionRow, "id" | "tenantId">;
  readonly abort: AbortController;
  readonly settled: PromiseWithResolvers<void>;
  paused: boolean;
  /** Its turn has come. */
  started: boolean;
  live?: LiveStep;
}

/** Runs of all tenants: one computes at a time, in the order of their coming; between two steps others may use the back end. */
export class TrainingRuns {
  readonly #runs = new Map<string, Run>();
  #tail: Promise<void> = Promise.resolve();
  #closed = false;

  constructor(private readonly services: () => Services) {}

  /** What a running session has done since its last checkpoint. */
  live(id: string): LiveStep | undefined {
    return this.#runs.get(id)?.live;
  }

  /** Starts a run that ends at `stopAt`. Throws `session_state`, or `busy` while the server stops. */
  async start(session: TrainingSessionRow, action: "run" | "resume", stopAt: number): Promise<TrainingSessionRow> {
    requireAllowed(session.state, action);
    if (this.#closed) throw new SottoError("busy", "the server is stopping: send the request again later");
    const change = { state: "running", stopAt, failure: null } as const;
    const changed = await changeTrainingSession(this.#database, session.id, statesOf(action), change);
    if (changed === undefined) throw await this.#refusal(session, action);
    this.#enqueue(changed);
    return changed;
  }

  /** Ends a run after the step that computes; settles when its state is stored. Throws `session_state`. */
  async pause(session: TrainingSessionRow): Promise<TrainingSessionRow> {
    requireAllowed(session.state, "pause");
    const run = this.#runs.get(session.id);
    if (run !== undefined) run.paused = true;
    if (run?.started) await run.settled.promise;
    else {
      const change = { state: "paused" } as const;
      await changeTrainingSession(this.#database, session.id, statesOf("pause"), change);
    }
    const found = await findTrainingSession(this.#database, session.tenantId, session.id);
    if (found === undefined) throw unknownSession();
    return found;
  }

  /** After a start of the server: what ran when it ended is interrupted, and goes on when `goOn` says so. */
  async recover(goOn: boolean): Promise<void> {
    for (const session of await interruptTrainingSessions(this.#database)) {
      this.services().log.warn("training interrupted", { session: session.id, step: session.step, resumed: goOn });
      if (goOn) await this.start(session, "resume", session.stopAt);
    }
  }

  /** Ends every run within its step and lets no further one in; they go on when the server starts again. */
  async close(): Promise<void> {
    this.#closed = true;
    const runs = [...this.#runs.values()];
    for (const run of runs) run.abort.abort();
    await Promise.all(runs.map(({ settled }) => settled.promise));
  }

  get #database(): Database {
    return this.services().database;
  }

  #enqueue({ id, tenantId }: TrainingSessionRow): void {
    const run: Run = {
      session: { id, tenantId },
      abort: new AbortController(),
      settled: Promise.withResolvers(),
      paused: false,
      started: false,
    };
    this.#runs.set(id, run);
    this.#tail = this.#tail.then(() => this.#compute(run)).finally(() => {
      if (this.#runs.get(id) === run) this.#runs.delete(id);
      run.settled.resolve();
    });
  }

  /** Never throws: whatever happens is the end of the run. One that was paused while it waited has its state already. */
  async #compute(run: Run): Promise<void> {
    if (run.paused) return;
    run.started = true;
    const { log } = this.services();
    const { id, tenantId } = run.session;
    try {
      const change = await this.#outcome(run);
      const changed = await changeTrainingSession(this.#database, id, ["running"], change);
      log.info("training ended", { session: id, tenant: tenantId, state: change.state, step: changed?.step });
    } catch (error) {
      log.error("training record not written", { session: id, ...details(asSottoError(error)) });
    }
  }

  async #outcome(run: Run): Promise<{ state: TrainingSessionRow["state"]; failure?: string }> {
    const { id, tenantId } = run.session;
    const { signal } = run.abort;
    try {
      if (signal.aborted) return { state: "interrupted" };
      const session = await findTrainingSession(this.#database, tenantId, id);
      if (session === undefined) throw unknownSession();
      const { log } = this.services();
      log.info("training started", { session: id, tenant: tenantId, step: session.step, stop_at: session.stopAt });
      const onStep = (step: number, stepMs: number | null) => run.live = { step, stepMs };
      const steps = await runSession(this.services(), session, { signal, isPaused: () => run.paused, onStep });
      return { state: steps === session.spec.steps ? "trained" : "paused" };
    } catch (error) {
      return signal.aborted ? { state: "interrupted" } : { state: "failed", failure: this.#failure(id, error) };
    }
  }

  #failure(id: string, error: unknown): string {
    const known = asSottoError(error, "the server failed: give its operator the id of the session");
    const { log } = this.services();
    const properties = { session: id, ...details(known) };
    if (known.status >= 500) log.error("training failed", properties);
    else log.warn("training failed", properties);
    return known.message;
  }

  async #refusal(session: TrainingSessionRow, action: Action): Promise<SottoError> {
    const found = await findTrainingSession(this.#database, session.tenantId, session.id);
    return found === undefined ? unknownSession() : wrongState(found.state, action);
  }
}
