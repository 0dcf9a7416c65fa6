import { checkDigest } from "./check_digest.ts";
import type { ObjectInfo, ObjectSource, ObjectStore, PutLimits, StagedObject, StoredObject } from "./object_store.ts";
import { isMissing, openBucket, type S3Bucket, type S3Location } from "./s3_bucket.ts";
import { abortUploads, listObjects } from "./s3_lists.ts";
import { putStaged } from "./put_staged.ts";
import { uploadFile } from "./s3_upload.ts";
import { type SpooledFile, SpoolFolder } from "./spool_folder.ts";
import { corrupt, isDigest, requireDigest, storeUnavailable } from "./store_errors.ts";

/** Where the bucket is, and the local folder in which uploads wait until they are complete. */
export interface S3StoreOptions extends S3Location {
  readonly spoolFolder: string;
}

/**
 * Opens the store of a bucket: `PREFIX` + digest are the objects. Bytes on their way in are spooled to a local file, for only at
 * their end are length and digest known; then they are sent under their digest, so nothing unfinished is ever visible in the
 * bucket. Throws `store_unavailable`; does not call the service yet.
 */
export async function openS3Store(options: S3StoreOptions): Promise<ObjectStore> {
  try {
    const spool = await SpoolFolder.open(options.spoolFolder);
    return new S3Store(await openBucket(options), spool);
  } catch (cause) {
    throw storeUnavailable(`cannot use the folder ${options.spoolFolder}`, cause);
  }
}

class S3Store implements ObjectStore {
  constructor(private readonly bucket: S3Bucket, private readonly spool: SpoolFolder) {}

  async put(source: ObjectSource, limits: PutLimits): Promise<ObjectInfo> {
    return await putStaged(await this.stage(source, limits));
  }

  async stage(source: ObjectSource, limits: PutLimits): Promise<StagedObject> {
    const file = await this.spool.write(source, limits);
    return {
      digest: file.digest,
      bytes: file.bytes,
      read: () => Deno.readFile(file.path),
      commit: () => this.#publish(file).catch(failed("takes no object")),
      discard: file.remove,
    };
  }

  async get(digest: string): Promise<Uint8Array<ArrayBuffer>> {
    return await new Response(await this.openReadable(digest)).bytes();
  }

  async openReadable(digest: string): Promise<ReadableStream<Uint8Array<ArrayBuffer>>> {
    const { client, library } = this.bucket;
    const command = new library.GetObjectCommand(this.#name(digest));
    const { Body } = await client.send(command).catch((error) => {
      throw isMissing(error) ? corrupt(digest, "cannot be read", error) : storeUnavailable("gives no object", error);
    });
    return ReadableStream.from(checkDigest(arriving(Body!.transformToWebStream()), digest));
  }

  async has(digest: string): Promise<boolean> {
    return await this.#find(digest).catch(failed("does not answer")) !== undefined;
  }

  async delete(digest: string): Promise<void> {
    const { client, library } = this.bucket;
    await client.send(new library.DeleteObjectCommand(this.#name(digest))).catch(failed("removes no object"));
  }

  async *list(): AsyncGenerator<StoredObject> {
    try {
      for await (const { name, bytes, changedAt } of listObjects(this.bucket)) {
        if (isDigest(name)) yield { digest: name, bytes, changedAt };
      }
    } catch (cause) {
      throw storeUnavailable("lists no objects", cause);
    }
  }

  async removeLeftovers(before: Date): Promise<number> {
    const files = await this.spool.removeLeftovers();
    return files + await abortUploads(this.bucket, before).catch(failed("lists no uploads"));
  }

  async check(): Promise<void> {
    const { client, library, bucket, prefix } = this.bucket;
    const probe = { Bucket: bucket, Key: `${prefix}writable`, Body: new Uint8Array(1) };
    await client.send(new library.PutObjectCommand(probe)).catch(failed("cannot be written"));
  }

  async close(): Promise<void> {
    this.bucket.client.destroy();
    await this.spool.close();
  }

  /** An object that says it has these bytes is left alone, any other is replaced. */
  async #publish(file: SpooledFile): Promise<void> {
    const found = await this.#find(file.digest);
    if (found?.sha256 === file.digest && found.bytes === file.bytes) return;
    await uploadFile(this.bucket, this.#name(file.digest).Key, file, found !== undefined);
  }

  async #find(digest: string): Promise<{ bytes?: number; sha256?: string } | undefined> {
    const { client, library } = this.bucket;
    try {
      const head = await client.send(new library.HeadObjectCommand(this.#name(digest)));
      return { bytes: head.ContentLength, sha256: head.Metadata?.sha256 };
    } catch (error) {
      if (!isMissing(error)) throw error;
    }
  }

  #name(digest: string) {
    return { Bucket: this.bucket.bucket, Key: `${this.bucket.prefix}${requireDigest(digest)}` };
  }
}

function failed(what: string): (cause: unknown) => never {
  return (cause) => {
    throw storeUnavailable(what, cause);
  };
}

/** A connection that breaks is no wrong object. */
async function* arriving(body: ReadableStream<Uint8Array>): AsyncGenerator<Uint8Array> {
  try {
    yield* body;
  } catch (cause) {
    throw storeUnavailable("broke off in the middle of an object", cause);
  }
}
