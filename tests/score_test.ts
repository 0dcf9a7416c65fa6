import assert from "node:assert/strict";
import { capabilitiesOf, type LookupSetting, planScore } from "../circuits/mod.ts";
import { NetworkRunner } from "../circuits/network/mod.ts";
import { decodeFile, encodeFile } from "../circuits/wire.ts";
import { decryptAnswers, encryptRows, newKeys, openSecretKey } from "../client/mod.ts";
import { openBackend } from "../ffi/mod.ts";
import { evaluate, importModel, predict } from "../models/mod.ts";
import { COMMITTED, readCase, readModelBytes, readRows } from "./fixtures/cases.ts";

Deno.test("fifty trees of depth three on ciphertexts in mode score give the probabilities of the clear model", async () => {
  const backend = openBackend();
  const entry = readCase(COMMITTED, "wdbc_xgb50x3");
  const model = importModel(entry.format, readModelBytes(COMMITTED, entry), { bins: { kind: "model" } });
  assert.ok(model.kind === "forest");
  const { description, circuit } = planScore(model, {
    lookup_ns: { 1: 5.2e6, 2: 8.8e6, 3: 13.2e6 },
    multiply_add_ns: 40,
    answer_ns: 3e4,
  });
  const made = await newKeys(backend, { capabilities: capabilitiesOf(description) });
  const secret = await openSecretKey(backend, made.secretFile);
  const setting = Number(capabilitiesOf(description).at(-1)!.at(-1)) as LookupSetting;
  const pack = await backend.loadEvaluationKeys(decodeFile(made.evaluationFile).payload);
  const lookups = await backend.loadLookupKeys(setting, decodeFile(made.files.get(`lookup${setting}`)!).payload);
  const target = { id: "00".repeat(32), description };
  const rows = readRows(COMMITTED, entry).slice(0, 2);
  const { file } = await encryptRows(backend, secret, target, rows);
  const { header, payload } = decodeFile(file, { kind: "encrypted_rows" });
  const runner = new NetworkRunner(backend, circuit, description.answer_bits);
  const records = await runner.run(payload, rows.length, { pack, lookups: new Map([[setting, lookups]]) });
  const answers = encodeFile({
    ...header,
    kind: "encrypted_answers",
    recordCount: rows.length,
    recordBytes: records.length / rows.length,
    coefficientBits: description.answer_bits,
  }, records);
  const predictions = await decryptAnswers(backend, secret, target, answers);
  rows.forEach((row, r) => {
    const expected = predict(model, evaluate(model, row).margins);
    assert.equal(predictions[r].label, expected.label);
    const deviation = Math.abs(predictions[r].scores[0] - expected.scores[0]);
    assert.ok(deviation <= 1e-4, `row ${r} is ${deviation} away`);
  });
  runner.close();
  pack.close();
  lookups.close();
  secret.key.close();
  backend.close();
});
