import assert from "node:assert/strict";
import { addTransforms } from "./kernels_suite.ts";
import { parseFigures } from "./programs.ts";
import type { Result } from "./results.ts";

const lines = (backend: string, us: number) =>
  ["forward", "inverse"].map((name) => `${backend}.${name} ${us} us\n${backend}.${name}.best ${us / 2} us`).join("\n");
const peer = (us: number) =>
  parseFigures(`forward ${us} us\nforward.best 3 us\ninverse_normalised 4 us\ninverse_normalised.best 4 us`);

function collect(theirs: readonly ReturnType<typeof peer>[]): Map<string, Result> {
  const results = new Map<string, Result>();
  const ours = [[2, 9], [4, 8], [3, 7]].map(([fast, slow]) =>
    parseFigures(`${lines("avx2", fast)}\n${lines("portable", slow)}\navx512ifma skipped: no`)
  );
  const add = (result: Result) => void results.set(result.name, result);
  addTransforms({ quick: true, peers: theirs.length > 0, lookups: 0, log: () => {}, add }, ours, theirs);
  return results;
}

Deno.test("the transform's figure is the median of the rounds of the fastest back end that runs here", () => {
  const results = collect([]);
  assert.equal(results.get("kernels.ntt2048.forward_us")?.value, 3);
  assert.equal(results.get("kernels.ntt2048.forward_best_us")?.value, 1);
  assert.equal(results.get("kernels.ntt2048.portable.forward_us")?.value, 8);
  assert.ok(!results.has("kernels.ntt2048.avx512ifma.forward_us"));
});

Deno.test("without a peer there is no ratio, with one it is the quotient of the medians of the same run", () => {
  assert.ok(!collect([]).has("kernels.ntt2048.ratio_to_tfhe_ntt"));
  const results = collect([peer(6), peer(5), peer(9)]);
  assert.equal(results.get("kernels.ntt2048.ratio_to_tfhe_ntt")?.value, 0.5);
  assert.equal(results.get("kernels.ntt2048.forward_us")?.peer?.value, 6);
  assert.equal(results.get("kernels.ntt2048.inverse_us")?.ratio, 0.75);
});
