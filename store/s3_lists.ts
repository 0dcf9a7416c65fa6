import type { S3Bucket } from "./s3_bucket.ts";

/** What lies under the prefix; `name` is what follows it. */
export interface S3Entry {
  readonly name: string;
  readonly bytes: number;
  readonly changedAt: Date;
}

/** Everything under the prefix, page by page. */
export async function* listObjects({ client, library, bucket, prefix }: S3Bucket): AsyncGenerator<S3Entry> {
  for await (const page of library.paginateListObjectsV2({ client }, { Bucket: bucket, Prefix: prefix })) {
    for (const { Key, Size, LastModified } of page.Contents ?? []) {
      yield { name: Key!.slice(prefix.length), bytes: Size!, changedAt: LastModified! };
    }
  }
}

/** Ends the uploads in parts that were begun before `before`: their parts cost space and nobody sees them. Returns how many. */
export async function abortUploads({ client, library, bucket, prefix }: S3Bucket, before: Date): Promise<number> {
  let aborted = 0;
  let markers: { KeyMarker?: string; UploadIdMarker?: string } = {};
  for (;;) {
    const page = await client.send(
      new library.ListMultipartUploadsCommand({ Bucket: bucket, Prefix: prefix, ...markers }),
    );
    for (const { Key, UploadId, Initiated } of page.Uploads ?? []) {
      if (Initiated === undefined || Initiated >= before) continue;
      await client.send(new library.AbortMultipartUploadCommand({ Bucket: bucket, Key, UploadId }));
      aborted++;
    }
    if (!page.IsTruncated) return aborted;
    markers = { KeyMarker: page.NextKeyMarker, UploadIdMarker: page.NextUploadIdMarker };
  }
}
