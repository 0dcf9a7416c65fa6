import {
  findTrainingOwner,
  findTrainingSession,
  putTrainingBatch,
  type TrainingBatchRow,
  type TrainingOwnerRow,
  type TrainingSessionRow,
} from "../../db/mod.ts";
import { SottoError } from "../../errors.ts";
import { keepObject, releaseObject, type StagedObject } from "../../store/mod.ts";
import type { Services } from "../services.ts";
import { requireAllowed } from "./states.ts";
import { decodeTrainingFile, sessionBytes, type TrainingHeader } from "../../circuits/training_file.ts";
import { partFileBytesMax, requireLoadable, specOf, splitPart, unknownSession } from "../../jobs/mod.ts";

/** Whose part of which batch. */
export interface PartAddress {
  readonly session: TrainingSessionRow;
  readonly owner: TrainingOwnerRow;
  readonly batch: number;
}

/** The longest file that the owner may send. */
export function partLimit({ session, owner }: Omit<PartAddress, "batch">): number {
  return partFileBytesMax(specOf(session), owner.kind);
}

/**
 * Takes an owner's part of a batch, or replaces the one before.
 * Throws `session_state`, `conflict` outside the owner's batches, `wrong_key`, `malformed_file`, and what reading a file throws.
 */
export async function putBatch(
  services: Services,
  address: PartAddress,
  body: ReadableStream<Uint8Array>,
): Promise<TrainingBatchRow> {
  requireAllowed(address.session.state, "prepare");
  requireOwn(address);
  const staged = await services.store.stage(body, { maxBytes: partLimit(address) });
  try {
    const row = await services.keyChecks.turn(address.session.tenantId, () => checkedRow(services, address, staged));
    const before = await keepObject(services, address.session, staged, () => addRow(services, address, row));
    if (before !== undefined && before.objectDigest !== row.objectDigest) {
      await releaseObject(services, before.objectDigest);
    }
    return row;
  } finally {
    await staged.discard();
  }
}

/** A run or a removal may have come between: what is found now decides. */
async function addRow({ database }: Services, { session, owner }: PartAddress, row: TrainingBatchRow) {
  const now = await findTrainingSession(database, session.tenantId, session.id);
  if (now === undefined || await findTrainingOwner(database, owner.id) === undefined) throw unknownSession();
  requireAllowed(now.state, "prepare");
  return await putTrainingBatch(database, row);
}

function requireOwn({ owner, batch }: PartAddress): void {
  const { firstBatch, batchCount } = owner;
  if (batch >= firstBatch && batch < firstBatch + batchCount) return;
  const last = firstBatch + batchCount - 1;
  throw new SottoError("conflict", `batch ${batch} is not yours: you fill batches ${firstBatch} to ${last}`);
}

async function checkedRow(
  { backend }: Services,
  { session, owner, batch }: PartAddress,
  staged: StagedObject,
): Promise<TrainingBatchRow> {
  const expected = { kind: "training_batch", parameterSet: backend.parameterSet } as const;
  const file = decodeTrainingFile(await staged.read(), expected);
  const spec = specOf(session);
  requireFits(session, batch, file.header);
  await requireLoadable(backend, spec, splitPart(spec, owner.kind, file));
  return {
    sessionId: session.id,
    batch,
    ownerId: owner.id,
    digest: file.digest,
    objectDigest: staged.digest,
    bytes: staged.bytes,
    createdAt: new Date(),
  };
}

function requireFits(session: TrainingSessionRow, batch: number, header: TrainingHeader): void {
  const keyId = header.keyId.toHex();
  if (session.keyId === null || session.publicKeyObject === null) {
    throw new SottoError("key_missing", "the session has no public key yet: its owner sends it with PUT .../keys");
  }
  if (keyId !== session.keyId) {
    throw new SottoError(
      "wrong_key",
      `the batch was encrypted for key pair ${keyId}, the session has ${session.keyId}`,
    );
  }
  if (header.subject.toHex() !== sessionBytes(session.id, batch).toHex()) {
    throw new SottoError("malformed_file", `the file was made for another session or another batch than ${batch}`);
  }
  const { batch_size } = specOf(session);
  if (header.rowCount !== batch_size) {
    throw new SottoError("malformed_file", `the batch has ${header.rowCount} rows, the session's have ${batch_size}`);
  }
}
