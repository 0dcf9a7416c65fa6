/** Networks: server time a row, and what encryption leaves of their accuracy. */
import type { Backend } from "../circuits/mod.ts";
import { SottoError } from "../errors.ts";
import { openBackend } from "../ffi/mod.ts";
import { type MeasuredNetwork, measureNetwork, type NetworkRequest } from "./measure_network.ts";
import { NetworkKeys } from "./network_keys.ts";
import { isPresent, loadNetwork, MAKE_NETWORKS, type NetworkEntry, NETWORKS } from "./network_models.ts";
import { CONCRETE_ML, measureConcreteMl, prepareConcreteMl } from "./peers/concrete_ml.ts";
import { figure, type Figures } from "./programs.ts";
import { type Peer, result } from "./results.ts";
import { MEASURING_CORE, type Run } from "./suite.ts";

/** Encrypted scores may be this many times as far from the float ones as the simulation says: chance, and few rows. */
const ERROR_FACTOR = 3;

/** Figures of the peers of one network, by their names in `bench/peers/concrete_ml`. */
export type NetworkPeers = ReadonlyMap<string, Figures>;

/** Adds `network.*`. */
export async function networkSuite(run: Run): Promise<void> {
  if (run.peers) {
    run.log(`installing ${CONCRETE_ML}`);
    await prepareConcreteMl();
  }
  const backend = openBackend({ backend: run.backend });
  try {
    using keys = new NetworkKeys(backend);
    for (const entry of NETWORKS) await measureEntry(run, backend, keys, entry);
  } finally {
    backend.close();
  }
}

async function measureEntry(run: Run, backend: Backend, keys: NetworkKeys, entry: NetworkEntry): Promise<void> {
  if (!await isPresent(entry)) {
    return run.log(`network: ${entry.name} is left out, its files are not there: make them with ${MAKE_NETWORKS}`);
  }
  const loaded = await loadNetwork(entry);
  const request = requestOf(run, entry, backend, loaded.rows.length);
  run.log(`network: ${entry.name}, ${request.rowCount} encrypted rows`);
  const measured = await measureNetwork(backend, keys, loaded, request);
  addNetwork(run, `network.${entry.name}`, measured, await measurePeers(run, entry));
  requireAccuracy(entry, measured);
}

function requestOf(run: Run, entry: NetworkEntry, backend: Backend, available: number): NetworkRequest {
  return {
    threads: entry.threads === "one" ? 1 : backend.threads,
    rowCount: Math.min(available, run.quick ? entry.rows.quick : entry.rows.full),
    singleRuns: entry.threads === "one" ? 5 : 1,
  };
}

async function measurePeers(run: Run, { peers }: NetworkEntry): Promise<NetworkPeers> {
  const figures = new Map<string, Figures>();
  if (!run.peers) return figures;
  for (const peer of peers) {
    run.log(`${CONCRETE_ML}: ${peer}`);
    figures.set(peer, await measureConcreteMl(peer, run.quick ? 3 : 7, MEASURING_CORE));
  }
  return figures;
}

/** Adds the figures of one network; the first peer stands beside them, every peer's own follow. */
export function addNetwork(run: Run, name: string, measured: MeasuredNetwork, peers: NetworkPeers): void {
  const [first] = peers;
  const peer = (figureName: string, factor = 1): Peer | undefined =>
    first && { name: `${CONCRETE_ML} ${first[0]}`, value: figure(first[1], figureName) * factor };
  const { plan } = measured;
  const add = (what: string, value: number, unit: string, rival?: Peer) =>
    run.add(result(`${name}.${what}`, value, unit, rival));
  add("s_per_row", measured.secondsPerRow, "s", peer("run_ms", 1e-3));
  add("single_row_s", measured.secondsSingle, "s", peer("run_ms", 1e-3));
  add("planned_s_per_row", plan.server_ms_per_row / 1e3, "s");
  add("threads", measured.threads, "count");
  add("rows", measured.rowCount, "count");
  add("accuracy", measured.accuracy, "share", peer("accuracy"));
  add("float_accuracy", measured.floatAccuracy, "share", peer("float_accuracy"));
  add("simulated_accuracy", measured.simulatedAccuracy, "share");
  add("agreement", measured.agreement, "share");
  add("score_error", measured.scoreError, "ratio");
  add("simulated_score_error", measured.simulatedScoreError, "ratio");
  add("plan_ms", measured.planMs, "ms");
  add("lookups_per_row", plan.lookups_per_row, "count");
  add("upload_bytes_per_row", plan.upload_bytes_per_row, "bytes", peer("upload_bytes"));
  add("answer_bytes_per_row", plan.answer_bytes_per_row, "bytes", peer("answer_bytes"));
  add("key_bytes", plan.key_bytes, "bytes", peer("key_bytes"));
  for (const [rival, figures] of peers) {
    add(`concrete_ml.${rival}.s_per_row`, figure(figures, "run_ms") / 1e3, "s");
    add(`concrete_ml.${rival}.accuracy`, figure(figures, "accuracy"), "share");
  }
}

/**
 * A fast wrong answer is worth nothing: encrypted scores lie as close to the float ones as the simulation says.
 * @throws SottoError `internal`
 */
export function requireAccuracy({ name }: Pick<NetworkEntry, "name">, measured: MeasuredNetwork): void {
  const { scoreError, simulatedScoreError } = measured;
  if (scoreError <= ERROR_FACTOR * simulatedScoreError) return;
  throw new SottoError(
    "internal",
    `${name}: the encrypted scores are off by ${scoreError} of their size, the simulation says ${simulatedScoreError}`,
  );
}
