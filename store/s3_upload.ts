import type { CompletedPart } from "@aws-sdk/client-s3";
import type { S3Bucket } from "./s3_bucket.ts";
import { statusOf } from "./s3_bucket.ts";
import type { SpooledFile } from "./spool_folder.ts";

/** Bytes of a request at most; a longer object is sent in parts of this size. */
export const PART_BYTES = 16 * 1024 * 1024;
/** What the protocol allows. */
const PARTS_MAX = 10_000;

/**
 * Sends a complete file under `key`, at most one part in memory. With `replace` whatever is there is replaced, else an object that
 * someone else has sent in the meantime stays: it has the same name, so it is the same. The SHA-256 goes along, as metadata of the
 * object and as checksum of every request, which the service compares.
 */
export async function uploadFile(bucket: S3Bucket, key: string, file: SpooledFile, replace: boolean): Promise<void> {
  const target: Target = {
    Bucket: bucket.bucket,
    Key: key,
    Metadata: { sha256: file.digest },
    condition: replace ? {} : { IfNoneMatch: "*" },
  };
  try {
    await (file.bytes > PART_BYTES ? uploadParts(bucket, target, file) : uploadWhole(bucket, target, file));
  } catch (error) {
    if (replace || statusOf(error) !== 412) throw error;
  }
}

interface Target {
  readonly Bucket: string;
  readonly Key: string;
  readonly Metadata: Record<string, string>;
  readonly condition: { readonly IfNoneMatch?: string };
}

async function uploadWhole({ client, library }: S3Bucket, target: Target, file: SpooledFile): Promise<void> {
  const { condition, ...object } = target;
  const ChecksumSHA256 = Uint8Array.fromHex(file.digest).toBase64();
  const Body = await Deno.readFile(file.path);
  await client.send(new library.PutObjectCommand({ ...object, ...condition, ChecksumSHA256, Body }));
}

async function uploadParts(bucket: S3Bucket, target: Target, file: SpooledFile): Promise<void> {
  const { client, library } = bucket;
  const { Bucket, Key, Metadata, condition } = target;
  const created = await client.send(
    new library.CreateMultipartUploadCommand({ Bucket, Key, Metadata, ChecksumAlgorithm: "SHA256" }),
  );
  const upload = { Bucket, Key, UploadId: created.UploadId };
  try {
    const Parts = await sendParts(bucket, upload, file);
    await client.send(
      new library.CompleteMultipartUploadCommand({ ...upload, ...condition, MultipartUpload: { Parts } }),
    );
  } catch (error) {
    await client.send(new library.AbortMultipartUploadCommand(upload)).catch(() => undefined);
    throw error;
  }
}

interface Upload {
  readonly Bucket: string;
  readonly Key: string;
  readonly UploadId: string | undefined;
}

/** One after the other: each is in memory, so that the library can send it again. */
async function sendParts({ client, library }: S3Bucket, upload: Upload, { path, bytes }: SpooledFile) {
  const size = Math.max(PART_BYTES, Math.ceil(bytes / PARTS_MAX));
  using file = await Deno.open(path);
  const parts: CompletedPart[] = [];
  for (let start = 0; start < bytes; start += size) {
    const Body = await readPart(file, Math.min(size, bytes - start));
    const PartNumber = parts.length + 1;
    const command = new library.UploadPartCommand({ ...upload, PartNumber, Body, ChecksumAlgorithm: "SHA256" });
    const { ETag, ChecksumSHA256 } = await client.send(command);
    parts.push({ ETag, ChecksumSHA256, PartNumber });
  }
  return parts;
}

async function readPart(file: Deno.FsFile, bytes: number): Promise<Uint8Array> {
  const part = new Uint8Array(bytes);
  for (let done = 0; done < bytes;) {
    const read = await file.read(part.subarray(done));
    if (read === null) throw new Error("a spooled file is shorter than it was");
    done += read;
  }
  return part;
}
