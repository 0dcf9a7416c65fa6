/** Encrypting rows for a linear model: many rows a ciphertext, a fixed-point factor for each. */
import type { ClientBackend } from "../circuits/backend.ts";
import type { LinearDescription } from "../circuits/description.ts";
import { encodeLinearRows } from "../circuits/linear_rows.ts";
import { inputRecordBytes } from "../circuits/wire.ts";
import type { Row } from "../models/types.ts";
import { type LongCallOptions, refuseCancelled } from "./calls.ts";
import type { OpenSecretKey } from "./keys.ts";

/** Ciphertexts made in one call of the back end. */
const CIPHERTEXTS_PER_CALL = 64;

/** The records of the rows, and log2 of the factor of each ciphertext. */
export async function encryptLinearRows(
  backend: ClientBackend,
  secret: OpenSecretKey,
  description: LinearDescription,
  rows: readonly Row[],
  options: LongCallOptions,
): Promise<{ records: Uint8Array; scales: number[] }> {
  const bits = description.input_bits;
  const recordBytes = inputRecordBytes(bits);
  const total = Math.ceil(rows.length / description.rows_per_ciphertext);
  const records = new Uint8Array(total * recordBytes);
  const scales: number[] = [];
  const step = CIPHERTEXTS_PER_CALL * description.rows_per_ciphertext;
  for (let first = 0; first < rows.length; first += step) {
    refuseCancelled(options);
    const { messages, ciphertextCount, scaleLog2s } = encodeLinearRows(description, rows.slice(first, first + step));
    const shape = { ciphertextCount, stride: messages.length / ciphertextCount, scale: 1n, bits };
    records.set(await backend.encrypt(secret.key, messages, shape), scales.length * recordBytes);
    messages.fill(0);
    scales.push(...scaleLog2s);
    options.onProgress?.(Math.min(1, (first + step) / rows.length));
  }
  return { records, scales };
}
