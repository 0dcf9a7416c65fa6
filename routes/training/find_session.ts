/** Who asks for which session: its owner, with a token of the tenant, or one of its data owners, with a token of its own. */
import {
  findTrainingOwner,
  findTrainingSession,
  type TokenInfo,
  type TrainingOwnerRow,
  type TrainingSessionRow,
} from "../../db/mod.ts";
import { SottoError } from "../../errors.ts";
import { unknownSession } from "../../jobs/mod.ts";
import type { Services } from "../services.ts";

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
