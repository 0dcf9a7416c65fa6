/**
 * The sidecar of encrypted rows of a linear model: the fixed-point factor of each ciphertext, which decryption needs. It tells
 * how large the rows are, so it stays with the client.
 */
import { z } from "zod";
import { SottoError } from "../errors.ts";

const sidecarSchema = z.strictObject({ model_id: z.string(), scales: z.array(z.number()) });

/** The sidecar as JSON text. */
export function encodeScales(modelId: string, scales: readonly number[]): string {
  return JSON.stringify({ model_id: modelId, scales }) + "\n";
}

/** @throws SottoError malformed_file, wrong_model. */
export function decodeScales(bytes: Uint8Array, modelId: string): readonly number[] {
  const parsed = sidecarSchema.safeParse(parseJson(bytes));
  if (!parsed.success) {
    throw new SottoError(
      "malformed_file",
      "this is not a scales file: give the one that was written beside the encrypted rows",
    );
  }
  if (parsed.data.model_id !== modelId) {
    throw new SottoError("wrong_model", `the scales are of model ${parsed.data.model_id}, not of ${modelId}`);
  }
  return parsed.data.scales;
}

function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    return undefined;
  }
}
