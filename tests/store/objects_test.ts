import assert from "node:assert/strict";
import {
  changeTenant,
  deleteEvaluationKeys,
  deleteTenant,
  endTask,
  holdObject,
  insertEvaluationKeys,
  listTenants,
  storageUse,
  takeTask,
} from "../../db/mod.ts";
import {
  checkObjects,
  collectObjects,
  holdStaged,
  keepObject,
  ObjectCollector,
  releaseObject,
} from "../../store/mod.ts";
import { keepRow, LATER, newTenant, PLENTY, rowNaming, testOnBothDatabases } from "./objects_support.ts";

const bytesOf = (length: number, first = 0) => new Uint8Array(length).with(0, first);
const LIMITS = { maxBytes: 1 << 20 };

testOnBothDatabases({
  "an object goes with the last row that names it, whoever's it is": async ([one, two]) => {
    const [ours, theirs] = [await newTenant(one), await newTenant(one)];
    const first = await keepRow(one, ours, bytesOf(10));
    const second = await keepRow(two, theirs, bytesOf(10));
    await deleteEvaluationKeys(one.database, ours, first.digest);
    assert.equal(await releaseObject(one, first.objectDigest), false);
    assert.deepEqual(await two.store.get(second.objectDigest), bytesOf(10));
    await deleteEvaluationKeys(two.database, theirs, second.digest);
    assert.equal(await releaseObject(two, second.objectDigest), true);
    assert.equal(await one.store.has(first.objectDigest), false);
  },

  "an object whose row does not come is removed and not counted": async ([one]) => {
    const tenant = await newTenant(one);
    const staged = await one.store.stage(bytesOf(5), LIMITS);
    const refuse = () => Promise.reject(new Error("no row"));
    await assert.rejects(keepObject(one, { tenantId: tenant }, staged, refuse), /no row/);
    assert.equal(await one.store.has(staged.digest), false);
    assert.equal((await storageUse(one.database, tenant, 100)).bytes, 0);
  },

  "bytes are counted once an object and tenant, and bounded over all servers": async ([one, two]) => {
    const tenant = await newTenant(one);
    const small = { ...one, config: { tenantBytes: 25 } };
    const row = await keepRow(small, tenant, bytesOf(10, 1));
    await keepRow(two, tenant, bytesOf(10, 1));
    await keepRow(small, tenant, bytesOf(10, 2));
    const use = { bytes: 20, objects: 2, bytesMax: 25 };
    assert.deepEqual(await storageUse(two.database, tenant, 25), use);
    await assert.rejects(keepRow(small, tenant, bytesOf(6, 3)), { code: "quota_exceeded" });
    assert.deepEqual(await storageUse(two.database, tenant, 25), use);
    await keepRow(small, tenant, bytesOf(10, 1));
    const staged = await small.store.stage(bytesOf(6, 3), LIMITS);
    await (await holdStaged(small, { tenantId: tenant, admitted: true }, staged)).end();
    await deleteEvaluationKeys(one.database, tenant, row.digest);
    await releaseObject(one, row.objectDigest);
    assert.equal((await storageUse(one.database, tenant, 25)).bytes, 20, "other rows of the tenant name it still");
  },

  "a tenant's own limit stands before the server's": async ([one]) => {
    const tenant = await newTenant(one);
    const { name } = (await listTenants(one.database)).find(({ id }) => id === tenant)!;
    await changeTenant(one.database, name, { bytesMax: 4 });
    await assert.rejects(keepRow(one, tenant, bytesOf(5)), { code: "quota_exceeded" });
    await changeTenant(one.database, name, { bytesMax: null });
    await keepRow(one, tenant, bytesOf(5));
  },

  "uploads at the same time never store more than the tenant may": async ([one, two]) => {
    const tenant = await newTenant(one);
    const config = { tenantBytes: 45 };
    const keep = (n: number) => keepRow({ ...(n % 2 ? one : two), config }, tenant, bytesOf(10, n + 1));
    const results = await Promise.allSettled(Array.from({ length: 10 }, (_, n) => keep(n)));
    assert.equal(results.filter(({ status }) => status === "fulfilled").length, 4);
    for (const result of results) if (result.status === "rejected") assert.equal(result.reason.code, "quota_exceeded");
    assert.equal((await storageUse(one.database, tenant, 45)).bytes, 40);
  },

  "a collection takes what nothing names, and only that": async ([one, two]) => {
    const tenant = await newTenant(one);
    const named = await keepRow(one, tenant, bytesOf(10, 1));
    const { digest: garbage } = await one.store.put(bytesOf(7, 2), LIMITS);
    const held = await holdStaged(two, { tenantId: tenant }, await two.store.stage(bytesOf(8, 3), LIMITS));
    const young = { before: new Date(Date.now() - 3_600_000) };
    assert.deepEqual(await collectObjects(two, young), { objects: 0, bytes: 0, leftovers: 0 });
    const found = { objects: 1, bytes: 7, leftovers: 0 };
    assert.deepEqual(await collectObjects(two, { before: LATER(), dryRun: true }), found);
    assert.equal(await one.store.has(garbage), true);
    assert.deepEqual(await collectObjects(two, { before: LATER() }), found);
    const left = [named.objectDigest, held.digest];
    assert.deepEqual(await Promise.all([garbage, ...left].map((digest) => one.store.has(digest))), [false, true, true]);
    await held.end();
    assert.equal(await one.store.has(held.digest), false);
  },

  "a collection corrects what is counted": async ([one]) => {
    const [tenant, gone] = [await newTenant(one), await newTenant(one)];
    const row = await keepRow(one, tenant, bytesOf(10, 1));
    await deleteEvaluationKeys(one.database, tenant, row.digest);
    const lost = await keepRow(one, gone, bytesOf(3, 2));
    const { name } = (await listTenants(one.database)).find(({ id }) => id === gone)!;
    await changeTenant(one.database, name, { disabledAt: new Date() });
    await deleteTenant(one.database, name);
    const uncounted = await one.store.put(bytesOf(4, 3), LIMITS);
    await insertEvaluationKeys(one.database, rowNaming(tenant, uncounted.digest));
    assert.deepEqual(await collectObjects(one, { before: LATER() }), { objects: 2, bytes: 13, leftovers: 0 });
    assert.equal(await one.store.has(lost.objectDigest), false);
    assert.equal((await storageUse(one.database, tenant, 100)).bytes, 4);
  },

  "a collection that would take most objects of a store is refused unless it is meant": async ([one]) => {
    for (let n = 0; n < 100; n++) await one.store.put(bytesOf(2, n), LIMITS);
    await assert.rejects(collectObjects(one, { before: LATER() }), { code: "conflict" });
    assert.equal((await collectObjects(one, { before: LATER(), all: true })).objects, 100);
  },

  "rows never lose their object, whatever two servers keep, release and collect": async ([one, two]) => {
    const tenants = [await newTenant(one), await newTenant(one)];
    const worker = async (n: number) => {
      const parts = n % 2 ? one : two;
      for (let round = 0; round < 20; round++) {
        const tenant = tenants[(n + round) % 2];
        const row = await keepRow(parts, tenant, bytesOf(9, round % 3));
        assert.equal((await (n % 2 ? two : one).store.get(row.objectDigest)).length, 9);
        await deleteEvaluationKeys(parts.database, tenant, row.digest);
        await releaseObject(parts, row.objectDigest);
      }
    };
    let busy = true;
    const collector = async () => {
      while (busy) await collectObjects(two, { before: LATER(), all: true });
    };
    const collecting = collector();
    await Promise.all([0, 1, 2, 3].map(worker)).finally(() => busy = false);
    await collecting;
    assert.deepEqual(await Array.fromAsync(one.store.list()), []);
    for (const tenant of tenants) assert.equal((await storageUse(one.database, tenant, 100)).bytes, 0);
  },

  "the check finds what was changed and what is missing": async ([one]) => {
    const tenant = await newTenant(one);
    const right = await keepRow(one, tenant, bytesOf(10, 1));
    const missing = await keepRow(one, tenant, bytesOf(10, 2));
    await one.store.delete(missing.objectDigest);
    const problems = [{ digest: missing.objectDigest, problem: "missing", tenants: [tenant] }];
    assert.deepEqual(await checkObjects(one), { objects: 1, bytes: 10, problems });
    assert.equal(await one.store.has(right.objectDigest), true);
  },

  "one of several collectors works, and all wait until it is due again": async ([one, two]) => {
    const collected: string[] = [];
    const collector = (name: string, parts: typeof one) =>
      new ObjectCollector({
        ...parts,
        config: { ...PLENTY, objectGraceMinutes: 1 },
        onCollected: () => collected.push(name),
        onFailure: (error) => {
          throw error;
        },
      });
    const [first, second] = [collector("first", one), collector("second", two)];
    await first.collect();
    await second.collect();
    await first.collect();
    assert.deepEqual(collected, ["first"]);
    await Promise.all([first.close(), second.close()]);
  },

  "a task belongs to one holder until it ends it or is late": async ([one, two]) => {
    const [mine, yours] = [crypto.randomUUID(), crypto.randomUUID()];
    assert.equal(await takeTask(one.database, "task", mine, 60), true);
    assert.equal(await takeTask(two.database, "task", yours, 60), false);
    await endTask(two.database, "task", yours, -1);
    assert.equal(await takeTask(two.database, "task", yours, 60), false);
    await endTask(one.database, "task", mine, -1);
    assert.equal(await takeTask(two.database, "task", yours, -1), true);
    assert.equal(await takeTask(one.database, "task", mine, 60), true);
  },

  "a held object of an unknown tenant is refused": async ([one]) => {
    const object = { tenantId: crypto.randomUUID(), digest: "ab".repeat(32), bytes: 1 };
    await assert.rejects(holdObject(one.database, object, 10));
  },
});
