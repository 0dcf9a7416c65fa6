import assert from "node:assert/strict";
import { addLookups, addMatmul } from "./lookups.ts";
import { type Figures, parseFigures } from "./programs.ts";
import type { Result } from "./results.ts";
import type { Run } from "./suite.ts";

function ours(ms: number): Figures {
  const lines = [1, 2, 3].map((setting) =>
    ["total64", "total256", "keyswitch", "modulus_switch", "rotation", "extraction", "keygen", "load"]
      .map((name) => `lookup${setting}.${name} ${ms * setting} ms`)
      .concat(
        `lookup${setting}.floor.keyswitch 0.5 ms`,
        `lookup${setting}.floor.rotation_transforms 2 ms`,
        `lookup${setting}.key_bytes ${setting * 100} bytes`,
      ).join("\n")
  );
  return parseFigures(lines.join("\n"));
}

function theirs(ms: number): Figures {
  const of = (failure: string, factor: number) =>
    ["single", "batch64", "keyswitch"].map((name) => `${failure}.${name}.best ${ms * factor} ms`).join("\n");
  return parseFigures(`${of("2m64", 1)}\n${of("2m128", 2)}`);
}

function collect(fill: (run: Run) => void): Map<string, Result> {
  const results = new Map<string, Result>();
  const add = (result: Result) => void results.set(result.name, result);
  fill({ quick: true, peers: true, lookups: 0, log: () => {}, add });
  return results;
}

Deno.test("a lookup's figure is the median of the rounds, beside the peer's batch of the same rounds", () => {
  const results = collect((run) => addLookups(run, [5, 4, 9].map(ours), [10, 11, 8].map(theirs)));
  assert.equal(results.get("kernels.lookup4.ms")?.value, 5);
  assert.equal(results.get("kernels.lookup4.best_ms")?.value, 4);
  assert.equal(results.get("kernels.lookup4.best_ms")?.peer?.value, 8);
  assert.equal(results.get("kernels.lookup4.ms")?.peer?.value, 10);
  assert.equal(results.get("kernels.lookup4.ratio_to_tfhe_rs")?.value, 0.5);
  assert.equal(results.get("kernels.lookup4.ratio_to_tfhe_rs_2m128")?.value, 0.25);
  assert.equal(results.get("kernels.lookup_wide.ratio_to_tfhe_rs")?.value, 1);
  assert.equal(results.get("kernels.tfhe_rs.2m128.batch64_ms")?.value, 20);
});

Deno.test("without a peer there are stages, keys and no ratio", () => {
  const results = collect((run) => addLookups(run, [ours(4)], []));
  assert.equal(results.get("kernels.lookup3.rotation_ms")?.value, 12);
  assert.equal(results.get("kernels.lookup1.floor_ms")?.value, 2.5);
  assert.equal(results.get("keys.lookup2.bytes")?.value, 200);
  assert.deepEqual([...results.values()].filter(({ name, ratio }) => ratio !== undefined || /tfhe_rs/.test(name)), []);
});

Deno.test("matrix products are named by shape, whatever back end ran them", () => {
  const lines = "matmul.avx512vnni.tuning.multiply 90 ms\nmatmul.avx512vnni.tuning.rate 47.5 G/s\nother 1 ms";
  const results = collect((run) => addMatmul(run, parseFigures(lines)));
  assert.deepEqual([...results.values()], [
    { name: "kernels.matmul.tuning.multiply_ms", value: 90, unit: "ms" },
    { name: "kernels.matmul.tuning.rate", value: 47.5, unit: "G/s" },
  ]);
});
