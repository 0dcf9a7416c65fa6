/**
 * The port of the object store: immutable bytes named by their SHA-256 (lower-case hex).
 * `file_store.ts` keeps them in a folder, `s3_store.ts` in a bucket of an S3-compatible service; both pass `object_store_suite.ts`.
 *
 * Every method throws `store_unavailable` when the folder or the service does not do its part: trying again may help.
 */

/** Bytes on their way in. */
export type ObjectSource = ReadableStream<Uint8Array> | Uint8Array;

export interface PutLimits {
  /** More bytes are refused with `body_too_large`. */
  readonly maxBytes: number;
}

export interface ObjectInfo {
  /** SHA-256 of the bytes, hex. */
  readonly digest: string;
  readonly bytes: number;
}

/** An object as the store lists it. */
export interface StoredObject extends ObjectInfo {
  /** When it was made visible for the last time. */
  readonly changedAt: Date;
}

/** Bytes that are complete but not yet visible: `commit` or `discard`. Discarding after a commit does nothing. */
export interface StagedObject extends ObjectInfo {
  /** All of them. */
  read(): Promise<Uint8Array<ArrayBuffer>>;
  /** Makes the object visible, durably; the same object again is no error, and repairs one that was changed. */
  commit(): Promise<void>;
  discard(): Promise<void>;
}

export interface ObjectStore {
  /** Stores and makes visible in one go. Throws `body_too_large`. */
  put(source: ObjectSource, limits: PutLimits): Promise<ObjectInfo>;
  /** Stores without making visible. Throws `body_too_large`. */
  stage(source: ObjectSource, limits: PutLimits): Promise<StagedObject>;
  /** All bytes, their digest checked. Throws `store_corrupt` when they are gone or changed. */
  get(digest: string): Promise<Uint8Array<ArrayBuffer>>;
  /**
   * The bytes as a stream, their digest checked: the last chunk comes only when all are right, else the stream fails with
   * `store_corrupt`. Throws `store_corrupt` at once when they are gone.
   */
  openReadable(digest: string): Promise<ReadableStream<Uint8Array<ArrayBuffer>>>;
  has(digest: string): Promise<boolean>;
  /** Removes an object; a missing one is no error. Only `releaseObject` knows whether that is allowed. */
  delete(digest: string): Promise<void>;
  /** All visible objects, in no order. */
  list(): AsyncIterable<StoredObject>;
  /** Removes what dead processes, and uploads begun before `before`, left unfinished. Returns how many. */
  removeLeftovers(before: Date): Promise<number>;
  /** Throws `store_unavailable` when nothing can be written. */
  check(): Promise<void>;
  /** Removes what is staged and frees what the store holds. */
  close(): Promise<void>;
}
