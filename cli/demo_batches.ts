/** The demo's rows on their way: encrypted, sent, answered, decrypted, in batches that bound memory. */
import type { ClientBackend } from "../circuits/backend.ts";
import {
  decryptAnswers,
  encryptRows,
  type OpenSecretKey,
  rowsPerRequest,
  type SottoClient,
  type TargetModel,
} from "../client/mod.ts";
import type { Prediction, Row } from "../models/types.ts";
import type { Context } from "./context.ts";
import type { DemoReport } from "./demo_report.ts";
import { startProgress } from "./progress.ts";

/** Who takes part. */
export interface Parties {
  readonly context: Context;
  readonly report: DemoReport;
  readonly client: SottoClient;
  readonly backend: ClientBackend;
  readonly secret: OpenSecretKey;
  readonly model: TargetModel;
  readonly keysId: string;
}

/** Sums over all batches. */
export interface Totals {
  readonly predictions: Prediction[];
  readonly encryptMs: number;
  readonly uploadBytes: number;
  readonly requestMs: number;
  readonly serverMs: number;
  readonly answerBytes: number;
  readonly decryptMs: number;
}

/** Predicts every row and prints what each part took. */
export async function predictInBatches(parties: Parties, rows: readonly Row[]): Promise<Totals> {
  const batches: Totals[] = [];
  const step = rowsPerRequest(parties.model.description);
  {
    using bar = startProgress(parties.context, "        predicting");
    for (let first = 0; first < rows.length; first += step) {
      const part = rows.slice(first, first + step);
      batches.push(
        await predictBatch(parties, part, (share) => bar.update((first + share * part.length) / rows.length)),
      );
      bar.update(Math.min(1, (first + step) / rows.length));
    }
  }
  const totals = addUp(batches);
  const { report } = parties;
  report.line("encrypt the rows", totals.encryptMs, `${rows.length} rows, ${totals.uploadBytes} bytes`);
  const server = `${
    totals.serverMs.toFixed(0)
  } ms of it computing on ciphertexts, ${totals.answerBytes} bytes of answers`;
  report.line("send them and wait for the encrypted answers", totals.requestMs, server);
  report.line("decrypt the answers", totals.decryptMs, `${totals.predictions.length} predictions`);
  return totals;
}

async function predictBatch(
  { client, backend, secret, model, keysId }: Parties,
  rows: readonly Row[],
  onProgress: (share: number) => void,
): Promise<Totals> {
  const encrypted = await timed(() => encryptRows(backend, secret, model, rows));
  const keys = model.description.mode === "linear" ? undefined : keysId;
  const { file, scales } = encrypted.value;
  const answered = await timed(() => client.predict({ model: model.id, keys, file, onProgress }));
  const answers = answered.value;
  const decrypted = await timed(() => decryptAnswers(backend, secret, model, answers.file, { scales }));
  return {
    predictions: decrypted.value,
    encryptMs: encrypted.ms,
    uploadBytes: file.length,
    requestMs: answered.ms,
    serverMs: answers.serverMs,
    answerBytes: answers.file.length,
    decryptMs: decrypted.ms,
  };
}

function addUp(batches: readonly Totals[]): Totals {
  const sum = (of: (batch: Totals) => number) => batches.reduce((total, batch) => total + of(batch), 0);
  return {
    predictions: batches.flatMap((batch) => batch.predictions),
    encryptMs: sum((batch) => batch.encryptMs),
    uploadBytes: sum((batch) => batch.uploadBytes),
    requestMs: sum((batch) => batch.requestMs),
    serverMs: sum((batch) => batch.serverMs),
    answerBytes: sum((batch) => batch.answerBytes),
    decryptMs: sum((batch) => batch.decryptMs),
  };
}

async function timed<T>(action: () => Promise<T>): Promise<{ value: T; ms: number }> {
  const start = performance.now();
  const value = await action();
  return { value, ms: performance.now() - start };
}
