import assert from "node:assert/strict";
import { join } from "node:path";
import { openFileStore } from "../../store/mod.ts";
import { sotto, withFolder } from "./support.ts";

/** A data folder with one object that nothing names. */
async function withGarbage(work: (dataDir: string, digest: string) => Promise<void>): Promise<void> {
  await withFolder(async (folder) => {
    assert.equal((await sotto(["tenants", "create", "clinic", "--data", folder])).code, 0);
    const store = await openFileStore(join(folder, "objects"));
    const { digest } = await store.put(new Uint8Array(7), { maxBytes: 7 });
    await store.close();
    await work(folder, digest);
  });
}

const pathOf = (dataDir: string, digest: string) => join(dataDir, "objects", digest.slice(0, 2), digest);

Deno.test("sotto store collect counts with --dry-run, and removes what is old enough", () =>
  withGarbage(async (dataDir, digest) => {
    const collect = async (...options: string[]) =>
      JSON.parse((await sotto(["store", "collect", "--json", "--data", dataDir, ...options])).out)[0];
    assert.deepEqual(await collect(), { objects: 0, bytes: 0, leftovers: 0 });
    await Deno.utime(pathOf(dataDir, digest), new Date("2026-01-01"), new Date("2026-01-01"));
    assert.deepEqual(await collect("--dry-run"), { objects: 1, bytes: 7, leftovers: 0 });
    assert.deepEqual(await collect(), { objects: 1, bytes: 7, leftovers: 0 });
    assert.deepEqual(await collect(), { objects: 0, bytes: 0, leftovers: 0 });
  }));

Deno.test("sotto store check names a changed object and fails", () =>
  withGarbage(async (dataDir, digest) => {
    const right = await sotto(["store", "check", "--data", dataDir]);
    assert.deepEqual([right.code, right.err], [0, "1 objects, 7 bytes, 0 problems\n"]);
    await Deno.writeFile(pathOf(dataDir, digest), new Uint8Array(8));
    const wrong = await sotto(["store", "check", "--json", "--data", dataDir]);
    assert.equal(wrong.code, 1);
    assert.match(wrong.err, /store_corrupt/);
    assert.deepEqual(JSON.parse(wrong.out), [{ digest, problem: "changed", tenants: [] }]);
  }));
