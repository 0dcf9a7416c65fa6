/** Tree models, and the linear model beside them: server time a row on one thread, bytes, keys, agreement, floors. */
import type { Backend } from "../circuits/mod.ts";
import { newKeys } from "../client/mod.ts";
import { SottoError } from "../errors.ts";
import { openBackend } from "../ffi/mod.ts";
import { type BenchModel, LINEAR_MODELS, loadModel, STANDARD_MODEL, TREE_MODELS } from "./bench_models.ts";
import { type Measured, measureModel, type Repetition } from "./measure_model.ts";
import { type MeasuredScore, measureScore } from "./measure_score.ts";
import { CONCRETE_ML, measureConcreteMl, prepareConcreteMl } from "./peers/concrete_ml.ts";
import { figure, type Figures } from "./programs.ts";
import { type Peer, result } from "./results.ts";
import { measureSpeedup } from "./speedup.ts";
import { best, median } from "./statistics.ts";
import { MEASURING_CORE, type Run } from "./suite.ts";

/** Rows of one measured request. */
const ROWS = 100;

/** Adds `trees.*`, `linear.*` and `keys.*`. */
export async function treesSuite(run: Run): Promise<void> {
  if (run.peers) {
    run.log(`installing ${CONCRETE_ML}`);
    await prepareConcreteMl();
  }
  const backend = openBackend({ backend: run.backend, threads: 1 });
  try {
    await measureAll(run, backend);
  } finally {
    backend.close();
  }
  await addSpeedup(run);
}

async function measureAll(run: Run, backend: Backend): Promise<void> {
  const keys = await newKeys(backend);
  for (const [family, models] of [["trees", TREE_MODELS], ["linear", LINEAR_MODELS]] as const) {
    for (const entry of models) {
      run.log(`${family}: ${entry.name}, ${ROWS} rows a request`);
      const measured = await measureModel(backend, keys, await loadModel(entry, ROWS), repetitionOf(run));
      const peer = await measurePeer(run, entry);
      addModel(run, `${family}.${entry.name}`, measured, peer);
      requireAgreement(entry, measured);
      if (entry.name !== STANDARD_MODEL) continue;
      await addKeys(run, backend, peer);
      run.log(`${family}: ${entry.name} in mode score`);
      const score = await measureScore(backend, await loadModel(entry, scoreRows(run)), { threads: 1, singleRuns: 1 });
      addScore(run, `${family}.${entry.name}`, score, peer);
      requireAgreement(entry, score);
    }
  }
}

function repetitionOf({ quick }: Run): Repetition {
  return quick ? { runsMin: 2, runsMax: 100, seconds: 4 } : { runsMin: 5, runsMax: 500, seconds: 20 };
}

/** A forest takes a minute a row there: one row after the first that is not counted, or three of a small model. */
async function measurePeer(run: Run, { peer }: BenchModel): Promise<Figures | undefined> {
  if (!run.peers || peer === undefined) return undefined;
  run.log(`${CONCRETE_ML}: ${peer}`);
  const [few, many] = peer === "rf50x4" || peer === "xgb50x3" ? [1, 3] : [3, 7];
  return await measureConcreteMl(peer, run.quick ? few : many, MEASURING_CORE);
}

function peerOf(figures: Figures | undefined, name: string): Peer | undefined {
  return figures && { name: CONCRETE_ML, value: figure(figures, name) };
}

/** Adds the figures of one model. */
export function addModel(run: Run, name: string, measured: Measured, peer?: Figures): void {
  const { medianMsPerRow, bestMsPerRow, floorMsPerRow } = measured;
  run.add(result(`${name}.server_ms_per_row`, medianMsPerRow, "ms", peerOf(peer, "run_ms")));
  run.add(result(`${name}.server_best_ms_per_row`, bestMsPerRow, "ms", peerOf(peer, "run_best_ms")));
  run.add(result(`${name}.planned_ms_per_row`, measured.plannedMsPerRow, "ms"));
  run.add(result(`${name}.transforms_per_row`, measured.transformsPerRow, "count"));
  run.add(result(`${name}.floor_ms_per_row`, floorMsPerRow, "ms"));
  run.add(result(`${name}.floor_ratio`, medianMsPerRow / floorMsPerRow, "ratio"));
  run.add(result(`${name}.upload_bytes_per_row`, measured.uploadBytesPerRow, "bytes", peerOf(peer, "upload_bytes")));
  run.add(result(`${name}.answer_bytes_per_row`, measured.answerBytesPerRow, "bytes", peerOf(peer, "answer_bytes")));
  run.add(result(`${name}.agreement`, measured.agreement, "share", peerOf(peer, "agreement")));
}

/** Rows of the request in mode `score`: it takes seconds a row. */
function scoreRows({ quick }: Run): number {
  return quick ? 4 : 24;
}

/** Adds the figures of one model in mode `score`. */
export function addScore(run: Run, name: string, measured: MeasuredScore, peer?: Figures): void {
  const { plan } = measured;
  const time = peer && { name: CONCRETE_ML, value: figure(peer, "run_ms") / 1e3 };
  run.add(result(`${name}.score_s_per_row`, measured.secondsPerRow, "s", time));
  run.add(result(`${name}.score_single_row_s`, measured.secondsSingle, "s", time));
  run.add(result(`${name}.score_planned_s_per_row`, plan.server_ms_per_row / 1e3, "s"));
  run.add(result(`${name}.score_lookups_per_row`, plan.lookups_per_row, "count"));
  run.add(
    result(`${name}.score_upload_bytes_per_row`, plan.upload_bytes_per_row, "bytes", peerOf(peer, "upload_bytes")),
  );
  run.add(
    result(`${name}.score_answer_bytes_per_row`, plan.answer_bytes_per_row, "bytes", peerOf(peer, "answer_bytes")),
  );
  run.add(result(`${name}.score_key_bytes`, plan.key_bytes, "bytes", peerOf(peer, "key_bytes")));
  run.add(result(`${name}.score_agreement`, measured.agreement, "share", peerOf(peer, "agreement")));
}

async function addKeys(run: Run, backend: Backend, peer: Figures | undefined): Promise<void> {
  const times: number[] = [];
  let bytes = 0;
  for (let round = 0; round < 5; round++) {
    const start = performance.now();
    const keys = await newKeys(backend);
    times.push(performance.now() - start);
    bytes = keys.evaluationFile.length;
  }
  run.add(result("keys.trees.bytes", bytes, "bytes", peerOf(peer, "key_bytes")));
  run.add(result("keys.trees.keygen_ms", median(times), "ms", peerOf(peer, "keygen_ms")));
  run.add(result("keys.trees.keygen_best_ms", best(times), "ms"));
}

/** A fast wrong answer is worth nothing. @throws SottoError `internal` */
function requireAgreement({ name }: BenchModel, { agreement }: Pick<Measured, "agreement">): void {
  if (agreement === 1) return;
  throw new SottoError("internal", `${name}: only ${agreement * 100} % of the rows agree with the model in clear`);
}

async function addSpeedup(run: Run): Promise<void> {
  if (navigator.hardwareConcurrency < 2) return run.log("trees: one core here, so no speed-up by a second is measured");
  run.log(`trees: ${STANDARD_MODEL} on one and on two threads`);
  const entry = TREE_MODELS.find(({ name }) => name === STANDARD_MODEL)!;
  const speedup = await measureSpeedup(await loadModel(entry, ROWS), run.quick ? 3 : 9);
  run.add(result(`trees.${STANDARD_MODEL}.two_core_speedup`, speedup, "ratio"));
}
