import type { EncryptedBatch, TrainingSpec } from "../../circuits/training/mod.ts";
import { mergeUploads, type OwnerUpload } from "../../circuits/training/upload.ts";
import { listBatchParts } from "../../db/mod.ts";
import type { Computing } from "../compute/computing.ts";
import { splitPart } from "./batch_parts.ts";
import { decodeTrainingFile } from "../../circuits/training_file.ts";

interface CachedBatch {
  readonly batch: EncryptedBatch;
  readonly bytes: number;
}

/** Batches of one session as steps need them: read from the object store, the last ones kept within a limit of bytes. */
export class BatchSource {
  readonly #kept = new Map<number, CachedBatch>();
  #bytes = 0;

  constructor(
    private readonly services: Computing,
    private readonly sessionId: string,
    private readonly spec: TrainingSpec,
  ) {}

  /** The parts of all owners. Throws `store_corrupt` when one cannot be read. */
  async load(batch: number): Promise<EncryptedBatch> {
    const kept = this.#kept.get(batch) ?? await this.#read(batch);
    this.#kept.delete(batch);
    this.#keep(batch, kept);
    return kept.batch;
  }

  #keep(batch: number, kept: CachedBatch): void {
    this.#kept.set(batch, kept);
    this.#bytes = [...this.#kept.values()].reduce((sum, { bytes }) => sum + bytes, 0);
    for (const [oldest, { bytes }] of this.#kept) {
      if (this.#bytes <= this.services.config.trainingBatchBytes) return;
      this.#kept.delete(oldest);
      this.#bytes -= bytes;
    }
  }

  async #read(batch: number): Promise<CachedBatch> {
    const { database, store, backend } = this.services;
    const parts: OwnerUpload[] = [];
    let bytes = 0;
    for (const { objectDigest, kind } of await listBatchParts(database, this.sessionId, batch)) {
      const file = await store.get(objectDigest);
      bytes += file.length;
      const expected = { kind: "training_batch", parameterSet: backend.parameterSet } as const;
      parts.push(splitPart(this.spec, kind, decodeTrainingFile(file, expected)));
    }
    return { batch: mergeUploads(this.spec, parts), bytes };
  }
}
