import { capabilityOf, decodeFile } from "../../circuits/wire.ts";
import { type EvaluationKeysRow, findEvaluationKeys, insertEvaluationKeys, renewEvaluationKeys } from "../../db/mod.ts";
import { keepObject, type StagedObject } from "../../store/mod.ts";
import { loadKeys } from "../../jobs/mod.ts";
import type { Services } from "../services.ts";

const DAY_MS = 86_400_000;

/**
 * Takes a key file: staged, checked (header, digest, one load by the back end), made visible, then named by a row,
 * in this order, so that a crash never leaves a row without its object. The same file again renews keys that have expired and
 * else changes nothing.
 */
export async function register(
  services: Services,
  tenantId: string,
  body: ReadableStream<Uint8Array>,
): Promise<{ row: EvaluationKeysRow; created: boolean }> {
  const staged = await services.store.stage(body, { maxBytes: services.config.maxKeyBytes });
  try {
    const row = await services.keyChecks.turn(tenantId, () => checkedRow(services, tenantId, staged));
    return await keepObject(services, row, staged, () => addRow(services, row));
  } finally {
    await staged.discard();
  }
}

async function checkedRow(services: Services, tenantId: string, staged: StagedObject): Promise<EvaluationKeysRow> {
  const { backend, config } = services;
  const { header, payload, digest } = decodeFile(await staged.read(), {
    kind: ["evaluation_keys", "lookup_keys"],
    parameterSet: backend.parameterSet,
    maxBytes: config.maxKeyBytes,
  });
  const capability = capabilityOf(header);
  (await loadKeys(backend, capability, payload)).close();
  const createdAt = new Date();
  return {
    tenantId,
    digest,
    objectDigest: staged.digest,
    keyId: header.keyId.toHex(),
    capability,
    parameterSet: header.parameterSet,
    bytes: staged.bytes,
    createdAt,
    expiresAt: new Date(createdAt.getTime() + config.keyExpiryDays * DAY_MS),
  };
}

async function addRow({ database }: Services, row: EvaluationKeysRow) {
  const known = await findEvaluationKeys(database, row.tenantId, row.digest);
  if (known !== undefined && known.expiresAt <= row.createdAt) {
    const renewed = await renewEvaluationKeys(database, row.tenantId, row.digest, row.expiresAt);
    if (renewed !== undefined) return { row: renewed, created: false };
  }
  return known === undefined ? insertEvaluationKeys(database, row) : { row: known, created: false };
}
