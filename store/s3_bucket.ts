import type { S3Client } from "@aws-sdk/client-s3";

/** Which bucket of which service. */
export interface S3Location {
  readonly bucket: string;
  /** What the names of all objects begin with: empty, or ends with a slash. */
  readonly prefix: string;
  /** Address of an S3-compatible service; Amazon's when absent. */
  readonly s3Endpoint?: string;
  readonly s3Region: string;
  readonly s3ForcePathStyle: boolean;
  /** How long the service may be silent in the middle of a request or of an answer; half a minute when absent. */
  readonly silenceMs?: number;
}

/** The client library, loaded only by processes that use a bucket: it takes 0.1 to 0.9 s and 31 MB. */
export type S3Library = typeof import("@aws-sdk/client-s3");

/** A bucket, its client, and the library that makes its commands. */
export interface S3Bucket {
  readonly client: S3Client;
  readonly library: S3Library;
  readonly bucket: string;
  readonly prefix: string;
}

/** How often a request that failed for a reason that may pass is sent in all. */
const ATTEMPTS = 5;
const CONNECT_MS = 5_000;
const SILENCE_MS = 30_000;

/** Loads the library and makes the client; calls nothing. Credentials come from where the AWS SDK looks for them. */
export async function openBucket({ bucket, prefix, ...location }: S3Location): Promise<S3Bucket> {
  const library = await import("@aws-sdk/client-s3");
  const client = new library.S3Client({
    region: location.s3Region,
    endpoint: location.s3Endpoint,
    forcePathStyle: location.s3ForcePathStyle,
    maxAttempts: ATTEMPTS,
    requestHandler: { connectionTimeout: CONNECT_MS, socketTimeout: location.silenceMs ?? SILENCE_MS },
    // Objects are checked by their own SHA-256, which is also sent along.
    requestChecksumCalculation: "WHEN_REQUIRED",
    responseChecksumValidation: "WHEN_REQUIRED",
  });
  return { client, library, bucket, prefix };
}

/** The status of an answer that refused a request; nothing when there was no answer. */
export function statusOf(error: unknown): number | undefined {
  return (error as { $metadata?: { httpStatusCode?: number } } | null)?.$metadata?.httpStatusCode;
}

/** True for the answer that there is no such object; that there is no such bucket is another matter. */
export function isMissing(error: unknown): boolean {
  return statusOf(error) === 404 && (error as Error).name !== "NoSuchBucket";
}
