import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { join } from "node:path";
import fc from "fast-check";
import { openFileStore } from "./mod.ts";

const LIMITS = { maxBytes: 1 << 20 };

async function withStore(work: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await work(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

const sha256 = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");

Deno.test("what is put comes back under its SHA-256, whatever the chunks", () =>
  withStore(async (folder) => {
    const store = await openFileStore(folder);
    await fc.assert(
      fc.asyncProperty(fc.array(fc.uint8Array({ maxLength: 300 })), async (chunks) => {
        const whole = new Uint8Array(chunks.flatMap((chunk) => [...chunk]));
        const { digest, bytes } = await store.put(ReadableStream.from(chunks), LIMITS);
        assert.equal(digest, sha256(whole));
        assert.equal(bytes, whole.length);
        assert.deepEqual(await store.get(digest), whole);
        assert.deepEqual(await new Response(await store.openReadable(digest)).bytes(), whole);
      }),
      { numRuns: 30 },
    );
  }));

Deno.test("a body above the limit is refused and leaves nothing behind", () =>
  withStore(async (folder) => {
    const store = await openFileStore(folder);
    await assert.rejects(store.put(new Uint8Array(11), { maxBytes: 10 }), { code: "body_too_large" });
    assert.deepEqual([...Deno.readDirSync(join(folder, "tmp"))], []);
  }));

Deno.test("a staged object is invisible until it is committed", () =>
  withStore(async (folder) => {
    const store = await openFileStore(folder);
    const staged = await store.stage(new Uint8Array([1, 2]), LIMITS);
    assert.equal(await store.has(staged.digest), false);
    await staged.commit();
    await staged.discard();
    assert.equal(await store.has(staged.digest), true);
  }));

Deno.test("a discarded object never appears and a source that fails leaves nothing behind", () =>
  withStore(async (folder) => {
    const store = await openFileStore(folder);
    const staged = await store.stage(new Uint8Array([3]), LIMITS);
    await staged.discard();
    assert.equal(await store.has(staged.digest), false);
    const broken = new ReadableStream<Uint8Array>({ pull: (controller) => controller.error(new Error("gone")) });
    await assert.rejects(store.put(broken, LIMITS), /gone/);
    assert.deepEqual([...Deno.readDirSync(join(folder, "tmp"))], []);
  }));

Deno.test("leftovers of a dead process are removed when the store opens", () =>
  withStore(async (folder) => {
    await openFileStore(folder);
    await Deno.writeFile(join(folder, "tmp", "half"), new Uint8Array(5));
    await openFileStore(folder);
    assert.deepEqual([...Deno.readDirSync(join(folder, "tmp"))], []);
  }));

Deno.test("an object that was changed on disk is refused, and uploading it again repairs it", () =>
  withStore(async (folder) => {
    const store = await openFileStore(folder);
    const { digest } = await store.put(new Uint8Array([7, 8]), LIMITS);
    await Deno.writeFile(join(folder, digest.slice(0, 2), digest), new Uint8Array([7, 9]));
    await assert.rejects(store.get(digest), { code: "store_corrupt" });
    await store.put(new Uint8Array([7, 8]), LIMITS);
    assert.deepEqual(await store.get(digest), new Uint8Array([7, 8]));
  }));

Deno.test("a deleted object is gone and deleting it again is no error", () =>
  withStore(async (folder) => {
    const store = await openFileStore(folder);
    const { digest } = await store.put(new Uint8Array([1]), LIMITS);
    await store.delete(digest);
    await store.delete(digest);
    assert.equal(await store.has(digest), false);
    await assert.rejects(store.get(digest), { code: "store_corrupt" });
  }));

Deno.test("work on one object never overlaps and keeps its order", () =>
  withStore(async (folder) => {
    const store = await openFileStore(folder);
    const seen: string[] = [];
    const work = (name: string, ms: number) => async () => {
      seen.push(`${name} starts`);
      await new Promise((resolve) => setTimeout(resolve, ms));
      seen.push(`${name} ends`);
    };
    await Promise.all([store.exclusive("d", work("a", 10)), store.exclusive("d", work("b", 0))]);
    assert.deepEqual(seen, ["a starts", "a ends", "b starts", "b ends"]);
  }));
