import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import fc from "fast-check";
import type { ObjectStore } from "./object_store.ts";

const LIMITS = { maxBytes: 64 << 20 };

/** A store that is open, and how to change an object behind its back. */
export interface StoreUnderTest {
  readonly store: ObjectStore;
  /** Puts other bytes in the place of an object. */
  overwrite(digest: string, bytes: Uint8Array<ArrayBuffer>): Promise<void>;
  /** What lies beside the objects: uploads under way. */
  leftovers(): Promise<string[]>;
}

/** Runs `work` with a new, empty store. */
export type WithStore = (work: (given: StoreUnderTest) => Promise<void>) => Promise<void>;

/** SHA-256, hex. */
export const sha256 = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");

const streamed = async (store: ObjectStore, digest: string) =>
  await new Response(await store.openReadable(digest)).bytes();

/** What every store must do. `partBytes`: an object of more bytes is stored in parts, if the store does that. */
export function testObjectStore(name: string, withStore: WithStore, partBytes: number): void {
  Deno.test(`${name}: what is put comes back under its SHA-256, whatever the chunks`, () =>
    withStore(async ({ store }) => {
      await fc.assert(
        fc.asyncProperty(fc.array(fc.uint8Array({ maxLength: 300 })), async (chunks) => {
          const whole = new Uint8Array(chunks.flatMap((chunk) => [...chunk]));
          const { digest, bytes } = await store.put(ReadableStream.from(chunks), LIMITS);
          assert.equal(digest, sha256(whole));
          assert.equal(bytes, whole.length);
          assert.deepEqual(await store.get(digest), whole);
          assert.deepEqual(await streamed(store, digest), whole);
        }),
        { numRuns: 30 },
      );
    }));

  Deno.test(`${name}: objects around the size of a part come back whole`, () =>
    withStore(async ({ store }) => {
      for (const bytes of [partBytes - 1, partBytes, partBytes + 1, 2 * partBytes + 3]) {
        const whole = new Uint8Array(randomBytes(bytes));
        const { digest } = await store.put(ReadableStream.from(slices(whole, 1 << 20)), LIMITS);
        assert.equal(digest, sha256(whole));
        assert.equal(sha256(await store.get(digest)), digest);
        assert.equal(sha256(await streamed(store, digest)), digest);
      }
    }));

  Deno.test(`${name}: a body above the limit is refused and leaves nothing behind`, () =>
    withStore(async ({ store, leftovers }) => {
      await assert.rejects(store.put(new Uint8Array(11), { maxBytes: 10 }), { code: "body_too_large" });
      assert.deepEqual(await leftovers(), []);
    }));

  Deno.test(`${name}: a staged object can be read but is invisible until it is committed`, () =>
    withStore(async ({ store, leftovers }) => {
      const staged = await store.stage(new Uint8Array([1, 2]), LIMITS);
      assert.deepEqual(await staged.read(), new Uint8Array([1, 2]));
      assert.equal(await store.has(staged.digest), false);
      await staged.commit();
      await staged.discard();
      assert.equal(await store.has(staged.digest), true);
      assert.deepEqual(await leftovers(), []);
    }));

  Deno.test(`${name}: a discarded object never appears and a source that fails leaves nothing behind`, () =>
    withStore(async ({ store, leftovers }) => {
      const staged = await store.stage(new Uint8Array([3]), LIMITS);
      await staged.discard();
      assert.equal(await store.has(staged.digest), false);
      const broken = new ReadableStream<Uint8Array>({ pull: (controller) => controller.error(new Error("gone")) });
      await assert.rejects(store.put(broken, LIMITS), /gone/);
      assert.deepEqual(await leftovers(), []);
    }));

  Deno.test(`${name}: an object that was changed is refused, and uploading it again repairs it`, () =>
    withStore(async ({ store, overwrite }) => {
      const { digest } = await store.put(new Uint8Array([7, 8]), LIMITS);
      for (const wrong of [new Uint8Array([7, 9]), new Uint8Array([7]), new Uint8Array([7, 8, 9]), new Uint8Array()]) {
        await overwrite(digest, wrong);
        await assert.rejects(store.get(digest), { code: "store_corrupt" });
        await assert.rejects(streamed(store, digest), { code: "store_corrupt" });
        await store.put(new Uint8Array([7, 8]), LIMITS);
        assert.deepEqual(await store.get(digest), new Uint8Array([7, 8]));
      }
    }));

  Deno.test(`${name}: a stream of a changed object fails before its last chunk`, () =>
    withStore(async ({ store, overwrite }) => {
      const whole = new Uint8Array(randomBytes(1 << 20));
      const { digest } = await store.put(whole, LIMITS);
      await overwrite(digest, whole.with(0, whole[0] ^ 1));
      let seen = 0;
      await assert.rejects(async () => {
        for await (const chunk of await store.openReadable(digest)) seen += chunk.length;
      }, { code: "store_corrupt" });
      assert.ok(seen < whole.length);
    }));

  Deno.test(`${name}: a reader that leaves early disturbs nobody`, () =>
    withStore(async ({ store }) => {
      const { digest } = await store.put(new Uint8Array(randomBytes(1 << 20)), LIMITS);
      await (await store.openReadable(digest)).cancel();
      for await (const _ of await store.openReadable(digest)) break;
      assert.equal(sha256(await store.get(digest)), digest);
    }));

  Deno.test(`${name}: a deleted object is gone and deleting it again is no error`, () =>
    withStore(async ({ store }) => {
      const { digest } = await store.put(new Uint8Array([1]), LIMITS);
      await store.delete(digest);
      await store.delete(digest);
      assert.equal(await store.has(digest), false);
      await assert.rejects(store.get(digest), { code: "store_corrupt" });
      await assert.rejects(store.openReadable(digest), { code: "store_corrupt" });
    }));

  Deno.test(`${name}: the list holds every visible object once, with its size and its time`, () =>
    withStore(async ({ store }) => {
      const before = Date.now();
      const stored = await Promise.all([1, 2, 3].map((n) => store.put(new Uint8Array(n), LIMITS)));
      await store.put(new Uint8Array(1), LIMITS);
      const staged = await store.stage(new Uint8Array(4), LIMITS);
      const listed = await Array.fromAsync(store.list());
      await staged.discard();
      const byDigest = (a: { digest: string }, b: { digest: string }) => a.digest < b.digest ? -1 : 1;
      const infos = listed.map(({ digest, bytes }) => ({ digest, bytes }));
      assert.deepEqual(infos.sort(byDigest), stored.sort(byDigest));
      for (const { changedAt } of listed) assert.ok(Math.abs(changedAt.getTime() - before) < 3_600_000);
    }));

  Deno.test(`${name}: many callers store the same object at once`, () =>
    withStore(async ({ store, leftovers }) => {
      const bytes = new Uint8Array(randomBytes(1000));
      await Promise.all(Array.from({ length: 8 }, () => store.put(bytes, LIMITS)));
      assert.deepEqual(await store.get(sha256(bytes)), bytes);
      assert.deepEqual(await leftovers(), []);
    }));

  Deno.test(`${name}: the check passes while the store can be written`, () =>
    withStore(async ({ store }) => {
      await store.check();
      assert.deepEqual(await Array.fromAsync(store.list()), []);
    }));
}

function* slices(bytes: Uint8Array, size: number): Generator<Uint8Array> {
  for (let start = 0; start < bytes.length; start += size) yield bytes.subarray(start, start + size);
}
