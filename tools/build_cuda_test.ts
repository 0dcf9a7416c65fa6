/** What the CUDA compiler says about the kernels, where `deno task build:cuda` has run: registers, spills, and a library that loads without a GPU. */
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { isSottoError } from "../errors.ts";
import { openBackend } from "../ffi/mod.ts";
import { CUDA_FOLDER } from "./build_cuda.ts";
import { findSpills, readReport } from "./cuda_report.ts";

const REPORTS = `${CUDA_FOLDER}/cuda`;
const LIBRARY = `${CUDA_FOLDER}/libsotto.so`;

Deno.test("a report of the CUDA compiler is read kernel by kernel", () => {
  const report = readReport(`
ptxas info    : Compiling entry function '_Z1a' for 'sm_90'
ptxas info    : Function properties for _Z1a
    16 bytes stack frame, 4 bytes spill stores, 8 bytes spill loads
ptxas info    : Used 128 registers, used 1 barriers, 2048 bytes smem
ptxas info    : Compiling entry function '_Z1b' for 'sm_80'
    0 bytes stack frame, 0 bytes spill stores, 0 bytes spill loads
ptxas info    : Used 25 registers`);
  assert.deepEqual(report, [
    { kernel: "_Z1a", architecture: "sm_90", spilledBytes: 4, registers: 128, sharedBytes: 2048 },
    { kernel: "_Z1b", architecture: "sm_80", spilledBytes: 0, registers: 25, sharedBytes: 0 },
  ]);
  assert.deepEqual(findSpills(report), ["_Z1a on sm_90: 4 bytes"]);
});

Deno.test({
  name: "no kernel spills registers, and none asks for more of them than its blocks have",
  ignore: !existsSync(REPORTS), // without the CUDA compiler there is no report
  fn: async () => {
    const kernels = [];
    for await (const { name } of Deno.readDir(REPORTS)) {
      if (name.endsWith(".report.txt")) kernels.push(...readReport(await Deno.readTextFile(`${REPORTS}/${name}`)));
    }
    for (
      const hot of [
        "rotate_blindly",
        "transform_polynomials",
        "multiply_tiles",
        "expand_masks",
        "merge",
        "multiply_leaves",
        "multiply_externally",
      ]
    ) {
      for (const architecture of ["sm_80", "sm_90", "sm_100"]) {
        assert.ok(
          kernels.some((k) => k.kernel.includes(hot) && k.architecture === architecture),
          `${hot} on ${architecture}`,
        );
      }
    }
    assert.deepEqual(findSpills(kernels), []);
    for (const { kernel, registers, sharedBytes } of kernels) {
      assert.ok(
        registers <= (kernel.includes("rotate_blindly") ? 128 : kernel.includes("transform_polynomials") ? 64 : 255),
        kernel,
      );
      assert.equal(sharedBytes, 0, `${kernel}: shared memory is dynamic, its map checked at compile time`);
    }
  },
});

Deno.test({
  name: "the library for GPUs loads on this machine; without a GPU it says so, and auto takes the processor",
  ignore: !existsSync(LIBRARY), // not built here
  fn: () => {
    const automatic = openBackend({ threads: 1 });
    try {
      if (automatic.name === "cuda") return; // there is a GPU
      assert.match(automatic.name, /^cpu\//);
      assert.match(automatic.note ?? "", /^no GPU is used: .*no CUDA device/);
    } finally {
      automatic.close();
    }
    assert.throws(
      () => openBackend({ backend: "cuda", threads: 1 }),
      (error) => isSottoError(error) && error.code === "configuration_invalid" && /no CUDA device/.test(error.message),
    );
  },
});
