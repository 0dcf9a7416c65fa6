/** Sums of a network's steps, decrypted and simulated, and how their errors are compared. */
import type { Backend, KeyRing, LookupKeys, LookupSetting, SecretKey } from "../../circuits/backend.ts";
import {
  encodeNetworkRows,
  NETWORK_INPUT_SCALE,
  type NetworkPlan,
  NetworkRunner,
  Simulation,
} from "../../circuits/network/mod.ts";
import { isSottoError } from "../../errors.ts";

/** Sums of each step, row after row, in torus units; by the step's number. */
export type Trace = Map<number, number[]>;

export interface TraceOptions {
  /** Steps to run; default: all. */
  readonly steps?: number;
  readonly onProgress?: (progress: number) => void;
}

async function keysOf(backend: Backend, key: SecretKey, plan: NetworkPlan): Promise<KeyRing> {
  const lookups = new Map<LookupSetting, LookupKeys>();
  for (const capability of plan.description.capabilities.filter((name) => name !== "pack")) {
    const setting = Number(capability.at(-1)) as LookupSetting;
    lookups.set(setting, await backend.loadLookupKeys(setting, await backend.generateLookupKeys(key, setting)));
  }
  return { pack: await backend.loadEvaluationKeys(await backend.generateEvaluationKeys(key)), lookups };
}

/** The decrypted sums of every step, rows outside, patches and channels inside. */
export async function encryptedTrace(
  backend: Backend,
  plan: NetworkPlan,
  rows: readonly number[][],
  options: TraceOptions = {},
): Promise<Trace> {
  using key = backend.generateSecretKey();
  const keys = await keysOf(backend, key, plan);
  const { description, circuit } = plan;
  const trace: Trace = new Map();
  using runner = new NetworkRunner(backend, circuit, description.answer_bits);
  for (const [r, row] of rows.entries()) {
    const record = await backend.encrypt(key, encodeNetworkRows(description, [row]), {
      ciphertextCount: description.ciphertexts_per_row,
      stride: 2048,
      scale: NETWORK_INPUT_SCALE,
      bits: description.input_bits,
    });
    const abort = new AbortController();
    const running = runner.run(record, 1, keys, {
      signal: abort.signal,
      onProgress: (progress) => options.onProgress?.((r + progress) / rows.length),
      onSums: async (step, _row, firstPatch, sums) => {
        const index = circuit.steps.indexOf(step);
        const list = trace.get(index) ?? [];
        for (const phase of await backend.lwePhases(key, sums.slice())) list.push(phase | 0);
        trace.set(index, list);
        const done = firstPatch + sums.length / 2049 / (step.sumScales.length) >= step.layer.patchCount;
        if (index + 1 === options.steps && done) abort.abort();
      },
    });
    await running.catch((error) => {
      if (!(isSottoError(error) && error.code === "cancelled" && abort.signal.aborted)) throw error;
    });
  }
  return trace;
}

/** The same in clear, under the key number `key`. */
export function simulatedTrace(
  plan: NetworkPlan,
  rows: readonly number[][],
  noise: boolean,
  steps = Infinity,
  key = 0,
): Trace {
  const trace: Trace = new Map();
  const { circuit } = plan;
  const simulation = new Simulation(circuit, {
    noise,
    seed: new Uint8Array(32).fill(key),
    onSums: (step, sums) => {
      const index = circuit.steps.indexOf(step);
      if (index >= steps) return;
      const list = trace.get(index) ?? [];
      for (const sum of sums) list.push(sum);
      trace.set(index, list);
    },
  });
  rows.forEach((row) => simulation.run(row));
  return trace;
}

/** Differences mod 2^32, centred. */
export function errors(values: readonly number[], exact: readonly number[]): number[] {
  return values.map((value, i) => (value - exact[i]) | 0);
}

export function moments(values: readonly number[]): { mean: number; deviation: number } {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  return { mean, deviation: Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length) };
}

/** The largest distance of two empirical distribution functions. */
export function distance(a: readonly number[], b: readonly number[]): number {
  const [x, y] = [a.toSorted((p, q) => p - q), b.toSorted((p, q) => p - q)];
  let [i, j, largest] = [0, 0, 0];
  while (i < x.length && j < y.length) {
    if (x[i] <= y[j]) i++;
    else j++;
    largest = Math.max(largest, Math.abs(i / x.length - j / y.length));
  }
  return largest;
}
