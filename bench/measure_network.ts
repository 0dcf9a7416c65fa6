/** Server time and answers of one network under encryption, beside the network in clear. */
import { type Backend, lweAnswerLayout, type NetworkDescription, type SecretKey } from "../circuits/mod.ts";
import {
  decodeNetworkAnswers,
  encodeNetworkRows,
  NETWORK_INPUT_SCALE,
  type NetworkPlan,
  planNetwork,
  Simulation,
} from "../circuits/network/mod.ts";
import { finish, type Output, type Row } from "../models/mod.ts";
import { evaluateNetwork, type NetworkModel } from "../models/network/mod.ts";
import { CURRENT } from "../params/mod.ts";
import type { NetworkKeys } from "./network_keys.ts";
import type { LoadedNetwork } from "./network_models.ts";
import { type CircuitTimes, runCircuit, type Timing } from "./run_circuit.ts";

/** How one network is measured. */
export interface NetworkRequest extends Timing {
  /** Rows that are encrypted, from the first on. */
  readonly rowCount: number;
}

/** What one network comes to. Accuracies are shares of rows with the true label. */
export interface MeasuredNetwork extends CircuitTimes {
  readonly threads: number;
  readonly rowCount: number;
  readonly plan: NetworkDescription["plan"];
  /** Of the calibration, in clear: ranges, tables, costs. */
  readonly planMs: number;
  /** Over the encrypted rows. */
  readonly accuracy: number;
  /** Share of the encrypted rows with the label of the float network. */
  readonly agreement: number;
  /** Over all rows. */
  readonly floatAccuracy: number;
  readonly simulatedAccuracy: number;
  /** Root mean square of the encrypted scores' differences from the float ones, over that of the float ones. */
  readonly scoreError: number;
  /** The same of the simulation, on the same rows. */
  readonly simulatedScoreError: number;
}

/** The first output of each row. */
interface Answers {
  readonly scores: readonly ArrayLike<number>[];
  readonly labels: readonly number[];
}

/** Plans the network, evaluates encrypted rows of it, and compares the answers with those in clear. */
export async function measureNetwork(
  backend: Backend,
  keys: NetworkKeys,
  { model, calibration, rows, labels }: LoadedNetwork,
  request: NetworkRequest,
): Promise<MeasuredNetwork> {
  const costs = await backend.networkCosts();
  const started = performance.now();
  const plan = planNetwork(model, calibration, costs, { parameterSet: backend.parameterSet });
  const planMs = performance.now() - started;
  const chosen = rows.slice(0, request.rowCount);
  const encrypted = await runEncrypted(backend, keys, plan, chosen, request);
  const float = floatAnswers(model, rows);
  const simulated = simulatedAnswers(plan, rows);
  return {
    threads: request.threads,
    rowCount: chosen.length,
    secondsPerRow: encrypted.secondsPerRow,
    secondsSingle: encrypted.secondsSingle,
    plan: plan.description.plan,
    planMs,
    accuracy: share(encrypted.labels, labels),
    agreement: share(encrypted.labels, float.labels),
    floatAccuracy: share(float.labels, labels),
    simulatedAccuracy: share(simulated.labels, labels),
    scoreError: relativeError(encrypted.scores, float.scores),
    simulatedScoreError: relativeError(simulated.scores.slice(0, chosen.length), float.scores),
  };
}

/** Decrypted answers of the encrypted rows, and the times of evaluating them. */
async function runEncrypted(
  backend: Backend,
  keys: NetworkKeys,
  { description, circuit }: NetworkPlan,
  rows: readonly Row[],
  request: NetworkRequest,
): Promise<Answers & CircuitTimes> {
  const { secret } = keys;
  const records = await encrypt(backend, secret, description, rows);
  const ring = await keys.ring(description.capabilities);
  const compiled = { backend, circuit, answerBits: description.answer_bits };
  const { answers, ...times } = await runCircuit(compiled, ring, { records, rowCount: rows.length }, request);
  return { ...await decrypt(backend, secret, description, answers, rows.length), ...times };
}

/** Values that the calibration rows did not reach are clipped, as a client may ask for. */
async function encrypt(
  backend: Backend,
  secret: SecretKey,
  description: NetworkDescription,
  rows: readonly Row[],
): Promise<Uint8Array> {
  return await backend.encrypt(secret, encodeNetworkRows(description, rows, "clip"), {
    ciphertextCount: rows.length * description.ciphertexts_per_row,
    stride: CURRENT.ringDegree,
    scale: NETWORK_INPUT_SCALE,
    bits: description.input_bits,
  });
}

async function decrypt(
  backend: Backend,
  secret: SecretKey,
  description: NetworkDescription,
  records: Uint8Array,
  recordCount: number,
): Promise<Answers> {
  const width = description.outputs.reduce((sum, { scales }) => sum + scales.length, 0);
  const layout = lweAnswerLayout(width, description.answer_bits);
  const phases = await backend.decrypt(secret, records, { ...layout, recordCount, scale: 1n });
  const scores = decodeNetworkAnswers(description, phases, recordCount).map(([first]) => first);
  return labelled(description.output, scores);
}

function floatAnswers(model: NetworkModel, rows: readonly Row[]): Answers {
  return labelled(model.outputs[0].output, rows.map((row) => evaluateNetwork(model, row)[0]));
}

function simulatedAnswers({ circuit, description }: NetworkPlan, rows: readonly Row[]): Answers {
  const simulation = new Simulation(circuit);
  const width = description.outputs[0].scales.length;
  return labelled(description.output, rows.map((row) => simulation.scores(row).subarray(0, width)));
}

function labelled(output: Output, scores: readonly ArrayLike<number>[]): Answers {
  return { scores, labels: scores.map((values) => Number(finish(output, values).label)) };
}

/** Share of the values that equal the ones at their places in `wanted`, which may be longer. */
export function share(values: readonly number[], wanted: readonly number[]): number {
  return values.filter((value, i) => value === wanted[i]).length / values.length;
}

/** Root mean square of the differences over that of the wanted values; `wanted` may have more rows. */
export function relativeError(rows: readonly ArrayLike<number>[], wanted: readonly ArrayLike<number>[]): number {
  let [error, signal] = [0, 0];
  rows.forEach((row, r) => {
    for (let i = 0; i < row.length; i++) {
      error += (row[i] - wanted[r][i]) ** 2;
      signal += wanted[r][i] ** 2;
    }
  });
  return signal === 0 ? 0 : Math.sqrt(error / signal);
}
