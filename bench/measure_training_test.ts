import assert from "node:assert/strict";
import { plainBackend } from "../circuits/plain.ts";
import { rgswRecordBytes } from "../circuits/layout.ts";
import { labelBytes } from "../circuits/training/batch.ts";
import { measureTraining, uploadBytesPerValue } from "./measure_training.ts";
import { MeasuredKeys } from "./training_keys.ts";
import { loadTraining, TRAININGS } from "./training_models.ts";

const [wdbc] = TRAININGS;
const backend = plainBackend();

Deno.test("without encryption a regression has no noise, and its quality is that of the last step", async () => {
  using keys = new MeasuredKeys(backend);
  const measured = await measureTraining(backend, keys, loadTraining(wdbc, 6, 0), 6);
  assert.equal(measured.seconds.length, 6);
  assert.ok(measured.seconds.every((seconds) => seconds > 0));
  assert.equal(measured.noiseRatio, 0);
  assert.equal(measured.secondLayerRatio, 0);
  assert.ok(measured.quality! > 0.9 && measured.floatQuality > 0.9 && measured.simulatedQuality > 0.9);
});

Deno.test("a network of which only the first step is encrypted has no quality of its own", async () => {
  using keys = new MeasuredKeys(backend);
  const hidden = { width: 2, activation: "sigmoid" };
  const entry = { ...wdbc, training: { ...wdbc.training, kind: "mlp", hidden } };
  const measured = await measureTraining(backend, keys, loadTraining(entry, 3, 0), 1);
  assert.equal(measured.seconds.length, 1);
  assert.equal(measured.quality, undefined);
  assert.equal(measured.noiseRatio, 0);
  assert.equal(measured.secondLayerRatio, 0);
});

Deno.test("bytes a value are those of all records of a batch", async () => {
  using keys = new MeasuredKeys(backend);
  const { spec } = loadTraining(wdbc, 1, 0);
  const expected = (rgswRecordBytes("seeded") + labelBytes("seeded", 8)) / (8 * 30);
  assert.equal(await uploadBytesPerValue(backend, keys, spec), expected);
});

Deno.test("the key files of a training have 70 MB at most", async () => {
  using keys = new MeasuredKeys(backend);
  const bytes = await keys.fileBytes(loadTraining(wdbc, 1, 0).spec);
  assert.ok(bytes > 60e6 && bytes <= 70e6, `${bytes}`);
});
