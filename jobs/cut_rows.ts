/** Cuts an encrypted rows file into parts, each a file of its own, while it arrives. */
import { expectedLength, type FileStream, fileWriter, type Header } from "../circuits/wire.ts";
import type { ObjectStore, StagedObject } from "../store/mod.ts";
import { plannedSeconds } from "./compute/chunks.ts";
import type { CompiledModel } from "./compute/compiled_model.ts";
import { stagePartObject } from "./part_objects.ts";

/** A part is to take so many seconds by the plan: enough that its cost does not count, few enough that little is computed twice. */
const [SECONDS_MIN, SECONDS_MAX] = [5, 30];
/** And to be one of so many, so that several workers share a job. */
const WANTED_PARTS = 16;
const BYTES_MAX = 64 * 1024 * 1024;

/** A part whose rows are stored but not visible yet. */
export interface CutPart {
  readonly firstRow: number;
  readonly rows: number;
  readonly bytes: number;
  readonly staged: StagedObject;
}

/** Rows of a part; whole units. */
export function rowsPerPart(
  model: CompiledModel,
  { rowCount, threads, partRows }: { readonly rowCount: number; readonly threads: number; readonly partRows: number },
): number {
  const { description } = model;
  const unitRows = description.mode === "linear" ? description.rows_per_ciphertext : 1;
  const total = plannedSeconds(model, rowCount, threads);
  const seconds = Math.min(SECONDS_MAX, Math.max(SECONDS_MIN, total / WANTED_PARTS));
  const unitBytes = model.unitRecords * model.recordBytes + model.answerBytes;
  const most = [
    seconds / plannedSeconds(model, unitRows, threads),
    BYTES_MAX / unitBytes,
    partRows / unitRows,
  ];
  return Math.max(1, Math.floor(Math.min(...most))) * unitRows;
}

/**
 * Stores the parts of a file one after the other. When it returns, the digest of the whole file was found right; when it throws, nothing
 * is left. Memory: one chunk of rows.
 */
export async function cutRows(
  store: ObjectStore,
  rows: FileStream,
  model: CompiledModel,
  partRows: number,
): Promise<CutPart[]> {
  const parts: CutPart[] = [];
  const pieces = new Pieces(rows.records()[Symbol.asyncIterator]());
  try {
    for (let firstRow = 0; firstRow < rows.header.rowCount; firstRow += partRows) {
      const header = partHeader(rows.header, model, Math.min(partRows, rows.header.rowCount - firstRow));
      const bytes = expectedLength(header);
      const staged = await stagePartObject(store, partFile(header, pieces), bytes);
      parts.push({ firstRow, rows: header.rowCount, bytes, staged });
    }
    await pieces.end();
    return parts;
  } catch (error) {
    for (const { staged } of parts) await staged.discard();
    await rows.cancel();
    throw pieces.failure ?? error;
  }
}

function partHeader(header: Header, model: CompiledModel, rowCount: number): Header {
  return { ...header, rowCount, recordCount: model.unitsOf(rowCount) * model.unitRecords };
}

async function* partFile(header: Header, pieces: Pieces): AsyncGenerator<Uint8Array> {
  const writer = fileWriter(header);
  yield writer.header;
  for (let left = header.recordCount * header.recordBytes; left > 0;) {
    const piece = await pieces.take(left);
    writer.update(piece);
    yield piece;
    left -= piece.byteLength;
  }
  yield writer.trailer();
}

/** Chunks of records, cut where a part ends. */
class Pieces {
  #rest: Uint8Array = new Uint8Array(0);
  /** Why the file could not be read: a store that gets no more says only that its source failed. */
  failure: unknown;

  constructor(private readonly chunks: AsyncIterator<Uint8Array>) {}

  /** The next bytes, at most so many. */
  async take(most: number): Promise<Uint8Array> {
    if (this.#rest.byteLength === 0) this.#rest = await this.#next() ?? new Uint8Array(0);
    const piece = this.#rest.subarray(0, most);
    this.#rest = this.#rest.subarray(piece.byteLength);
    return piece;
  }

  /** Reads to the end, where the digest is checked. */
  async end(): Promise<void> {
    await this.#next();
  }

  async #next(): Promise<Uint8Array | undefined> {
    try {
      const { done, value } = await this.chunks.next();
      return done ? undefined : value;
    } catch (error) {
      this.failure = error;
      throw error;
    }
  }
}
