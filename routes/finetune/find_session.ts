import {
  type BaseModelRow,
  findBaseModel,
  findFineTuningSession,
  type FineTuningSessionRow,
  type TokenInfo,
} from "../../db/mod.ts";
import { SottoError } from "../../errors.ts";
import type { TokenParameterSet } from "../../params/mod.ts";
import type { Services } from "../services.ts";
import { TOKEN_SETS } from "./schemas.ts";

/** The error for a base model that the tenant has not, whoever else has it. */
export function unknownBaseModel(): SottoError {
  return new SottoError("model_unknown", "you have no base model with this id: list yours with GET /v1/base-models");
}

/** The error for a session that the tenant has not. */
export function unknownSession(): SottoError {
  return new SottoError(
    "session_unknown",
    "you have no fine-tuning session with this id: it was ended, or is another's",
  );
}

/** Throws `scope_missing` for the token of a data owner, which reaches its training session only. */
export function requireTenant(caller: TokenInfo): string {
  if (caller.trainingOwnerId === null) return caller.tenantId;
  throw new SottoError(
    "scope_missing",
    "the token of a data owner reaches its training session only: use another token",
  );
}

/** A tenant's base model. Throws `scope_missing` or `model_unknown`. */
export async function ownBaseModel({ database }: Services, caller: TokenInfo, id: string): Promise<BaseModelRow> {
  const row = await findBaseModel(database, requireTenant(caller), id);
  if (row === undefined) throw unknownBaseModel();
  return row;
}

/** A session with its base model and its parameter set. */
export interface OpenSession {
  readonly session: FineTuningSessionRow;
  readonly model: BaseModelRow;
  readonly set: TokenParameterSet;
}

/** A tenant's session. Throws `scope_missing` or `session_unknown`. */
export async function ownSession(services: Services, caller: TokenInfo, id: string): Promise<OpenSession> {
  const session = await findFineTuningSession(services.database, requireTenant(caller), id);
  if (session === undefined) throw unknownSession();
  return await openSession(services, session);
}

/** Finds what a session works with. */
export async function openSession({ database }: Services, session: FineTuningSessionRow): Promise<OpenSession> {
  const model = await findBaseModel(database, session.tenantId, session.baseModelId);
  const set = TOKEN_SETS.get(session.parameterSet);
  if (model === undefined || set === undefined) throw unknownSession();
  return { session, model, set };
}
