/** The keys of a session: the training keys that runs compute with, and the public key that data owners encrypt with. */
import { decodeFile, DIGEST_BYTES, HEADER_BYTES, inputRecordBytes, trainingKeysBytes } from "../../circuits/wire.ts";
import { changeTrainingSession, type TrainingSessionRow } from "../../db/mod.ts";
import { SottoError } from "../../errors.ts";
import { COEFFICIENT_BITS } from "../../params/mod.ts";
import { keepObject, releaseObject, type StagedObject } from "../../store/mod.ts";
import { unknownSession } from "../../jobs/mod.ts";
import type { Services } from "../services.ts";
import { requireAllowed, statesOf } from "./states.ts";

/** Payload of a public key: a seed and one polynomial. */
const PUBLIC_KEY_BYTES = inputRecordBytes(COEFFICIENT_BITS);
/** Longest file of the two. */
export const KEY_FILE_BYTES_MAX = HEADER_BYTES + Math.max(trainingKeysBytes(), PUBLIC_KEY_BYTES) + DIGEST_BYTES;

type KeyColumn = "trainingKeysObject" | "publicKeyObject";

/**
 * Takes a training key file or a public key file; both must be of one key pair.
 * Throws `session_state`, `wrong_key`, `malformed_file`, and what reading a file throws.
 */
export async function putKeys(
  services: Services,
  session: TrainingSessionRow,
  body: ReadableStream<Uint8Array>,
): Promise<TrainingSessionRow> {
  requireAllowed(session.state, "prepare");
  const staged = await services.store.stage(body, { maxBytes: KEY_FILE_BYTES_MAX });
  try {
    const { column, keyId } = await services.keyChecks.turn(session.tenantId, () => checkedKeys(services, staged));
    requireSamePair(session, column, keyId);
    const changed = await keepObject(
      services,
      session,
      staged,
      () => nameKeys(services, session, column, keyId, staged.digest),
    );
    if (session[column] !== staged.digest) await releaseObject(services, session[column]);
    return changed;
  } finally {
    await staged.discard();
  }
}

async function nameKeys(
  services: Services,
  session: TrainingSessionRow,
  column: KeyColumn,
  keyId: string,
  digest: string,
) {
  const change = { [column]: digest, keyId };
  const changed = await changeTrainingSession(services.database, session.id, statesOf("prepare"), change);
  if (changed === undefined) throw unknownSession();
  return changed;
}

async function checkedKeys({ backend }: Services, staged: StagedObject): Promise<{ column: KeyColumn; keyId: string }> {
  const file = await staged.read();
  const kinds = ["training_keys", "public_key"] as const;
  const { header, payload } = decodeFile(file, { kind: kinds, parameterSet: backend.parameterSet });
  if (header.kind === "training_keys") {
    (await backend.training.loadTrainingKeys(payload)).close();
    return { column: "trainingKeysObject", keyId: header.keyId.toHex() };
  }
  if (header.recordCount === 1 && payload.length === PUBLIC_KEY_BYTES) {
    return { column: "publicKeyObject", keyId: header.keyId.toHex() };
  }
  throw new SottoError("malformed_file", `a public key has ${PUBLIC_KEY_BYTES} bytes, this one ${payload.length}`);
}

/** The first file decides the key pair; as long as it is the only one it may be replaced by one of another pair. */
function requireSamePair(session: TrainingSessionRow, column: KeyColumn, keyId: string): void {
  const other = column === "publicKeyObject" ? session.trainingKeysObject : session.publicKeyObject;
  if (session.keyId === null || session.keyId === keyId || other === null) return;
  throw new SottoError("wrong_key", `the session has keys of key pair ${session.keyId}, these are of ${keyId}`);
}
