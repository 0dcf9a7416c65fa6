import { join } from "node:path";
import type { Config } from "../config.ts";
import { lockFolder } from "../db/mod.ts";
import { openFileStore } from "./file_store.ts";
import type { ObjectStore } from "./object_store.ts";

/** What of the configuration says where objects lie. */
export type StoreLocation = Pick<
  Config,
  "dataDir" | "databaseUrl" | "objects" | "s3Endpoint" | "s3Region" | "s3ForcePathStyle"
>;

/** A bucket and what the names of its objects begin with. */
export interface BucketLocation {
  readonly bucket: string;
  /** Empty, or ends with a slash. */
  readonly prefix: string;
}

/** `s3://bucket/prefix` in parts; nothing for a folder. */
export function bucketOf(objects: string | undefined): BucketLocation | undefined {
  const match = /^s3:\/\/([^/]+)\/*(.*?)\/*$/.exec(objects ?? "");
  if (match === null) return undefined;
  const [, bucket, prefix] = match;
  return { bucket, prefix: prefix === "" ? "" : `${prefix}/` };
}

/**
 * Opens the configured store: a bucket, or a folder (`objects` in the data folder by default). Processes that share a PostgreSQL may share
 * a folder; with the embedded database this process must be its only user. Throws `store_unavailable`, `data_folder_locked` or
 * `configuration_invalid`.
 */
export async function openStore(location: StoreLocation): Promise<ObjectStore> {
  const bucket = bucketOf(location.objects);
  if (bucket !== undefined) {
    const { openS3Store } = await import("./s3_store.ts");
    return await openS3Store({ ...bucket, ...location, spoolFolder: join(location.dataDir, "uploads") });
  }
  const folder = location.objects ?? join(location.dataDir, "objects");
  return location.databaseUrl === undefined ? await openAlone(folder) : await openFileStore(folder);
}

async function openAlone(folder: string): Promise<ObjectStore> {
  const lock = await lockFolder(folder);
  try {
    const store = await openFileStore(folder);
    const close = store.close.bind(store);
    store.close = () => close().finally(() => lock.release());
    return store;
  } catch (error) {
    lock.release();
    throw error;
  }
}
