/** Decrypting the answers of a linear model. */
import type { ClientBackend } from "../circuits/backend.ts";
import type { LinearDescription } from "../circuits/description.ts";
import { decodeLinearAnswers, linearLayout } from "../circuits/linear_rows.ts";
import type { DecodedFile } from "../circuits/wire.ts";
import { SottoError } from "../errors.ts";
import { type LongCallOptions, refuseCancelled } from "./calls.ts";
import type { OpenSecretKey } from "./keys.ts";

/** Answer records decrypted in one call of the back end. */
const RECORDS_PER_CALL = 64;

/** Scores of each row, row after row. @throws SottoError rows_refused without the scales of the rows, wrong_key, cancelled. */
export async function decryptLinearAnswers(
  backend: ClientBackend,
  secret: OpenSecretKey,
  description: LinearDescription,
  { header, payload }: DecodedFile,
  scales: readonly number[] | null | undefined,
  options: LongCallOptions,
): Promise<Float64Array> {
  if (!scales) {
    throw new SottoError(
      "rows_refused",
      "a linear model's answers need the scales of their rows: give the .scales.json file written beside the encrypted rows",
    );
  }
  const layout = linearLayout(description);
  const width = layout.positions.length;
  const values = new Float64Array(header.recordCount * width);
  for (let first = 0; first < header.recordCount; first += RECORDS_PER_CALL) {
    refuseCancelled(options);
    const recordCount = Math.min(RECORDS_PER_CALL, header.recordCount - first);
    const records = payload.subarray(first * layout.recordBytes, (first + recordCount) * layout.recordBytes);
    values.set(await backend.decrypt(secret.key, records, { ...layout, recordCount, scale: 1n }), first * width);
    options.onProgress?.((first + recordCount) / header.recordCount);
  }
  return decodeLinearAnswers(description, values, header.rowCount, scales);
}
