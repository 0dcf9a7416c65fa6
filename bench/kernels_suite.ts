/** The transform of 2048 coefficients on every back end, beside tfhe-ntt, the pack tree, lookups and matrix products. */
import { openBackend } from "../ffi/mod.ts";
import { buildKernels } from "../tools/build.ts";
import { countErrors, measureLookups, measureMatmul } from "./lookups.ts";
import { buildTfheNtt, measureTfheNtt, TFHE_NTT } from "./peers/tfhe_ntt.ts";
import { figure, type Figures, parseFigures, runProgram } from "./programs.ts";
import { type Peer, result } from "./results.ts";
import { best, median } from "./statistics.ts";
import { MEASURING_CORE, type Run } from "./suite.ts";

/** Back ends that `poly_bench` times, fastest first. */
const TIMED = ["avx512ifma", "avx2", "portable"] as const;

/** Adds `kernels.*` and `keys.lookup*`. */
export async function kernelsSuite(run: Run): Promise<void> {
  await measureTransforms(run);
  await measurePack(run);
  await measureMatmul(run);
  await measureLookups(run);
  if (run.lookups > 0) await countErrors(run, run.lookups);
}

/** Ours and the peer's take turns, so that a slow moment of the machine meets both. */
async function measureTransforms(run: Run): Promise<void> {
  const folder = await buildKernels({ target: "poly_bench", log: run.log });
  if (run.peers) run.log(`building ${TFHE_NTT}`);
  const peer = run.peers ? await buildTfheNtt() : undefined;
  const ours: Figures[] = [], theirs: Figures[] = [];
  const rounds = run.quick ? 3 : 9;
  for (let round = 1; round <= rounds; round++) {
    run.log(`kernels: transforms, round ${round} of ${rounds}`);
    ours.push(parseFigures(await runProgram(`${folder}/poly_bench`, [], { core: MEASURING_CORE })));
    if (peer !== undefined) theirs.push(await measureTfheNtt(peer, MEASURING_CORE));
  }
  addTransforms(run, ours, theirs);
  await addReference(run);
}

/**
 * Adds the figures of all rounds: of the medians the median, of the best the best.
 * @param theirs the peer's rounds; empty without a peer
 */
export function addTransforms(run: Run, ours: readonly Figures[], theirs: readonly Figures[]): void {
  const name = "kernels.ntt2048";
  const available = TIMED.filter((backend) => ours[0].has(`${backend}.forward`));
  const fastest = available[0];
  for (const direction of ["forward", "inverse"] as const) {
    // The inverse of Sotto includes the factor 1 / N.
    const rival = direction === "forward" ? "forward" : "inverse_normalised";
    const [peer, peerBest] = [peerOf(theirs, rival, median), peerOf(theirs, `${rival}.best`, best)];
    run.add(result(`${name}.${direction}_us`, median(all(ours, `${fastest}.${direction}`)), "us", peer));
    run.add(result(`${name}.${direction}_best_us`, best(all(ours, `${fastest}.${direction}.best`)), "us", peerBest));
    if (peer === undefined || direction === "inverse") continue;
    run.add(result(`${name}.ratio_to_tfhe_ntt`, median(all(ours, `${fastest}.forward`)) / peer.value, "ratio"));
  }
  for (const backend of available) {
    run.add(result(`${name}.${backend}.forward_us`, median(all(ours, `${backend}.forward`)), "us"));
  }
}

function all(rounds: readonly Figures[], name: string): number[] {
  return rounds.map((round) => figure(round, name));
}

function peerOf(
  rounds: readonly Figures[],
  name: string,
  summary: (values: readonly number[]) => number,
): Peer | undefined {
  return rounds.length === 0 ? undefined : { name: TFHE_NTT, value: summary(all(rounds, name)) };
}

/** The reference is not timed by `poly_bench`: its unit cost is the best of fifty. */
async function addReference(run: Run): Promise<void> {
  const backend = openBackend({ backend: "ref", threads: 1 });
  try {
    run.add(result("kernels.ntt2048.ref.forward_us", (await backend.unitCosts()).ntt_ns / 1e3, "us"));
  } finally {
    backend.close();
  }
}

/** One input of a pack tree of 256: a clear product and a merge. A back end measures once, so a new one is opened each time. */
async function measurePack(run: Run): Promise<void> {
  const microseconds: number[] = [];
  for (let round = 0; round < (run.quick ? 5 : 15); round++) {
    const backend = openBackend({ backend: run.backend, threads: 1 });
    microseconds.push((await backend.unitCosts()).packed_product_ns / 1e3);
    backend.close();
  }
  run.add(result("kernels.pack.us_per_input", median(microseconds), "us"));
  run.add(result("kernels.pack.best_us_per_input", best(microseconds), "us"));
}
