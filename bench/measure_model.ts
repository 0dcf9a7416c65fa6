/** Server time, bytes and agreement of one model. */
import { type Backend, decodeFile } from "../circuits/mod.ts";
import type { NewKeys } from "../client/mod.ts";
import { agreementOf, compileModel, encryptFor } from "./compiled_model.ts";
import type { LoadedModel } from "./bench_models.ts";
import { transformsPerRow } from "./floor.ts";
import { best, median } from "./statistics.ts";

/** How often a request is repeated: `runsMin` times and for `seconds`, but at most `runsMax` times. */
export interface Repetition {
  readonly runsMin: number;
  readonly runsMax: number;
  /** Shorter requests are repeated for this long. */
  readonly seconds: number;
}

/** What one model comes to. */
export interface Measured {
  /** Wall milliseconds a row of each run. */
  readonly msPerRow: readonly number[];
  readonly medianMsPerRow: number;
  readonly bestMsPerRow: number;
  readonly plannedMsPerRow: number;
  /** The transforms of a row times the measured time of one. */
  readonly floorMsPerRow: number;
  readonly transformsPerRow: number;
  readonly uploadBytesPerRow: number;
  readonly answerBytesPerRow: number;
  /** Share of rows with the label of the model in clear. */
  readonly agreement: number;
}

/** Encrypts the rows, evaluates them as one request again and again, decrypts the last answers and compares them. */
export async function measureModel(
  backend: Backend,
  keys: NewKeys,
  { model, rows }: LoadedModel,
  repetition: Repetition,
): Promise<Measured> {
  using compiled = await compileModel(backend, model, keys);
  const { description } = compiled;
  const encrypted = await encryptFor(backend, keys, description, rows);
  const { payload } = decodeFile(encrypted.file);
  let records = new Uint8Array();
  const milliseconds = await repeat(repetition, async () => {
    records = new Uint8Array(await compiled.evaluate(payload, rows.length));
  });
  const msPerRow = milliseconds.map((ms) => ms / rows.length);
  const transforms = transformsPerRow(description);
  return {
    msPerRow,
    medianMsPerRow: median(msPerRow),
    bestMsPerRow: best(msPerRow),
    plannedMsPerRow: description.plan.server_ms_per_row,
    floorMsPerRow: transforms * (await backend.unitCosts()).ntt_ns / 1e6,
    transformsPerRow: transforms,
    uploadBytesPerRow: payload.length / rows.length,
    answerBytesPerRow: records.length / rows.length,
    agreement: await agreementOf(backend, keys, { model, description, rows }, encrypted, records),
  };
}

/** Wall milliseconds of each run. */
export async function repeat(repetition: Repetition, run: () => Promise<void>): Promise<number[]> {
  const started = performance.now();
  const times: number[] = [];
  const done = () =>
    times.length >= repetition.runsMax ||
    (times.length >= repetition.runsMin && performance.now() - started >= repetition.seconds * 1e3);
  while (!done()) {
    const start = performance.now();
    await run();
    times.push(performance.now() - start);
  }
  return times;
}
