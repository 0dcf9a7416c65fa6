import type { TrainingSpec } from "../../circuits/training/mod.ts";
import { countTrainingSessions, insertTrainingSession, type TrainingSessionRow } from "../../db/mod.ts";
import { SottoError } from "../../errors.ts";
import type { Services } from "../services.ts";
import { plannedTraining } from "./plan.ts";

/** What a new session is made of. */
export interface NewSession {
  readonly name: string;
  readonly spec: TrainingSpec;
  readonly batchCount: number;
  readonly checkpointEvery: number;
}

/** Plans and adds a session. Throws `quota_exceeded`, and what planning throws. */
export async function createSession(
  services: Services,
  tenantId: string,
  { name, spec, batchCount, checkpointEvery }: NewSession,
): Promise<TrainingSessionRow> {
  requireNames(spec);
  await requireQuota(services, tenantId);
  const now = new Date();
  const row: TrainingSessionRow = {
    id: crypto.randomUUID(),
    tenantId,
    name,
    spec,
    plan: await plannedTraining(services.backend, spec, batchCount),
    batchCount,
    checkpointEvery,
    state: "preparing",
    failure: null,
    stopAt: 0,
    keyId: null,
    trainingKeysObject: null,
    publicKeyObject: null,
    orderDigest: null,
    orderObject: null,
    step: 0,
    checkpointObject: null,
    stepMs: null,
    createdAt: now,
    changedAt: now,
  };
  await insertTrainingSession(services.database, row);
  return row;
}

/** Owners of columns name features. */
function requireNames({ features }: TrainingSpec): void {
  const names = new Set(features.map(({ name }) => name));
  if (names.size === features.length) return;
  throw new SottoError("malformed_request", "correct the request: spec.features: two features have the same name");
}

async function requireQuota({ database, config }: Services, tenantId: string): Promise<void> {
  const count = await countTrainingSessions(database, tenantId);
  if (count < config.trainingSessionsPerTenant) return;
  throw new SottoError("quota_exceeded", `you have ${count} training sessions, as many as you may: delete one`);
}
