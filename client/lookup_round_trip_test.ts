import assert from "node:assert/strict";
import type { KeyRing, LookupSetting } from "../circuits/backend.ts";
import { capabilitiesOf, type Description } from "../circuits/description.ts";
import { type Circuit, NetworkRunner, planNetwork } from "../circuits/network/mod.ts";
import { runClear } from "../circuits/network/clear.ts";
import { lower } from "../circuits/network/lower.ts";
import { TEST_NETWORKS } from "../circuits/network/test_networks.ts";
import { plainBackend } from "../circuits/plain.ts";
import { planScore } from "../circuits/score.ts";
import { randomForest, randomGridRows } from "../circuits/test_models.ts";
import { decodeFile, encodeFile } from "../circuits/wire.ts";
import { SottoError } from "../errors.ts";
import { evaluate, predict } from "../models/evaluate.ts";
import { decryptAnswers } from "./decrypt.ts";
import { encryptRows } from "./encrypt.ts";
import { newKeys, openSecretKey } from "./keys.ts";

const MODEL_ID = "cd".repeat(32);
const backend = plainBackend();
const costs = await backend.networkCosts();
const options = { parameterSet: backend.parameterSet };
const secret = await openSecretKey(backend, (await newKeys(backend)).secretFile);

const SHAPE = { features: 4, depth: 5, vectorLeaves: false, agree: false };
const forest = randomForest({ ...SHAPE, seed: 5, trees: 6, scores: 3 });
const score = planScore(forest, costs, options);
const target = { id: MODEL_ID, description: score.description };

async function keyRing(description: Description): Promise<KeyRing> {
  const { key } = secret;
  const pack = await backend.loadEvaluationKeys(await backend.generateEvaluationKeys(key));
  const settings = capabilitiesOf(description).filter((name) => name !== "pack").map((name) => Number(name.at(-1)));
  const lookups = (settings as LookupSetting[]).map(async (setting) => {
    return [setting, await backend.loadLookupKeys(setting, await backend.generateLookupKeys(key, setting))] as const;
  });
  return { pack, lookups: new Map(await Promise.all(lookups)) };
}

/** What the server does, without HTTP. */
async function serve(description: Description, circuit: Circuit, file: Uint8Array): Promise<Uint8Array> {
  const { header, payload } = decodeFile(file, { kind: "encrypted_rows" });
  using runner = new NetworkRunner(backend, circuit, description.answer_bits);
  const records = await runner.run(payload, header.rowCount, await keyRing(description));
  return encodeFile({
    ...header,
    kind: "encrypted_answers",
    recordCount: header.rowCount,
    recordBytes: records.length / header.rowCount,
    coefficientBits: description.answer_bits,
  }, records);
}

Deno.test("predictions in mode score are those of the clear forest, missing cells included", async () => {
  const rows = randomGridRows(forest, 150, 9);
  const { file, scales } = await encryptRows(backend, secret, target, rows);
  assert.equal(scales, null);
  const predictions = await decryptAnswers(
    backend,
    secret,
    target,
    await serve(score.description, score.circuit, file),
  );
  assert.equal(predictions.length, rows.length);
  rows.forEach((row, r) => {
    const expected = predict(forest, evaluate(forest, row).margins);
    expected.scores.forEach((value, i) => assert.ok(Math.abs(predictions[r].scores[i] - value) < 1e-4));
  });
});

Deno.test("predictions of a network are close to those in clear", async () => {
  const { builder, model } = TEST_NETWORKS["a perceptron with one hidden layer"]();
  const { description, circuit } = planNetwork(model, builder.rows(60), costs, options);
  const target = { id: MODEL_ID, description };
  const rows = builder.rows(70, 3);
  const { file } = await encryptRows(backend, secret, target, rows);
  const predictions = await decryptAnswers(backend, secret, target, await serve(description, circuit, file));
  const program = lower(model);
  rows.forEach((row, r) => {
    const elements = runClear(program, row);
    const expected = predict(model.outputs[0].output, Array.from(program.outputs[0].elements, (e) => elements[e]));
    expected.scores.forEach((value, i) => assert.ok(Math.abs(predictions[r].scores[i] - value) < 0.1));
  });
});

Deno.test("answers of another shape, and cancelled calls, are refused", async () => {
  const rows = randomGridRows(forest, 3, 1);
  const abort = new AbortController();
  abort.abort();
  const refused = (code: string) => (error: unknown) => error instanceof SottoError && error.code === code;
  await assert.rejects(encryptRows(backend, secret, target, rows, { signal: abort.signal }), refused("cancelled"));
  const { file } = await encryptRows(backend, secret, target, rows);
  const other = planScore(randomForest({ ...SHAPE, seed: 6, trees: 6, scores: 1 }), costs, options);
  const answers = await serve(score.description, score.circuit, file);
  const narrow = { id: MODEL_ID, description: other.description };
  await assert.rejects(decryptAnswers(backend, secret, narrow, answers), refused("malformed_file"));
});
