/**
 * The port of the object store: immutable bytes named by their SHA-256 (lower-case hex).
 * `file_store.ts` keeps them as files; a store behind an object service can follow.
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

/** Bytes that are complete but not yet visible: `commit` or `discard`. Discarding after a commit does nothing. */
export interface StagedObject extends ObjectInfo {
  /** All of them. */
  read(): Promise<Uint8Array<ArrayBuffer>>;
  /** Makes the object visible, durably; the same object again is no error. */
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
  /** The bytes as they lie, their digest unchecked. Throws `store_corrupt` when they are gone. */
  openReadable(digest: string): Promise<ReadableStream<Uint8Array>>;
  has(digest: string): Promise<boolean>;
  /** Removes an object that nothing refers to; a missing one is no error. Call it inside `exclusive`. */
  delete(digest: string): Promise<void>;
  /** One caller at a time for an object: keeps "commit, add row" and "delete row, delete object" apart. */
  exclusive<T>(digest: string, work: () => Promise<T>): Promise<T>;
  /** Throws `store_corrupt` when nothing can be written. */
  check(): Promise<void>;
}
