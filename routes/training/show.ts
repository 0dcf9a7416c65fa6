import type { z } from "@hono/zod-openapi";
import {
  countTrainingBatches,
  listTrainingOwners,
  type TrainingOwnerRow,
  type TrainingSessionRow,
} from "../../db/mod.ts";
import { specOf } from "../../jobs/mod.ts";
import type { Services } from "../services.ts";
import type { LiveStep } from "./runs.ts";
import type { ownerSchema, publicSchema, sessionSchema, summarySchema } from "./schemas.ts";
import { allowedIn } from "./states.ts";

/** A session in a list. */
export function shownSummary(session: TrainingSessionRow, live?: LiveStep): z.infer<typeof summarySchema> {
  const step = live?.step ?? session.step;
  const stepMs = live?.stepMs ?? session.stepMs;
  return {
    id: session.id,
    name: session.name,
    state: session.state,
    step,
    steps: session.spec.steps,
    stop_at: session.stopAt,
    checkpoint_step: session.step,
    step_ms: stepMs,
    estimated_seconds_left: session.state === "running" && stepMs !== null
      ? Math.round((session.stopAt - step) * stepMs / 100) / 10
      : null,
    created_at: session.createdAt.toISOString(),
    changed_at: session.changedAt.toISOString(),
    ...(session.failure === null ? {} : { failure: session.failure }),
  };
}

/** A session as its owner sees it. */
export async function shownSession(
  { database, trainings }: Services,
  session: TrainingSessionRow,
): Promise<z.infer<typeof sessionSchema>> {
  const owners = await listTrainingOwners(database, session.id);
  const counts = await countTrainingBatches(database, session.id);
  return {
    ...shownSummary(session, (await trainings.live([session])).get(session.id)),
    allowed: allowedIn(session.state),
    batch_count: session.batchCount,
    checkpoint_every: session.checkpointEvery,
    key_id: session.keyId,
    has_training_keys: session.trainingKeysObject !== null,
    has_public_key: session.publicKeyObject !== null,
    order_digest: session.orderDigest,
    owners: owners.map((owner) => shownOwner(session, owner, counts.get(owner.id) ?? 0)),
    plan: session.plan,
    spec: specOf(session),
  };
}

/** A data owner as the owner of the session, and the data owner itself, see it. */
export function shownOwner(
  session: TrainingSessionRow,
  owner: TrainingOwnerRow,
  uploaded: number,
): z.infer<typeof ownerSchema> {
  const { features } = specOf(session);
  return {
    id: owner.id,
    name: owner.name,
    kind: owner.kind,
    columns: owner.columns.filter((column) => column < features.length).map((column) => features[column].name),
    bias: owner.columns.includes(features.length),
    first_batch: owner.firstBatch,
    batch_count: owner.batchCount,
    uploaded_batches: uploaded,
    order_confirmed: owner.orderDigest !== null && owner.orderDigest === session.orderDigest,
  };
}

/** What a data owner needs to encrypt its part. */
export async function shownPublic(
  { database, store }: Services,
  session: TrainingSessionRow,
  owner: TrainingOwnerRow,
): Promise<z.infer<typeof publicSchema>> {
  const counts = await countTrainingBatches(database, session.id);
  const { publicKeyObject } = session;
  return {
    id: session.id,
    name: session.name,
    state: session.state,
    batch_count: session.batchCount,
    key_id: session.keyId,
    public_key: publicKeyObject === null ? null : (await store.get(publicKeyObject)).toBase64(),
    order_digest: session.orderDigest,
    owner: shownOwner(session, owner, counts.get(owner.id) ?? 0),
    spec: specOf(session),
  };
}
