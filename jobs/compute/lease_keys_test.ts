import assert from "node:assert/strict";
import type { Capability, Handle } from "../../circuits/backend.ts";
import { plainBackend } from "../../circuits/plain.ts";
import { newKeys } from "../../client/keys.ts";
import type { EvaluationKeysRow } from "../../db/mod.ts";
import { SottoError } from "../../errors.ts";
import { HandleCache } from "./handle_cache.ts";
import type { Computing } from "./computing.ts";
import { leaseKeyRing } from "./lease_keys.ts";

/** The files of one pair in a store, and a cache that keeps nothing. */
async function prepare(capabilities: readonly Capability[]) {
  const backend = plainBackend();
  const { files } = await newKeys(backend, { capabilities });
  const get = (digest: string) => {
    const file = files.get(digest as Capability);
    return file ? Promise.resolve(file) : Promise.reject(new SottoError("store_corrupt", "it is gone"));
  };
  const loaded: Handle[] = [];
  for (const load of ["loadEvaluationKeys", "loadLookupKeys"] as const) {
    const original = backend[load].bind(backend) as (...args: unknown[]) => Promise<Handle>;
    Object.assign(backend, {
      [load]: (...args: unknown[]) => original(...args).then((keys) => (loaded.push(keys), keys)),
    });
  }
  const preparedKeys = new HandleCache(0, () => 1);
  const services = { backend, store: { get }, preparedKeys } as unknown as Computing;
  return { services, loaded };
}

const row = (capability: Capability) => ({ capability, objectDigest: capability }) as EvaluationKeysRow;

Deno.test("a key ring holds every file under its capability until it is given back", async () => {
  const { services, loaded } = await prepare(["pack", "lookup1", "lookup2"]);
  const lease = await leaseKeyRing(services, [row("lookup2"), row("pack"), row("lookup1")]);
  assert.equal(lease.value.pack?.brand, "EvaluationKeys");
  assert.deepEqual([...lease.value.lookups.keys()].sort(), [1, 2]);
  assert.equal(lease.value.lookups.get(2)?.setting, 2);
  assert.ok(loaded.length === 3 && loaded.every(({ closed }) => !closed));
  lease[Symbol.dispose]();
  await Promise.resolve();
  assert.ok(loaded.every(({ closed }) => closed));
});

Deno.test("no rows are an empty ring", async () => {
  const { services } = await prepare([]);
  using lease = await leaseKeyRing(services, []);
  assert.deepEqual(lease.value, { pack: undefined, lookups: new Map() });
});

Deno.test("when one file cannot be read the others are given back", async () => {
  const { services, loaded } = await prepare(["pack"]);
  await assert.rejects(leaseKeyRing(services, [row("pack"), row("lookup1")]), { code: "store_corrupt" });
  await Promise.resolve();
  assert.deepEqual(loaded.map(({ closed }) => closed), [true]);
});
