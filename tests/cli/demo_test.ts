import assert from "node:assert/strict";
import { join } from "node:path";
import { plainBackend } from "../../circuits/plain.ts";
import { compareWithClear } from "../../cli/demo_compare.ts";
import { runDemo } from "../../cli/demo.ts";
import type { LinearModel } from "../../models/mod.ts";
import { FIXTURES, type Outcome, SILENT, withFolder } from "./support.ts";

async function demo(args: readonly string[]): Promise<Outcome> {
  let [out, err] = ["", ""];
  const context = {
    out: (text: string) => void (out += text),
    err: (text: string) => void (err += text),
    isTerminal: false,
    environment: () => undefined,
    openBackend: plainBackend,
  };
  return { code: await runDemo(args, context, { start: { allowInsecure: true, log: SILENT } }), out, err };
}

Deno.test("the demo agrees with the clear model on every row, and writes predictions and summary", async () => {
  await withFolder(async (folder) => {
    const [json, predictions] = [join(folder, "summary.json"), join(folder, "predictions.csv")];
    const { code, out, err } = await demo(["--json", json, "--out", predictions]);
    assert.equal(code, 0, err);
    assert.match(
      out.trimEnd().split("\n").at(-1)!,
      /^143 encrypted rows, agreement 100\.00 %, server .* evaluation keys \d+ bytes$/,
    );
    const summary = JSON.parse(await Deno.readTextFile(json));
    assert.equal(summary.rows, 143);
    assert.equal(summary.agreement, 1);
    for (
      const name of [
        "server_ms_per_row",
        "upload_bytes_per_row",
        "answer_bytes_per_row",
        "key_bytes",
        "keygen_ms",
        "cores",
      ]
    ) {
      assert.ok(summary[name] > 0, name);
    }
    const lines = (await Deno.readTextFile(predictions)).trimEnd().split("\n");
    assert.equal(lines[0], "label,probability_1");
    assert.equal(lines.length, 144);
  });
});

Deno.test("the demo runs a linear model from ONNX", async () => {
  const files = ["--model", join(FIXTURES, "diabetes_linear.onnx"), "--rows", join(FIXTURES, "diabetes_rows.csv")];
  const { code, out, err } = await demo(files);
  assert.equal(code, 0, err);
  assert.match(out, /agreement 100\.00 %/);
});

Deno.test("the demo runs trees in mode score, and agrees with the clear model", async () => {
  const { code, out, err } = await demo(["--mode", "score"]);
  assert.equal(code, 0, err);
  assert.match(out, /: score, 30 features, wrong answer: probability at most 2\^-\d+/);
  assert.match(out, /^143 encrypted rows, agreement 100\.00 %/m);
});

Deno.test("the demo runs a network, calibrated with given rows or with the rows themselves", async () => {
  const network = (name: string) => join(FIXTURES, "networks", name);
  const files = ["--model", network("mlp_iris_tanh.onnx"), "--rows", network("mlp_iris_tanh_rows.csv")];
  const given = await demo([...files, "--calibration", network("mlp_iris_tanh_calibration.csv")]);
  assert.equal(given.code, 0, given.err);
  assert.match(given.out, /: network, 4 features, accuracy: \d+\.\d\d % of labels as the float network's/);
  assert.match(given.out, /^38 encrypted rows, agreement (100|9\d)\.\d\d %/m);
  const own = await demo(files);
  assert.equal(own.code, 0, own.err);
  assert.match(own.out, /no --calibration: the network is calibrated with the first 500 of the rows/);
});

Deno.test("the demo refuses what it cannot run", async () => {
  assert.equal((await demo(["--mode", "paths"])).code, 2);
  const half = await demo(["--model", join(FIXTURES, "iris_lgbm.txt")]);
  assert.equal(half.code, 2);
  assert.match(half.err, /--rows/);
  const other = await demo(["--model", join(FIXTURES, "wdbc_rows.csv"), "--rows", join(FIXTURES, "wdbc_rows.csv")]);
  assert.equal(other.code, 1);
  assert.match(other.err, /\(model_refused\)/);
});

Deno.test("a label that differs does not agree, a value agrees within a thousandth", () => {
  const model: LinearModel = {
    kind: "linear",
    source: { format: "onnx", version: "", objective: "" },
    features: [{ name: "a", cast: "float64", missing: "refused" }],
    weights: [[1]],
    bias: [0],
    output: { task: "binary", transform: "identity", base: [0], labels: ["no", "yes"], threshold: 0 },
  };
  const rows = [[1], [-1]];
  const right = [{ label: "yes", scores: [1] }, { label: "no", scores: [-1] }];
  assert.deepEqual(compareWithClear(model, rows, right), { agreeing: 2, largest: 0 });
  assert.deepEqual(compareWithClear(model, rows, [right[0], right[0]]), { agreeing: 1, largest: 2 });
  const values = { ...model, output: { ...model.output, task: "regression", labels: [] } as const };
  const near = [{ label: null, scores: [1.0005] }, { label: null, scores: [-1.5] }];
  assert.equal(compareWithClear(values, rows, near).agreeing, 1);
});
