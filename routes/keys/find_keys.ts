/** Which registered key files a prediction computes with. */
import type { Capability } from "../../circuits/backend.ts";
import { type EvaluationKeysRow, findCapability, findEvaluationKeys } from "../../db/mod.ts";
import { SottoError } from "../../errors.ts";
import { unknownKeys } from "../../jobs/mod.ts";
import type { Services } from "../services.ts";

/**
 * One row a needed capability, all of the key pair that the registered file `id` belongs to; nothing when nothing is needed.
 * Throws `malformed_request` without an id, `key_unknown`, `key_expired`, `wrong_parameter_set`, `key_missing`.
 */
export async function findKeyRows(
  services: Services,
  tenantId: string,
  needs: readonly Capability[],
  id: string | undefined,
): Promise<EvaluationKeysRow[]> {
  if (needs.length === 0) return [];
  if (id === undefined) {
    const files = needs.join(" and ");
    throw new SottoError(
      "malformed_request",
      `key: name a registered key file with ?key=ID, the model needs ${files} keys`,
    );
  }
  const named = await findEvaluationKeys(services.database, tenantId, id);
  if (named === undefined) throw unknownKeys();
  requireUsable(services, named);
  const rows: EvaluationKeysRow[] = [];
  for (const capability of needs) rows.push(await findRow(services, named, capability));
  return rows;
}

async function findRow(
  services: Services,
  named: EvaluationKeysRow,
  capability: Capability,
): Promise<EvaluationKeysRow> {
  if (named.capability === capability) return named;
  const row = await findCapability(services.database, named, capability);
  if (row === undefined) throw missing(named.keyId, capability);
  requireUsable(services, row);
  return row;
}

function missing(keyId: string, capability: Capability): SottoError {
  const command = `sotto keys make --capability ${capability} --key SECRET_KEY_FILE`;
  return new SottoError(
    "key_missing",
    `the model needs ${capability} keys, and none of key pair ${keyId} are registered (or they have expired): ` +
      `make them with \`${command}\` and register them`,
  );
}

function requireUsable({ backend }: Services, row: EvaluationKeysRow): void {
  if (row.expiresAt <= new Date()) {
    throw new SottoError("key_expired", `the keys expired at ${row.expiresAt.toISOString()}: register them again`);
  }
  if (row.parameterSet === backend.parameterSet) return;
  const sets = `${row.parameterSet}, this server computes with ${backend.parameterSet}`;
  throw new SottoError("wrong_parameter_set", `the keys were made with ${sets}: make and register new keys`);
}
