import { batchOrder, TrainingRun } from "../../circuits/training/mod.ts";
import type { TrainingKeys } from "../../circuits/training_backend.ts";
import { changeTrainingSession, type Database, type TrainingSessionRow } from "../../db/mod.ts";
import { SottoError } from "../../errors.ts";
import { leaseKeyRing } from "../compute/lease_keys.ts";
import type { Computing } from "../compute/computing.ts";
import { BatchSource } from "./batch_source.ts";
import { specOf } from "./spec_of.ts";
import { releaseObject, storeObject } from "../../store/mod.ts";
import { findLookupKeys } from "./find_lookup_keys.ts";
import { decodeTrainingFile } from "../../circuits/training_file.ts";

/** How to end a run, and who watches it. */
export interface RunControl {
  /** Ends the step that computes. */
  readonly signal: AbortSignal;
  /** Asked before every step: the run is to end. */
  readonly isStopping: () => boolean;
  /** Told after every step: steps done, and milliseconds a step. */
  readonly onStep: (step: number, stepMs: number | null) => void;
  /** Writes for as long as the run is this process's own; throws when it is another's. */
  readonly whileLeased: <T>(work: (inside: Database) => Promise<T>) => Promise<T>;
}

/**
 * Computes steps until `stopAt`, a stop, an abort or an error, with a checkpoint every few steps and at the end, whatever ends it.
 * Returns the steps done.
 */
export async function runSession(
  services: Computing,
  session: TrainingSessionRow,
  control: RunControl,
): Promise<number> {
  const lookupRow = await findLookupKeys(services, session);
  using ring = await leaseKeyRing(services, [lookupRow]);
  using training = await loadTrainingKeys(services, session);
  const [lookup] = ring.value.lookups.values();
  using run = new TrainingRun(services.backend, specOf(session), { training, lookup });
  if (session.checkpointObject !== null) run.restore(await services.store.get(session.checkpointObject));
  const checkpoints = new Checkpoints(services, session, control.whileLeased);
  try {
    await takeSteps(services, session, run, control, checkpoints);
  } finally {
    await checkpoints.save(run);
  }
  return run.steps;
}

async function takeSteps(
  services: Computing,
  session: TrainingSessionRow,
  run: TrainingRun,
  { signal, isStopping, onStep }: RunControl,
  checkpoints: Checkpoints,
): Promise<void> {
  const order = batchOrder(run.spec, session.batchCount);
  const batches = new BatchSource(services, session.id, run.spec);
  while (run.steps < session.stopAt && !isStopping()) {
    const batch = await batches.load(order[run.steps]);
    await services.predictions.turn(session.tenantId, async () => {
      const start = performance.now();
      await run.step(batch, { signal });
      checkpoints.measure(performance.now() - start);
    }, signal);
    onStep(run.steps, checkpoints.stepMs);
    if (run.steps % session.checkpointEvery === 0) await checkpoints.save(run);
  }
}

async function loadTrainingKeys(services: Computing, session: TrainingSessionRow): Promise<TrainingKeys> {
  if (session.trainingKeysObject === null) {
    throw new SottoError("key_missing", "the session needs a training key file: send it with PUT .../keys");
  }
  const file = await services.store.get(session.trainingKeysObject);
  const expected = { kind: "training_keys", parameterSet: services.backend.parameterSet } as const;
  return await services.backend.training.loadTrainingKeys(decodeTrainingFile(file, expected).payload);
}

/** Weight of the last step in the running mean of their times. */
const NEWEST_SHARE = 0.1;

/** The last state of a run in the store, one object at a time, named by its session. */
class Checkpoints {
  #object: string | null;
  #step: number;
  stepMs: number | null;

  constructor(
    private readonly services: Computing,
    private readonly session: TrainingSessionRow,
    private readonly whileLeased: RunControl["whileLeased"],
  ) {
    this.#object = session.checkpointObject;
    this.#step = session.step;
    this.stepMs = session.stepMs;
  }

  measure(ms: number): void {
    this.stepMs = this.stepMs === null ? ms : this.stepMs + NEWEST_SHARE * (ms - this.stepMs);
  }

  /** The object comes first, then the row that names it, then the end of the object before: a crash leaves one of the two. */
  async save(run: TrainingRun): Promise<void> {
    if (run.steps === this.#step) return;
    const before = this.#object;
    const owner = { tenantId: this.session.tenantId, admitted: true };
    await storeObject(this.services, owner, run.checkpoint(), async (checkpointObject) => {
      const change = { checkpointObject, step: run.steps, stepMs: this.stepMs };
      await this.whileLeased((inside) => changeTrainingSession(inside, this.session.id, ["running"], change));
      [this.#object, this.#step] = [checkpointObject, run.steps];
    });
    if (before !== this.#object) await releaseObject(this.services, before);
  }
}
