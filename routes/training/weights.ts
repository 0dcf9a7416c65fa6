/** Encrypted weights as files: fetched at any time, and put back refreshed between two runs. */
import type { ServerBackend } from "../../circuits/backend.ts";
import { firstState } from "../../circuits/training/first_state.ts";
import {
  checkpointBytes,
  decodeCheckpoint,
  encodeCheckpoint,
  loadWeights,
  type TrainingState,
} from "../../circuits/training/mod.ts";
import { DIGEST_BYTES, HEADER_BYTES, inputRecordBytes } from "../../circuits/wire.ts";
import { changeTrainingSession, type TrainingSessionRow } from "../../db/mod.ts";
import { SottoError } from "../../errors.ts";
import { COEFFICIENT_BITS, CURRENT } from "../../params/mod.ts";
import type { Services } from "../services.ts";
import { requireAllowed, statesOf } from "./states.ts";
import { decodeTrainingFile, encodeTrainingFile, sessionBytes } from "../../circuits/training_file.ts";
import { FLAG_FRESH } from "../../circuits/wire.ts";
import { specOf, unknownSession } from "../../jobs/mod.ts";
import { releaseObject, storeObject } from "../../store/mod.ts";

/** The longest weights file of a session: a state, which is longer than its seeded records, except for a last record half filled. */
export function weightsFileBytes(session: TrainingSessionRow): number {
  return HEADER_BYTES + checkpointBytes(specOf(session)) + inputRecordBytes(COEFFICIENT_BITS) + DIGEST_BYTES;
}

/** The state of the last checkpoint, or the public one that training starts from. */
export async function savedState({ store }: Services, session: TrainingSessionRow): Promise<TrainingState> {
  const spec = specOf(session);
  if (session.checkpointObject === null) return firstState(spec);
  return decodeCheckpoint(spec, await store.get(session.checkpointObject));
}

/** The weights of the last checkpoint. Throws `key_missing` while the session has no key pair. */
export async function weightsFile(services: Services, session: TrainingSessionRow) {
  if (session.keyId === null) {
    throw new SottoError("key_missing", "the session has no keys yet: send them with PUT .../keys");
  }
  const state = await savedState(services, session);
  const header = {
    kind: "training_weights",
    parameterSet: services.backend.parameterSet,
    keyId: Uint8Array.fromHex(session.keyId),
    subject: sessionBytes(session.id),
    rowCount: state.step,
    flags: 0,
  } as const;
  return { file: encodeTrainingFile(header, encodeCheckpoint(specOf(session), state)), step: state.step };
}

/**
 * Goes on from weights that the owner refreshed: those of the step that the session has reached.
 * Throws `session_state`, `conflict` for another step, `wrong_key`, `malformed_file`, and what reading a file throws.
 */
export async function putWeights(
  services: Services,
  session: TrainingSessionRow,
  file: Uint8Array,
): Promise<TrainingSessionRow> {
  requireAllowed(session.state, "put_weights");
  const checkpoint = checkedWeights(services.backend, session, file);
  const changed = await storeObject(services, session, checkpoint, (checkpointObject) => {
    const states = statesOf("put_weights");
    return changeTrainingSession(services.database, session.id, states, { checkpointObject });
  });
  if (changed === undefined) throw unknownSession();
  if (session.checkpointObject !== changed.checkpointObject) await releaseObject(services, session.checkpointObject);
  return changed;
}

function checkedWeights(backend: ServerBackend, session: TrainingSessionRow, file: Uint8Array): Uint8Array {
  const { parameterSet } = backend;
  const { header, payload } = decodeTrainingFile(file, { kind: "training_weights", parameterSet });
  const keyId = header.keyId.toHex();
  if (keyId !== session.keyId) {
    throw new SottoError("wrong_key", `the weights are of key pair ${keyId}, the session has ${session.keyId}`);
  }
  if (header.subject.toHex() !== sessionBytes(session.id).toHex()) {
    throw new SottoError("malformed_file", "the weights are of another session");
  }
  if (header.rowCount !== session.step) {
    const message = `the weights are those after step ${header.rowCount}, the session has done ${session.step}`;
    throw new SottoError("conflict", `${message}: fetch its weights again`);
  }
  const state = header.flags === FLAG_FRESH
    ? loadWeights(backend, specOf(session), payload, session.step)
    : decodeCheckpoint(specOf(session), payload);
  requireState(session, state);
  return encodeCheckpoint(specOf(session), state);
}

function requireState(session: TrainingSessionRow, { step, weights }: TrainingState): void {
  if (step !== session.step) {
    throw new SottoError("malformed_file", `the state is that of step ${step}, not of its header`);
  }
  if (weights.some((chunk) => chunk.some((word) => word >= CURRENT.modulus))) {
    throw new SottoError("malformed_file", "the weights have a coefficient beyond the modulus");
  }
}
