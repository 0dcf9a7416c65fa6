import assert from "node:assert/strict";
import { plainBackend } from "../circuits/plain.ts";
import { type Backend, decodeFile } from "../circuits/mod.ts";
import { newKeys } from "../client/mod.ts";
import { CURRENT } from "../params/mod.ts";
import { LINEAR_MODELS, loadModel, TREE_MODELS } from "./bench_models.ts";
import { agreementOf, compileModel, encryptFor } from "./compiled_model.ts";
import { transformsPerRow } from "./floor.ts";
import { measureModel, repeat } from "./measure_model.ts";

const once = { runsMin: 1, runsMax: 1, seconds: 0 };
const tree = TREE_MODELS.find(({ name }) => name === "dt5-wdbc")!;
const [linear] = LINEAR_MODELS;

Deno.test("every model of the suites can be read and has a hundred rows", async () => {
  for (const entry of [...TREE_MODELS, ...LINEAR_MODELS]) {
    const { model, rows } = await loadModel(entry, 100);
    assert.equal(rows.length, 100);
    assert.equal(rows[0].length, model.features.length);
  }
});

for (const entry of [tree, linear]) {
  Deno.test(`${entry.name} agrees with the model in clear and reports the bytes of its plan`, async () => {
    const backend = plainBackend();
    const loaded = await loadModel(entry, 20);
    const keys = await newKeys(backend);
    const measured = await measureModel(backend, keys, loaded, once);
    assert.equal(measured.agreement, 1);
    assert.equal(measured.msPerRow.length, 1);
    using compiled = await compileModel(backend, loaded.model, keys);
    const { plan } = compiled.description;
    if (loaded.model.kind === "forest") {
      assert.equal(measured.uploadBytesPerRow, plan.upload_bytes_per_row);
      assert.equal(measured.answerBytesPerRow, plan.answer_bytes_per_row);
    }
    assert.equal(measured.plannedMsPerRow, plan.server_ms_per_row);
  });
}

Deno.test("answers of other rows do not agree", async () => {
  const backend: Backend = plainBackend();
  const { model, rows } = await loadModel(tree, 100);
  const keys = await newKeys(backend);
  using compiled = await compileModel(backend, model, keys);
  const { description } = compiled;
  const encrypted = await encryptFor(backend, keys, description, rows);
  const records = await compiled.evaluate(decodeFile(encrypted.file).payload, rows.length);
  const shifted = [...rows.slice(1), rows[0]];
  assert.equal(await agreementOf(backend, keys, { model, description, rows }, encrypted, records), 1);
  assert.ok(await agreementOf(backend, keys, { model, description, rows: shifted }, encrypted, records) < 1);
});

Deno.test("the floor counts one transform a product and one more than the gadget's levels a keyswitch", async () => {
  const backend = plainBackend();
  const keys = await newKeys(backend);
  using trees = await compileModel(backend, (await loadModel(tree, 1)).model, keys);
  const { products_per_row, keyswitches_per_row } = trees.description.plan;
  const levels = CURRENT.gadgets.trees.levelCount;
  assert.equal(transformsPerRow(trees.description), 2 + products_per_row + (levels + 1) * keyswitches_per_row + 3);
  using scores = await compileModel(backend, (await loadModel(linear, 1)).model, keys);
  assert.ok(scores.description.mode === "linear");
  assert.equal(transformsPerRow(scores.description) * scores.description.rows_per_ciphertext, 2 + 2);
});

Deno.test("a request is repeated until both the runs and the seconds are enough", async () => {
  const quick = () => Promise.resolve();
  assert.equal((await repeat({ runsMin: 3, runsMax: 9, seconds: 0 }, quick)).length, 3);
  assert.equal((await repeat({ runsMin: 3, runsMax: 9, seconds: 60 }, quick)).length, 9);
});
