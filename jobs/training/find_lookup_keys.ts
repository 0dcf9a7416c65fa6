import { lookupSettingOf } from "../../circuits/training/mod.ts";
import { type EvaluationKeysRow, findCapability, type TrainingSessionRow } from "../../db/mod.ts";
import { SottoError } from "../../errors.ts";
import type { Computing } from "../compute/computing.ts";
import { specOf } from "./spec_of.ts";

/** The registered lookup keys of the session's key pair. Throws `key_missing` naming what to send or to make. */
export async function findLookupKeys(
  { database }: Pick<Computing, "database">,
  session: TrainingSessionRow,
): Promise<EvaluationKeysRow> {
  const { keyId, tenantId } = session;
  if (keyId === null || session.trainingKeysObject === null || session.publicKeyObject === null) {
    const message = "the session needs a training key file and a public key file: send both with PUT .../keys";
    throw new SottoError("key_missing", message);
  }
  const capability = `lookup${lookupSettingOf(specOf(session))}` as const;
  const row = await findCapability(database, { tenantId, keyId }, capability);
  if (row !== undefined) return row;
  const command = `sotto keys make --capability ${capability} --key SECRET_KEY_FILE`;
  const message = `no ${capability} keys of key pair ${keyId} are registered, or they have expired`;
  throw new SottoError("key_missing", `${message}: make them with \`${command}\` and register them`);
}
