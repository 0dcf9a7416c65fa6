import assert from "node:assert/strict";
import { join } from "node:path";
import { uploadsIn } from "../tests/support/uploads.ts";
import { openFileStore } from "./mod.ts";
import { sha256, testObjectStore, type WithStore } from "./object_store_suite.ts";

const LIMITS = { maxBytes: 1 << 20 };

async function withFolder(work: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await work(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

const leftovers = (folder: string) => uploadsIn(join(folder, "tmp"));
const pathOf = (folder: string, digest: string) => join(folder, digest.slice(0, 2), digest);

const withStore: WithStore = (work) =>
  withFolder(async (folder) => {
    const store = await openFileStore(folder);
    const overwrite = (digest: string, bytes: Uint8Array) => Deno.writeFile(pathOf(folder, digest), bytes);
    try {
      await work({ store, overwrite, leftovers: () => Promise.resolve(leftovers(folder)) });
    } finally {
      await store.close();
    }
  });

testObjectStore("file store", withStore, 1 << 20);

Deno.test("closing a file store leaves nothing but objects", () =>
  withFolder(async (folder) => {
    const store = await openFileStore(folder);
    const { digest } = await store.put(new Uint8Array([1]), LIMITS);
    await store.stage(new Uint8Array([2]), LIMITS);
    await store.close();
    const names = (path: string) => [...Deno.readDirSync(path)].map(({ name }) => name).sort();
    assert.deepEqual(names(folder), [digest.slice(0, 2), "tmp"].sort());
    assert.deepEqual(names(join(folder, "tmp")), ["lock"]);
  }));

Deno.test("two stores of one folder share its objects and leave each other's uploads alone", () =>
  withFolder(async (folder) => {
    const first = await openFileStore(folder);
    const staged = await first.stage(new Uint8Array([4]), LIMITS);
    const second = await openFileStore(folder);
    assert.equal(await second.removeLeftovers(new Date()), 0);
    await staged.commit();
    assert.deepEqual(await second.get(staged.digest), new Uint8Array([4]));
    await Promise.all([first.close(), second.close()]);
  }));

Deno.test("what a killed process had on its way in is removed when it is dead, not before", () =>
  withFolder(async (folder) => {
    const child = startUpload(folder);
    await firstLine(child.stdout);
    assert.equal(leftovers(folder).length, 1);
    const living = await openFileStore(folder);
    assert.equal(leftovers(folder).length, 1);
    child.kill("SIGKILL");
    await child.status;
    assert.equal(await living.removeLeftovers(new Date()), 1);
    assert.deepEqual(leftovers(folder), []);
    await living.close();
  }));

Deno.test("a folder that cannot be written is unavailable, not corrupt", () =>
  withFolder(async (folder) => {
    const path = join(folder, "file");
    await Deno.writeTextFile(path, "no folder");
    await assert.rejects(openFileStore(path), { code: "store_unavailable" });
    const store = await openFileStore(join(folder, "objects"));
    await Deno.remove(join(folder, "objects", "tmp"), { recursive: true });
    await assert.rejects(store.check(), { code: "store_unavailable" });
    await assert.rejects(store.put(new Uint8Array([1]), LIMITS), { code: "store_unavailable" });
    await Deno.mkdir(join(folder, "objects", "tmp"));
    await store.close();
  }));

Deno.test("a folder that goes away is unavailable until it is back, and nothing on its way in is left over", () =>
  withFolder(async (parent) => {
    const [folder, away] = [join(parent, "objects"), join(parent, "away")];
    const store = await openFileStore(folder);
    const { digest } = await store.put(new Uint8Array([1]), LIMITS);
    const staged = await store.stage(new Uint8Array([2]), LIMITS);
    await Deno.rename(folder, away);
    await Deno.writeTextFile(folder, "something else is here");
    for (const work of [() => store.get(digest), () => staged.commit(), () => store.put(new Uint8Array(1), LIMITS)]) {
      await assert.rejects(work(), { code: "store_unavailable" });
    }
    await staged.discard();
    await Deno.remove(folder);
    await Deno.rename(away, folder);
    assert.deepEqual([...await store.get(digest)], [1]);
    await store.removeLeftovers(new Date());
    assert.deepEqual(await leftovers(folder), []);
    await store.close();
  }));

Deno.test("a digest that is no digest reaches no path", () =>
  withStore(async ({ store }) => {
    for (const name of ["../secret", sha256(new Uint8Array()).toUpperCase(), ""]) {
      await assert.rejects(async () => await store.has(name), { code: "internal" });
    }
  }));

function startUpload(folder: string): Deno.ChildProcess {
  const code = `
    import { openFileStore } from ${JSON.stringify(import.meta.resolve("./file_store.ts"))};
    const store = await openFileStore(${JSON.stringify(folder)});
    await store.stage(new Uint8Array([1]), { maxBytes: 1 });
    console.log("staged");
    setInterval(() => {}, 1000);`;
  return new Deno.Command(Deno.execPath(), { args: ["eval", code], stdout: "piped", stderr: "null" }).spawn();
}

async function firstLine(output: ReadableStream<Uint8Array>): Promise<void> {
  const reader = output.getReader();
  assert.equal((await reader.read()).done, false);
  await reader.cancel();
}
