import assert from "node:assert/strict";
import type { LookupSetting } from "../backend.ts";
import { lookupKeysBytes, trainingKeysBytes } from "../layout.ts";
import { plainBackend } from "../plain.ts";
import type { EncryptedBatch } from "./batch.ts";
import { decryptIntegers } from "./decode.ts";
import { encryptBatch, encryptData, encryptLabels } from "./encode.ts";
import { TrainingRun } from "./run.ts";
import { batchesOf, batchOrder } from "./schedule.ts";
import { lookupSettingOf } from "./setting.ts";
import { simulateTraining } from "./simulate.ts";
import { parseTrainingSpec, type TrainingSpec } from "./spec.ts";
import { readTable } from "./test_data.ts";

const backend = plainBackend();
const secretKey = backend.generateSecretKey();
const publicKey = backend.training.generatePublicKey(secretKey);
const { features, train, target } = readTable("wine");
const small = { features: features.slice(0, 5), batch_size: 4, steps: 5 };
const data = {
  rows: train.rows.slice(0, 14).map((row) => Array.from(row).slice(0, 5)),
  targets: Array.from(train.targets).slice(0, 14),
};
const rate = { schedule: "cosine", rate: 2, floor: 0.1 };

const SPECS: Record<string, unknown> = {
  "a binary logistic regression": { kind: "logistic", classes: ["a", "b"], l2: 0.02, learning_rate: rate },
  "a one-vs-rest logistic regression": { kind: "logistic", classes: [0, 1, 2], learning_rate: rate },
  "a linear regression": { kind: "linear", target, l2: 0.01, learning_rate: rate },
  "a sigmoid network": {
    kind: "mlp",
    classes: [0, 1, 2],
    hidden: { width: 3, activation: "sigmoid" },
    l2: 0.01,
    learning_rate: rate,
  },
  "a relu network": {
    kind: "mlp",
    classes: [0, 1],
    hidden: { width: 2, activation: "relu" },
    learning_rate: { schedule: "constant", rate: 1 },
  },
};

function specOf(name: string, changes: object = {}): TrainingSpec {
  return parseTrainingSpec({ ...small, ...SPECS[name] as object, ...changes });
}

async function newRun(spec: TrainingSpec, setting: LookupSetting = lookupSettingOf(spec)): Promise<TrainingRun> {
  const training = await backend.training.loadTrainingKeys(new Uint8Array(trainingKeysBytes()));
  const lookup = await backend.loadLookupKeys(setting, new Uint8Array(lookupKeysBytes(setting)));
  return new TrainingRun(backend, spec, { training, lookup });
}

/** Targets as the specification counts them. */
function dataOf(spec: TrainingSpec) {
  if (spec.kind === "linear" || spec.classes.length > 2) return data;
  return { ...data, targets: data.targets.map((t) => Math.min(1, t)) };
}

async function batchesFor(spec: TrainingSpec): Promise<EncryptedBatch[]> {
  const { rows, targets } = dataOf(spec);
  return await Promise.all(
    batchesOf(spec, rows.length).map((members) => {
      const batch = { rows: [...members].map((i) => rows[i]), targets: [...members].map((i) => targets[i]) };
      return encryptBatch(backend, { secretKey }, spec, batch);
    }),
  );
}

for (const name of Object.keys(SPECS)) {
  Deno.test(`${name} on the plain back end equals its simulation without noise, integer by integer`, async () => {
    const spec = specOf(name);
    const batches = await batchesFor(spec);
    using run = await newRun(spec);
    for (const index of batchOrder(spec, batches.length)) await run.step(batches[index]);
    const { state } = simulateTraining(spec, dataOf(spec), { noise: false });
    const encrypted = await decryptIntegers(backend, secretKey, spec, run.state);
    const modular = (row: BigUint64Array) => Array.from(row, (x) => Number(BigInt.asIntN(64, centred(x))));
    assert.deepEqual(encrypted.first.map((row) => [...row]), state.first.map(modular));
    assert.deepEqual(encrypted.second.map((row) => [...row]), state.second.map((row) => [...row]));
  });
}

Deno.test("columns beyond one chunk meet their weights", async () => {
  const many = Array.from({ length: 40 }, (_, f) => ({ name: `f${f}`, mean: 0, deviation: 1 }));
  const spec = specOf("a binary logistic regression", { features: many, batch_size: 64, steps: 3 });
  const rows = Array.from({ length: 64 }, (_, i) => many.map((_, f) => Math.sin(i * 40 + f)));
  const targets = rows.map((_, i) => i % 2);
  const batch = await encryptBatch(backend, { secretKey }, spec, { rows, targets });
  assert.equal(batch.chunks.length, 2);
  const seen = { ...spec };
  using run = await newRun(seen);
  for (let step = 0; step < spec.steps; step++) await run.step(batch);
  const order = batchesOf(spec, rows.length)[0];
  const inOrder = await encryptBatch(backend, { secretKey }, spec, {
    rows: [...order].map((i) => rows[i]),
    targets: [...order].map((i) => targets[i]),
  });
  using shuffled = await newRun(seen);
  for (let step = 0; step < spec.steps; step++) await shuffled.step(inOrder);
  const { state } = simulateTraining(spec, { rows, targets }, { noise: false });
  const encrypted = await decryptIntegers(backend, secretKey, spec, shuffled.state);
  assert.deepEqual([...encrypted.first[0]], Array.from(state.first[0], (x) => Number(centred(x))));
  assert.deepEqual(run.checkpoint(), shuffled.checkpoint());
});

Deno.test("three owners of rows and two owners of columns train the weights of a single owner", async () => {
  const spec = specOf("a one-vs-rest logistic regression");
  const rows = data.rows.slice(0, 4), targets = data.targets.slice(0, 4);
  const whole = await encryptBatch(backend, { secretKey }, spec, { rows, targets });
  const owner = { publicKey };
  const share = (owned: (i: number) => boolean) => rows.map((row, i) => owned(i) ? row : undefined);
  const byRow = [(i: number) => i === 0, (i: number) => i === 1, (i: number) => i > 1];
  const rowParts = await Promise.all(byRow.map((owned) => encryptData(backend, owner, spec, { rows: share(owned) })));
  const rowLabels = await Promise.all(
    byRow.map((owned) => encryptLabels(backend, owner, spec, targets.map((t, i) => owned(i) ? t : undefined))),
  );
  const columnParts = await Promise.all(
    [[0, 1], [2, 3, 4, 5]].map((columns) => encryptData(backend, owner, spec, { rows, columns })),
  );
  const labels = [await encryptLabels(backend, { secretKey }, spec, targets)];
  const ofRows = { chunks: whole.chunks.map((_, k) => rowParts.map((part) => part[k])), labels: rowLabels };
  const ofColumns = { chunks: whole.chunks.map((_, k) => columnParts.map((part) => part[k])), labels };
  const checkpoints: Uint8Array[] = [];
  for (const batch of [whole, ofRows, ofColumns]) {
    using run = await newRun(spec);
    for (let step = 0; step < 3; step++) await run.step(batch);
    checkpoints.push(run.checkpoint());
  }
  assert.deepEqual(checkpoints[1], checkpoints[0]);
  assert.deepEqual(checkpoints[2], checkpoints[0]);
});

for (const name of ["a binary logistic regression", "a sigmoid network"]) {
  Deno.test(`${name} resumed from a checkpoint is byte for byte an uninterrupted one`, async () => {
    const spec = specOf(name, { steps: 3 });
    const [batch] = await batchesFor(spec);
    using whole = await newRun(spec);
    for (let step = 0; step < 3; step++) await whole.step(batch);
    using first = await newRun(spec);
    await first.step(batch);
    using second = await newRun(spec);
    second.restore(first.checkpoint());
    assert.equal(second.steps, 1);
    await second.step(batch);
    await second.step(batch);
    assert.deepEqual(second.checkpoint(), whole.checkpoint());
    await assert.rejects(second.step(batch), { code: "conflict" });
  });
}

Deno.test("a cancelled step leaves the state as it was", async () => {
  const spec = specOf("a linear regression");
  const [batch] = await batchesFor(spec);
  using run = await newRun(spec);
  const before = run.checkpoint();
  await assert.rejects(run.step(batch, { signal: AbortSignal.abort() }), { code: "cancelled" });
  assert.deepEqual(run.checkpoint(), before);
});

Deno.test("foreign keys, batches and checkpoints are refused", async () => {
  const spec = specOf("a linear regression");
  const [batch] = await batchesFor(spec);
  await assert.rejects(newRun(spec, 2), { code: "key_missing" });
  using run = await newRun(spec);
  const two = { rows: data.rows.slice(0, 2), targets: data.targets.slice(0, 2) };
  await assert.rejects(encryptBatch(backend, { secretKey }, spec, two), { code: "rows_refused" });
  await assert.rejects(run.step({ ...batch, chunks: [] }), { code: "malformed_file" });
  await assert.rejects(run.step({ ...batch, chunks: [[]] }), { code: "malformed_file" });
  await assert.rejects(run.step({ ...batch, labels: [] }), { code: "malformed_file" });
  const short = { kind: "seeded" as const, record: batch.labels[0].record.slice(1) };
  await assert.rejects(run.step({ ...batch, labels: [short] }), { code: "malformed_file" });
  assert.throws(() => run.restore(run.checkpoint().slice(1)), { code: "malformed_file" });
  assert.throws(() => run.restore(new Uint8Array(run.checkpoint().length)), { code: "malformed_file" });
});

function centred(x: bigint): bigint {
  const q = 1125899906826241n;
  return x > q / 2n ? x - q : x;
}
