/** Who asks for which session: its owner, with a token of the tenant, or one of its data owners, with a token of its own. */
import { parseTrainingSpec, type TrainingSpec } from "../../circuits/training/spec.ts";
import {
  findTrainingOwner,
  findTrainingSession,
  type TokenInfo,
  type TrainingOwnerRow,
  type TrainingSessionRow,
} from "../../db/mod.ts";
import { SottoError } from "../../errors.ts";
import type { Services } from "../services.ts";

/** The error for a session that the caller has not, whoever else has it. */
export function unknownSession(): SottoError {
  return new SottoError(
    "session_unknown",
    "you have no training session with this id: it was deleted, or is another's",
  );
}

/** Throws `scope_missing` for the token of a data owner. */
export function requireSessionOwner(caller: TokenInfo): void {
  if (caller.trainingOwnerId === null) return;
  throw new SottoError("scope_missing", "this is for the owner of the session, yours is the token of a data owner");
}

/** The session of its owner. Throws `scope_missing` or `session_unknown`. */
export async function ownSession({ database }: Services, caller: TokenInfo, id: string): Promise<TrainingSessionRow> {
  requireSessionOwner(caller);
  const session = await findTrainingSession(database, caller.tenantId, id);
  if (session === undefined) throw unknownSession();
  return session;
}

/** The data owner whose token this is, with its session. Throws `scope_missing` or `session_unknown`. */
export async function dataOwner(
  { database }: Services,
  caller: TokenInfo,
  id: string,
): Promise<{ session: TrainingSessionRow; owner: TrainingOwnerRow }> {
  if (caller.trainingOwnerId === null) {
    throw new SottoError("scope_missing", "this is for data owners: use the token that POST .../owners answered");
  }
  const owner = await findTrainingOwner(database, caller.trainingOwnerId);
  if (owner?.sessionId !== id) throw unknownSession();
  const session = await findTrainingSession(database, caller.tenantId, id);
  if (session === undefined) throw unknownSession();
  return { session, owner };
}

/** The specification of a session. */
export function specOf({ spec }: Pick<TrainingSessionRow, "spec">): TrainingSpec {
  return parseTrainingSpec(spec);
}
