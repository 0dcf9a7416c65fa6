import assert from "node:assert/strict";
import { isSottoError } from "../errors.ts";
import { openBackend } from "../ffi/mod.ts";
import { runBench, SUITES } from "./main.ts";

Deno.test("the help names every suite and gives examples", async () => {
  const written: string[] = [];
  assert.equal(await runBench(["--help"], (text) => written.push(text)), 0);
  const help = written.join("\n");
  for (const word of [...Object.keys(SUITES), "--quick", "--peers", "--lookups", "--backend", "--json", "Examples:"]) {
    assert.ok(help.includes(word), word);
  }
});

Deno.test("an unknown suite and an unknown option are wrong usage, and nothing is measured", async () => {
  const written: string[] = [];
  assert.equal(await runBench(["no-such-suite"], (text) => written.push(text)), 2);
  assert.equal(await runBench(["--no-such-option"], (text) => written.push(text)), 2);
  assert.equal(await runBench(["--lookups", "many"], (text) => written.push(text)), 2);
  assert.deepEqual(written, []);
});

Deno.test("a JSON file that cannot be written is told before anything is measured", async () => {
  const written: string[] = [];
  assert.equal(await runBench(["--json", "no-such-folder/bench.json"], (text) => written.push(text)), 1);
  assert.deepEqual(written, []);
});

Deno.test("back end cuda without a GPU is told with its reason, and is no failure", async () => {
  try {
    openBackend({ backend: "cuda", threads: 1 }).close();
    return; // there is a GPU
  } catch (error) {
    assert.ok(isSottoError(error));
  }
  for (const suite of ["kernels", "network", "finetune"]) {
    const written: string[] = [];
    assert.equal(await runBench([suite, "--backend", "cuda"], (text) => written.push(text)), 0);
    assert.match(written.join("\n"), /^nothing is measured: .*(no CUDA device|is not there|without CUDA)/);
  }
});
