/** Registered keys, loaded for a computation. */
import type { Capability, EvaluationKeys, KeyRing, LookupKeys, ServerBackend } from "../../circuits/backend.ts";
import { decodeFile, lookupSettingOf } from "../../circuits/wire.ts";
import type { EvaluationKeysRow } from "../../db/mod.ts";
import type { Lease } from "./handle_cache.ts";
import type { Computing } from "./computing.ts";

/** Expands the payload of a key file. Throws `malformed_file` when the back end refuses it. */
export function loadKeys(
  backend: ServerBackend,
  capability: Capability,
  payload: Uint8Array,
): Promise<EvaluationKeys | LookupKeys> {
  const setting = lookupSettingOf(capability);
  return setting === undefined ? backend.loadEvaluationKeys(payload) : backend.loadLookupKeys(setting, payload);
}

/** The keys of some rows of one key pair, from memory or from their files; disposing of the lease gives all of them back. */
export async function leaseKeyRing(services: Computing, rows: readonly EvaluationKeysRow[]): Promise<Lease<KeyRing>> {
  using leases = new DisposableStack();
  let pack: EvaluationKeys | undefined;
  const lookups = new Map<LookupKeys["setting"], LookupKeys>();
  for (const row of rows) {
    const { value } = leases.use(await leaseKeys(services, row));
    if (value.brand === "EvaluationKeys") pack = value;
    else lookups.set(value.setting, value);
  }
  const kept = leases.move();
  return { value: { pack, lookups }, [Symbol.dispose]: () => kept.dispose() };
}

/** The file's digest was checked at its registration and is checked again by the store. */
function leaseKeys(services: Computing, row: EvaluationKeysRow): Promise<Lease<EvaluationKeys | LookupKeys>> {
  return services.preparedKeys.lease(row.objectDigest, async () => {
    const file = await services.store.get(row.objectDigest);
    return loadKeys(services.backend, row.capability, decodeFile(file).payload);
  });
}
