/** Rows in, predictions out, over HTTP: what `sotto predict` does. */
import type { Capability, ClientBackend } from "../circuits/backend.ts";
import { capabilitiesOf, type Description } from "../circuits/description.ts";
import { SottoError } from "../errors.ts";
import type { Prediction, Row } from "../models/types.ts";
import { decryptAnswers } from "./decrypt.ts";
import type { LongCallOptions, TargetModel } from "./calls.ts";
import { encryptRows } from "./encrypt.ts";
import type { SottoClient } from "./http.ts";
import type { OpenSecretKey } from "./keys.ts";

/**
 * What one request should take at most: so much of the server's time (one thread; networks run as jobs and take longer), so many
 * bytes up, so many rows.
 */
const REQUEST_MS = 10_000;
const NETWORK_MS = 30 * 60_000;
const REQUEST_BYTES = 16 * 1024 * 1024;
const REQUEST_ROWS = 4096;

/** Options of `predictRows`. */
export interface PredictOptions extends LongCallOptions {
  readonly rowsPerRequest?: number;
}

/** Predictions in the order of the rows, and what they cost. */
export interface PredictedRows {
  readonly predictions: Prediction[];
  /** Milliseconds of evaluation on the server, over all requests. */
  readonly serverMs: number;
  readonly uploadBytes: number;
  readonly answerBytes: number;
}

/**
 * Encrypts rows, sends them request by request, decrypts the answers. Jobs that the server makes of them are followed, and cancelled
 * on abort.
 * @throws SottoError key_unknown, key_missing when the keys that the model needs are not registered (before anything is sent), and what `encryptRows`, `SottoClient.predict` and
 * `decryptAnswers` throw.
 */
export async function predictRows(
  client: SottoClient,
  backend: ClientBackend,
  secret: OpenSecretKey,
  model: TargetModel,
  rows: readonly Row[],
  options: PredictOptions = {},
): Promise<PredictedRows> {
  if (rows.length === 0) throw new SottoError("rows_refused", "there are no rows to predict: give at least one");
  const needs = capabilitiesOf(model.description);
  const keys = needs.length === 0 ? undefined : await findKeys(client, secret, needs);
  const total = { predictions: [] as Prediction[], serverMs: 0, uploadBytes: 0, answerBytes: 0 };
  const step = options.rowsPerRequest ?? rowsPerRequest(model.description);
  for (let first = 0; first < rows.length; first += step) {
    const part = rows.slice(first, first + step);
    const { file, scales } = await encryptRows(backend, secret, model, part, { signal: options.signal });
    const onProgress = (share: number) => options.onProgress?.((first + share * part.length) / rows.length);
    const answers = await client.predict({ model: model.id, keys, file, signal: options.signal, onProgress });
    total.predictions.push(
      ...await decryptAnswers(backend, secret, model, answers.file, { scales, signal: options.signal }),
    );
    total.serverMs += answers.serverMs;
    total.uploadBytes += file.length;
    total.answerBytes += answers.file.length;
    options.onProgress?.((first + part.length) / rows.length);
  }
  return total;
}

/** How many rows of a model make a request of moderate length; whole ciphertexts for linear models. */
export function rowsPerRequest(description: Description): number {
  const { server_ms_per_row, upload_bytes_per_row } = description.plan;
  const requestMs = ["leaves", "linear"].includes(description.mode) ? REQUEST_MS : NETWORK_MS;
  const rows = Math.min(REQUEST_ROWS, requestMs / server_ms_per_row, REQUEST_BYTES / upload_bytes_per_row);
  const unit = description.mode === "linear" ? description.rows_per_ciphertext : 1;
  return Math.max(1, Math.floor(rows / unit)) * unit;
}

/**
 * The id of a registered key file of the key pair of a secret key, after all that are needed were found.
 * @throws SottoError key_unknown when the pair has none, key_missing naming the first that is not there.
 */
export async function findKeys(
  client: SottoClient,
  secret: Pick<OpenSecretKey, "keyId">,
  needs: readonly Capability[] = ["pack"],
): Promise<string> {
  const keyId = secret.keyId.toHex();
  const registered = (await client.listKeys()).filter((keys) => keys.key_id === keyId);
  if (registered.length === 0) {
    throw new SottoError(
      "key_unknown",
      `the ${needs.join(" and ")} keys of key pair ${keyId} are not registered with the server`,
    );
  }
  const missing = needs.find((capability) => !registered.some((keys) => keys.capability === capability));
  if (missing === undefined) return registered.findLast((keys) => keys.capability === needs[0])!.id;
  throw new SottoError(
    "key_missing",
    `the model needs ${missing} keys, and none of key pair ${keyId} are registered: make them with ` +
      `\`sotto keys make --capability ${missing} --key SECRET_KEY_FILE\` and register them`,
  );
}
