/** Lookups and matrix products of the kernels, and the keys of lookups, beside the bootstrap of tfhe-rs. */
import { buildKernels } from "../tools/build.ts";
import { buildTfheRs, measureTfheRs, TFHE_RS } from "./peers/tfhe_rs.ts";
import { figure, type Figures, parseFigures, runProgram } from "./programs.ts";
import { type Peer, result } from "./results.ts";
import { best, median } from "./statistics.ts";
import { MEASURING_CORE, type Run } from "./suite.ts";

/** Names of results of the settings with a peer. */
const NAMES = [["lookup4", 1], ["lookup_wide", 2]] as const;
const SETTINGS = [1, 2, 3] as const;
const STAGES = ["keyswitch", "modulus_switch", "rotation", "extraction"] as const;
/** Failure classes of the peer; ratios without an ending are to the first. Sotto's lie between: see README.md. */
const CLASSES = ["2m64", "2m128"] as const;
/** Endings of the names of ratios, and the peer's figure that each is over. */
const RATIOS = [["", "2m64.batch64"], ["_2m128", "2m128.batch64"], ["_single", "2m64.single"]] as const;

/** Ours and the peer's take turns, so that a slow moment of the machine meets both. */
export async function measureLookups(run: Run): Promise<void> {
  const folder = await buildKernels({ target: "lookup_bench", log: run.log });
  if (run.peers) run.log(`building ${TFHE_RS}: about nine minutes the first time`);
  const peer = run.peers ? await buildTfheRs() : undefined;
  const ours: Figures[] = [], theirs: Figures[] = [];
  const rounds = run.quick ? 2 : 5;
  for (let round = 1; round <= rounds; round++) {
    run.log(`kernels: lookups, round ${round} of ${rounds}`);
    ours.push(parseFigures(await runProgram(`${folder}/lookup_bench`, [], { core: MEASURING_CORE })));
    if (peer !== undefined) theirs.push(await measureTfheRs(peer, MEASURING_CORE));
  }
  addLookups(run, ours, theirs);
}

/**
 * Adds the figures of all rounds, each the best of two of its round, the median over the rounds.
 * @param theirs the peer's rounds; empty without a peer
 */
export function addLookups(run: Run, ours: readonly Figures[], theirs: readonly Figures[]): void {
  const our = (name: string, summary = median) => summary(ours.map((round) => figure(round, name)));
  const their = (name: string, summary = median) => summary(theirs.map((round) => figure(round, `${name}.best`)));
  for (const [name, setting] of NAMES) {
    const peer = (summary = median): Peer | undefined =>
      theirs.length === 0 ? undefined : { name: `${TFHE_RS} 2^-64`, value: their("2m64.batch64", summary) };
    const value = our(`lookup${setting}.total64`);
    run.add(result(`kernels.${name}.ms`, value, "ms", peer()));
    run.add(result(`kernels.${name}.best_ms`, our(`lookup${setting}.total64`, best), "ms", peer(best)));
    if (theirs.length === 0) continue;
    for (const [ending, rival] of RATIOS) {
      run.add(result(`kernels.${name}.ratio_to_tfhe_rs${ending}`, value / their(rival), "ratio"));
    }
  }
  if (theirs.length > 0) addPeer(run, their);
  for (const setting of SETTINGS) addSetting(run, `lookup${setting}`, our);
}

function addPeer(run: Run, their: (name: string) => number): void {
  for (const failure of CLASSES) {
    for (const what of ["single", "batch64", "keyswitch"]) {
      run.add(result(`kernels.tfhe_rs.${failure}.${what}_ms`, their(`${failure}.${what}`), "ms"));
    }
  }
}

function addSetting(run: Run, name: string, our: (name: string) => number): void {
  for (const stage of STAGES) run.add(result(`kernels.${name}.${stage}_ms`, our(`${name}.${stage}`), "ms"));
  run.add(result(`kernels.${name}.batch256_ms`, our(`${name}.total256`), "ms"));
  const floor = our(`${name}.floor.keyswitch`) + our(`${name}.floor.rotation_transforms`);
  run.add(result(`kernels.${name}.floor_ms`, floor, "ms"));
  run.add(result(`keys.${name}.bytes`, our(`${name}.key_bytes`), "bytes"));
  run.add(result(`keys.${name}.keygen_ms`, our(`${name}.keygen`), "ms"));
  run.add(result(`keys.${name}.load_ms`, our(`${name}.load`), "ms"));
}

const MATMUL = /^matmul\.[^.]+\.(\w+)\.(\w+)$/;

/** Matrix products modulo 2^32 on the fastest back end that runs here. */
export async function measureMatmul(run: Run): Promise<void> {
  const folder = await buildKernels({ target: "matmul_bench", log: run.log });
  run.log("kernels: matrix products");
  addMatmul(run, parseFigures(await runProgram(`${folder}/matmul_bench`, [], { core: MEASURING_CORE })));
}

/** Adds `kernels.matmul.SHAPE.*`: the best of five. */
export function addMatmul(run: Run, figures: Figures): void {
  for (const [name, value] of figures) {
    const [, shape, what] = MATMUL.exec(name) ?? [];
    if (what === undefined) continue;
    const rate = what === "rate";
    run.add(result(`kernels.matmul.${shape}.${rate ? "rate" : `${what}_ms`}`, value, rate ? "G/s" : "ms"));
  }
}

/** Exact four-bit lookups on all cores: how many came out wrong. */
export async function countErrors(run: Run, lookups: number): Promise<void> {
  const folder = await buildKernels({ target: "lookup_bench", log: run.log });
  run.log(`kernels: ${lookups} exact lookups`);
  const figures = parseFigures(await runProgram(`${folder}/lookup_bench`, ["--count", String(lookups)]));
  run.add(result("kernels.lookup4.count", figure(figures, "lookup1.count"), "count"));
  run.add(result("kernels.lookup4.errors", figure(figures, "lookup1.errors"), "count"));
}
