import assert from "node:assert/strict";
import { parse } from "csv-parse/sync";
import { decodeOnnx } from "../onnx_schema.ts";
import { finish } from "../output.ts";
import { importModel, importOnnx, importOnnxModel } from "../mod.ts";
import { assertRefused } from "../../tests/fixtures/assert_refused.ts";
import { assertClose } from "./assert_close.ts";
import { evaluateNetwork } from "./evaluate.ts";
import { importNetwork, readNetwork } from "./import.ts";

const FOLDER = new URL("../../tests/fixtures/networks/", import.meta.url);

interface NetworkCase {
  readonly name: string;
  readonly task: string;
  readonly final: string | null;
  readonly outputs: number;
}

const cases: NetworkCase[] = JSON.parse(Deno.readTextFileSync(new URL("cases.json", FOLDER)));
const bytesOf = (name: string) => Deno.readFileSync(new URL(`${name}.onnx`, FOLDER));
const tableOf = (file: string): string[][] => parse(Deno.readTextFileSync(new URL(file, FOLDER)), { from_line: 2 });

function expectedOf(name: string, output: number): { labels: string[]; scores: number[][] } {
  const table = tableOf(`${name}_expected${output === 0 ? "" : `_${output}`}.csv`);
  return { labels: table.map(([label]) => label), scores: table.map(([, ...scores]) => scores.map(Number)) };
}

Deno.test("every committed network gives the scores and labels of the ONNX runtime", () => {
  for (const { name, task, final, outputs } of cases) {
    const model = importNetwork(bytesOf(name));
    assert.equal(model.outputs[0].output.task, task, name);
    assert.equal(model.outputs.length, outputs, name);
    const margins = tableOf(`${name}_margins.csv`).map((row) => row.map(Number));
    const expected = model.outputs.map((_, output) => expectedOf(name, output));
    tableOf(`${name}_rows.csv`).forEach((row, at) => {
      const scores = evaluateNetwork(model, row.map(Number));
      assertClose(scores[0], margins[at], 2e-5, `${name}, row ${at}, scores`);
      model.outputs.forEach(({ output }, index) => {
        const { labels, scores: wanted } = expected[index];
        const found = finish(output, scores[index]);
        const logs = index === 0 && final === "LogSoftmax";
        assertClose(found.scores, logs ? wanted[at].map(Math.exp) : wanted[at], 2e-5, `${name}, row ${at}, answers`);
        if (labels[at] !== "") assert.equal(String(found.label), labels[at], `${name}, row ${at}`);
      });
    });
  }
});

Deno.test("folding changes no score of a committed network by more than rounding", () => {
  for (const { name } of cases) {
    const file = decodeOnnx(bytesOf(name));
    const [folded, whole] = [readNetwork(file), readNetwork(file, false)];
    assert.ok(folded.layers.length <= whole.layers.length, name);
    for (const row of tableOf(`${name}_rows.csv`).slice(0, 5).map((cells) => cells.map(Number))) {
      const [left, right] = [evaluateNetwork(folded, row), evaluateNetwork(whole, row)];
      left.forEach((scores, output) => assertClose(scores, right[output], 1e-5, name));
    }
  }
});

Deno.test("batch normalisation, biases and standardised inputs vanish into the layers beside them", () => {
  const kinds = (name: string) => importNetwork(bytesOf(name)).layers.map((layer) => layer.kind).join(" ");
  assert.equal(kinds("mlp_wdbc_pipeline"), "dense activation dense");
  assert.equal(kinds("torch_normed_script"), "dense activation dense");
  assert.equal(
    kinds("torch_residual_norms_script"),
    "convolution activation convolution convolution add activation average_pool dense",
  );
  assert.equal(kinds("keras_separable"), "select convolution convolution activation average_pool dense");
});

Deno.test("features are named by number, read in single precision, and may not be missing", () => {
  const model = importNetwork(bytesOf("mlp_wdbc"));
  assert.equal(model.features.length, 30);
  assert.deepEqual(model.features[3], { name: "f3", cast: "float32", missing: "refused" });
  assert.deepEqual(model.source.version.split(" ")[0], "skl2onnx");
  assertRefused("rows_refused", "", () => evaluateNetwork(model, new Array(30).fill(NaN)));
  assertRefused("rows_refused", "cells", () => evaluateNetwork(model, [1]));
});

Deno.test("the door takes networks beside trees, and asks for calibration rows where it takes only trees", () => {
  const bytes = bytesOf("mlp_wdbc");
  assert.equal(importOnnxModel(bytes).kind, "network");
  const forest = Deno.readFileSync(new URL("../wdbc_rf.onnx", FOLDER));
  assert.equal(importOnnxModel(forest).kind, "forest");
  assertRefused("model_refused", "calibration rows", () => importOnnx(bytes));
  assertRefused("model_refused", "calibration rows", () => importModel("onnx", bytes, { bins: { kind: "model" } }));
});
