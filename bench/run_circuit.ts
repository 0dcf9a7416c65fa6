/** Evaluates a circuit of layers and lookups on encrypted rows, and takes the time. */
import type { Backend, KeyRing } from "../circuits/mod.ts";
import { type Circuit, NetworkRunner } from "../circuits/network/mod.ts";
import { repeat } from "./measure_model.ts";
import { median } from "./statistics.ts";

/** How a circuit is timed. */
export interface Timing {
  readonly threads: number;
  /** Runs of one row alone, at least one; their median is taken. */
  readonly singleRuns: number;
}

export interface CircuitTimes {
  /** Wall time of one request of all rows, over their number. */
  readonly secondsPerRow: number;
  /** Wall time of a request of one row. */
  readonly secondsSingle: number;
}

/** A circuit and the back end that runs it. */
export interface RunnableCircuit {
  readonly backend: Backend;
  readonly circuit: Circuit;
  readonly answerBits: number;
}

/** Input records of whole rows. */
export interface EncryptedInput {
  readonly records: Uint8Array;
  readonly rowCount: number;
}

/** Runs all rows as one request, whose answer records are returned, and the first row alone, unless it is the only one. */
export async function runCircuit(
  { backend, circuit, answerBits }: RunnableCircuit,
  ring: KeyRing,
  { records, rowCount }: EncryptedInput,
  { threads, singleRuns }: Timing,
): Promise<CircuitTimes & { readonly answers: Uint8Array }> {
  using runner = new NetworkRunner(backend, circuit, answerBits);
  const start = performance.now();
  const answers = await runner.run(records, rowCount, ring, { threads });
  const secondsPerRow = (performance.now() - start) / 1e3 / rowCount;
  if (rowCount === 1) return { answers, secondsPerRow, secondsSingle: secondsPerRow };
  const single = records.subarray(0, records.length / rowCount);
  const runs = { runsMin: singleRuns, runsMax: singleRuns, seconds: 0 };
  const times = await repeat(runs, async () => void await runner.run(single, 1, ring, { threads }));
  return { answers, secondsPerRow, secondsSingle: median(times) / 1e3 };
}
