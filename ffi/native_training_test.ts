import assert from "node:assert/strict";
import type { LookupKeys, SecretKey } from "../circuits/backend.ts";
import { plainBackend } from "../circuits/plain.ts";
import { CIPHERTEXT_WORDS, CONJUGATION, type EncryptionKind, type TrainingKeys } from "../circuits/training_backend.ts";
import { decryptWeights, encryptBatch, parseTrainingSpec, type TrainingSpec } from "../circuits/training/mod.ts";
import { encryptWeights, loadWeights, lookupSettingOf, TrainingRun, type Weights } from "../circuits/training/mod.ts";
import { weightVariance } from "../circuits/training/step_noise.ts";
import { CURRENT } from "../params/mod.ts";
import { openBackend } from "./mod.ts";

const N = CURRENT.ringDegree;
const Q = CURRENT.modulus;
const FEATURES = 6;

const native = openBackend();
const key = native.generateSecretKey();
const publicKey = native.training.generatePublicKey(key);
const training = await native.training.loadTrainingKeys(await native.training.generateTrainingKeys(key));
const plain = plainBackend();
const plainKey = plain.generateSecretKey();
const plainTraining = await plain.training.loadTrainingKeys(await plain.training.generateTrainingKeys(plainKey));

function messages(seed: number, size: number): Int32Array {
  return Int32Array.from({ length: N }, (_, i) => Math.round(size * Math.sin(seed + 1.7 * i * i)));
}

/** Largest difference of two polynomials of phases. */
function distance(a: BigUint64Array, b: BigUint64Array): number {
  return a.reduce((most, x, i) => {
    const rest = (x - b[i] + Q) % Q;
    return Math.max(most, Number(rest > Q / 2n ? Q - rest : rest));
  }, 0);
}

async function ciphertexts(back: typeof native, secret: SecretKey, scale = 1n << 36n): Promise<BigUint64Array> {
  const shape = { ciphertextCount: 1, stride: N, scale, bits: 50 };
  return back.training.expand(await back.encrypt(secret, messages(1, 500), shape), 50);
}

Deno.test("native products, automorphisms and constants decrypt to what the plain back end computes", async () => {
  const results: BigUint64Array[][] = [];
  for (const [back, secret, keys] of [[native, key, training], [plain, plainKey, plainTraining]] as const) {
    const port = back.training;
    const owner = port.generatePublicKey(secret);
    using data = await port.loadRgsw("seeded", await port.encryptRgsw(secret, messages(2, 20)));
    using more = await port.loadRgsw("public", await port.encryptRgswPublic(owner, messages(3, 20)));
    port.addRgsw(data, more);
    const input = await ciphertexts(back, secret);
    const label = port.encryptPublic(owner, messages(4, 9), 1n << 40n);
    const lwe = port.extract(input, Uint32Array.of(0, 7, N - 1));
    results.push([
      await port.externalProduct(data, input),
      await port.automorphism(keys, 3, input),
      await port.automorphism(keys, CONJUGATION, input),
      await port.constants(keys, lwe),
      port.multiplyMonomial(port.add(port.scale(input, -3n), label), N + 5),
    ].map((result) => port.phases(secret, result)));
  }
  const [encrypted, clear] = results;
  const bounds = [2 ** 34, 2 ** 19, 2 ** 19, 2 ** 29, 2 ** 12];
  bounds.forEach((bound, i) => {
    const far = distance(encrypted[i], clear[i]);
    assert.ok(far < bound && far > 0, `result ${i} is ${far} away, less than ${bound} is expected`);
  });
});

Deno.test("native lookups of two tables on one rotation give both values, mod q and on the torus", async () => {
  const setting = 2;
  using keys = await native.loadLookupKeys(setting, await native.generateLookupKeys(key, setting));
  const positions = Uint32Array.from({ length: 40 }, (_, i) => i);
  const input = native.training.extract(await ciphertexts(native, key, 1n << 39n), positions);
  const torus = native.training.switchToTorus(input);
  const tables = new BigUint64Array(N).map((_, i) => i % 2 === 0 ? BigInt(i) << 36n : BigInt(i >> 9) << 43n);
  const lookups = { tables, indices: new Uint32Array(40), valuesLog: 1 };
  const modular = await native.training.lookup(keys, torus, lookups);
  const narrow = await native.training.lookupTorus(keys, torus, lookups);
  assert.deepEqual(native.training.switchToTorus(modular), narrow);
  const phases = await native.lwePhases(key, torus);
  const values = await native.lwePhases(key, narrow);
  phases.forEach((phase, i) => {
    const position = phase / 2 ** 20;
    if (position < 50 || position > 2000) return;
    const error = values[2 * i] / 2 ** 18 - position;
    assert.ok(Math.abs(error) < 40, `lookup ${i} read position ${position} as ${values[2 * i] / 2 ** 18}`);
    const step = (values[2 * i + 1] | 0) / 2 ** 25;
    assert.ok(Math.abs(step - Math.round(step)) < 0.01 && Math.abs(step - position / 512) < 1.1);
  });
});

Deno.test("objects of the plain back end are refused", async () => {
  const input = await ciphertexts(native, key);
  await assert.rejects(async () => await native.training.automorphism(plainTraining, 1, input), {
    code: "backend_failed",
  });
  await assert.rejects(native.training.loadRgsw("seeded", new Uint8Array(5)), { code: "malformed_file" });
  assert.throws(() => native.training.multiplyMonomial(input, 2 * N), { code: "backend_failed" });
  assert.throws(() => native.training.add(input, input.subarray(1)), { code: "backend_failed" });
});

const RUNS: [string, object, number, EncryptionKind][] = [
  ["a logistic regression", { kind: "logistic", classes: [0, 1, 2] }, 4, "seeded"],
  [
    "a linear regression under the public key",
    {
      kind: "linear",
      target: { name: "y", mean: 0, deviation: 1 },
    },
    3,
    "public",
  ],
  ["a network", { kind: "mlp", classes: [0, 1], hidden: { width: 2, activation: "sigmoid" } }, 3, "seeded"],
];

for (const [name, kind, steps, how] of RUNS) {
  Deno.test(`every native step of ${name} adds no more noise than its formula`, async () => {
    const spec = specOf(kind, steps);
    const setting = lookupSettingOf(spec);
    using lookup = await native.loadLookupKeys(setting, await native.generateLookupKeys(key, setting));
    using run = new TrainingRun(native, spec, { training, lookup });
    const { rows, targets } = madeBatch(spec);
    const owner = how === "seeded" ? { secretKey: key } : { publicKey };
    const batch = await encryptBatch(native, owner, spec, { rows, targets });
    let ratios = 0;
    for (let step = 0; step < steps; step++) {
      const expected = await plainStep(spec, await decryptWeights(native, key, spec, run.state), step);
      await run.step(batch);
      ratios += compare(spec, await decryptWeights(native, key, spec, run.state), expected, rows, step, how) / steps;
    }
    assert.ok(ratios > 0 && ratios < 3, `the weights' noise is ${ratios} of its formula`);
  });
}

function specOf(kind: object, steps: number): TrainingSpec {
  const features = Array.from({ length: FEATURES }, (_, f) => ({ name: `f${f}`, min: -1, max: 1 }));
  return parseTrainingSpec({
    ...kind,
    features,
    batch_size: 4,
    steps,
    l2: 0.01,
    learning_rate: { schedule: "constant", rate: 1 },
  });
}

function madeBatch(spec: TrainingSpec) {
  const rows = Array.from({ length: 4 }, (_, i) => Array.from({ length: FEATURES }, (_, f) => Math.sin(i * 7 + f * f)));
  const targets = rows.map((row, i) => spec.kind === "linear" ? row[0] : i % spec.classes.length);
  return { rows, targets };
}

/** The same step without encryption, from given weights. */
async function plainStep(spec: TrainingSpec, weights: Weights, step: number): Promise<Weights> {
  const setting = lookupSettingOf(spec);
  const lookup: LookupKeys = await plain.loadLookupKeys(setting, await plain.generateLookupKeys(plainKey, setting));
  const keys: TrainingKeys = plainTraining;
  using run = new TrainingRun(plain, spec, { training: keys, lookup });
  run.replace(loadWeights(plain, spec, await encryptWeights(plain, plainKey, spec, weights, step), step));
  const { rows, targets } = madeBatch(spec);
  await run.step(await encryptBatch(plain, { secretKey: plainKey }, spec, { rows, targets }));
  return await decryptWeights(plain, plainKey, spec, run.state);
}

/** Mean square of the first layer's errors over the formula's variance; none beyond six deviations. */
function compare(
  spec: TrainingSpec,
  actual: Weights,
  expected: Weights,
  rows: readonly number[][],
  step: number,
  how: EncryptionKind,
): number {
  const squares = (f: number) => f === FEATURES ? 1 : rows.reduce((sum, row) => sum + row[f] ** 2, 0) / rows.length;
  let sum = 0, count = 0;
  actual.first.forEach((row, s) =>
    row.forEach((w, f) => {
      const variance = weightVariance(spec, f, squares, [how], step, step + 1);
      const ratio = (w - expected.first[s][f]) ** 2 / variance;
      assert.ok(ratio < 36, `step ${step}: weight ${f} of ${s} is ${w}, expected ${expected.first[s][f]}`);
      sum += ratio;
      count++;
    })
  );
  return sum / count;
}

Deno.test("native handles are closed", () => {
  training.close();
  assert.ok(training.closed && CIPHERTEXT_WORDS === 2 * N);
  key.close();
  native.close();
});
