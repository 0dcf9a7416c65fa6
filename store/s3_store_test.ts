import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { type Fault, startFaultyProxy } from "../tests/support/faulty_proxy.ts";
import { startS3Server } from "../tests/support/s3_server.ts";
import { uploadsIn } from "../tests/support/uploads.ts";
import type { ObjectStore } from "./mod.ts";
import { sha256, type StoreUnderTest, testObjectStore } from "./object_store_suite.ts";
import { openBucket, type S3Bucket, type S3Location } from "./s3_bucket.ts";
import { openS3Store } from "./s3_store.ts";
import { PART_BYTES } from "./s3_upload.ts";

const LIMITS = { maxBytes: 1 << 20 };
const PREFIX = "sotto/";
const shared = await startS3Server();

/** What a test may do beside the store. */
interface GivenBucket extends StoreUnderTest {
  readonly bucket: S3Bucket;
}

interface BucketOptions {
  readonly endpoint?: string;
  /** What the store is told instead. */
  readonly changed?: Partial<S3Location>;
}

/** Runs `work` with a store in a new bucket. */
async function withBucket(work: (given: GivenBucket) => Promise<void>, options: BucketOptions = {}): Promise<void> {
  const { endpoint: s3Endpoint = shared.endpoint, changed } = options;
  const spoolFolder = await Deno.makeTempDir();
  const location = {
    bucket: `b-${crypto.randomUUID()}`,
    prefix: PREFIX,
    s3Region: "us-east-1",
    s3ForcePathStyle: true,
  };
  const bucket = await openBucket({ ...location, s3Endpoint });
  const { client, library } = bucket;
  await client.send(new library.CreateBucketCommand({ Bucket: bucket.bucket }));
  const store = await openS3Store({ ...location, s3Endpoint, ...changed, spoolFolder });
  try {
    const overwrite = async (digest: string, Body: Uint8Array) => {
      await client.send(new library.PutObjectCommand({ Bucket: bucket.bucket, Key: `${PREFIX}${digest}`, Body }));
    };
    await work({ store, overwrite, leftovers: () => leftovers(bucket, spoolFolder), bucket });
  } finally {
    await store.close();
    client.destroy();
    await Deno.remove(spoolFolder, { recursive: true });
  }
}

async function leftovers({ client, library, bucket }: S3Bucket, spoolFolder: string): Promise<string[]> {
  const { Uploads = [] } = await client.send(new library.ListMultipartUploadsCommand({ Bucket: bucket }));
  const found = Uploads.map(({ Key }) => Key!);
  return [...found, ...uploadsIn(spoolFolder)];
}

testObjectStore("S3 store", withBucket, PART_BYTES);

Deno.test("objects lie under the prefix, what else lies in the bucket is left alone", () =>
  withBucket(async ({ store, bucket: { client, library, bucket } }) => {
    for (const Key of ["other/object", `${PREFIX}readme.txt`, "ab".repeat(32)]) {
      await client.send(new library.PutObjectCommand({ Bucket: bucket, Key, Body: "x" }));
    }
    const { digest } = await store.put(new Uint8Array([1]), LIMITS);
    assert.deepEqual((await Array.fromAsync(store.list())).map((object) => object.digest), [digest]);
    assert.equal(await store.has("ab".repeat(32)), false);
  }));

Deno.test("uploads in parts that nobody ends are ended when they are old", () =>
  withBucket(async ({ store, leftovers, bucket: { client, library, bucket } }) => {
    const Key = `${PREFIX}${"cd".repeat(32)}`;
    await client.send(new library.CreateMultipartUploadCommand({ Bucket: bucket, Key }));
    const { Uploads: [{ Initiated } = {}] = [] } = await client.send(
      new library.ListMultipartUploadsCommand({ Bucket: bucket }),
    );
    assert.equal(await store.removeLeftovers(Initiated!), 0);
    assert.deepEqual(await leftovers(), [Key]);
    assert.equal(await store.removeLeftovers(new Date(Initiated!.getTime() + 1)), 1);
    assert.deepEqual(await leftovers(), []);
  }));

Deno.test("a bucket that does not exist is unavailable", () =>
  withBucket(async ({ store }) => {
    await assert.rejects(store.check(), { code: "store_unavailable" });
    await assert.rejects(store.put(new Uint8Array([1]), LIMITS), { code: "store_unavailable" });
    await assert.rejects(store.get(sha256(new Uint8Array([1]))), { code: "store_unavailable" });
  }, { changed: { bucket: "nowhere" } }));

Deno.test("a service that is gone makes everything unavailable", async () => {
  const server = await startS3Server();
  await withBucket(async ({ store }) => {
    const { digest } = await store.put(new Uint8Array([1]), LIMITS);
    await server.kill();
    const attempts: (() => Promise<unknown>)[] = [
      () => store.get(digest),
      () => store.openReadable(digest),
      () => store.has(digest),
      () => store.put(new Uint8Array([2]), LIMITS),
      () => store.delete(digest),
      () => Array.fromAsync(store.list()),
      () => store.check(),
    ];
    await Promise.all(attempts.map((attempt) => assert.rejects(attempt, { code: "store_unavailable" })));
  }, { endpoint: server.endpoint });
});

interface GivenFaults {
  readonly store: ObjectStore;
  readonly leftovers: () => Promise<string[]>;
  /** Lets requests fail from now on: all, or those whose number, from 0, is chosen. */
  readonly fail: (fault: Fault, chosen?: (number: number) => boolean) => void;
}

/** Runs `work` with a store behind a proxy that lets everything through until told otherwise. */
async function withFaults(work: (given: GivenFaults) => Promise<void>): Promise<void> {
  await using proxy = startFaultyProxy(shared.endpoint);
  const fail: GivenFaults["fail"] = (fault, chosen = () => true) => {
    let number = 0;
    proxy.decide = () => chosen(number++) ? fault : "none";
  };
  await withBucket(({ store, leftovers }) => work({ store, leftovers, fail }), {
    changed: { s3Endpoint: proxy.url, silenceMs: 1000 },
  });
}

Deno.test("a service that is overloaded for a moment is asked again", () =>
  withFaults(async ({ store, fail }) => {
    const bytes = new Uint8Array(randomBytes(1000));
    fail("503", (number) => number < 2);
    const { digest } = await store.put(bytes, LIMITS);
    fail("503", (number) => number < 2);
    assert.deepEqual(await store.get(digest), bytes);
    fail("503");
    await assert.rejects(store.get(digest), { code: "store_unavailable" });
  }));

Deno.test("every second request of an upload in parts may fail", () =>
  withFaults(async ({ store, fail, leftovers }) => {
    const whole = new Uint8Array(randomBytes(PART_BYTES + 1000));
    fail("503", (number) => number % 2 === 0);
    const { digest } = await store.put(whole, { maxBytes: whole.length });
    assert.equal(sha256(await store.get(digest)), digest);
    assert.deepEqual(await leftovers(), []);
  }));

Deno.test("an upload in parts that fails for good leaves nothing behind", () =>
  withFaults(async ({ store, fail, leftovers }) => {
    const whole = new Uint8Array(randomBytes(PART_BYTES + 1000));
    const [afterFirstPart, allAttempts] = [3, 5];
    fail("503", (number) => number >= afterFirstPart && number < afterFirstPart + allAttempts);
    await assert.rejects(store.put(whole, { maxBytes: whole.length }), { code: "store_unavailable" });
    assert.deepEqual(await leftovers(), []);
    assert.deepEqual(await Array.fromAsync(store.list()), []);
  }));

Deno.test("a body that breaks off, ends early or falls silent is never taken for the object", () =>
  withFaults(async ({ store, fail }) => {
    const bytes = new Uint8Array(randomBytes(200_000));
    const { digest } = await store.put(bytes, LIMITS);
    for (
      const [fault, code] of [["cut", "store_unavailable"], ["short", "store_corrupt"], [
        "silence",
        "store_unavailable",
      ]]
    ) {
      fail(fault as Fault);
      await assert.rejects(store.get(digest), { code }, fault);
    }
    fail("none");
    assert.deepEqual(await store.get(digest), bytes);
  }));

Deno.test("a slow body is waited for", () =>
  withFaults(async ({ store, fail }) => {
    const bytes = new Uint8Array(randomBytes(200_000));
    const { digest } = await store.put(bytes, LIMITS);
    fail("slow");
    assert.deepEqual(await store.get(digest), bytes);
  }));
