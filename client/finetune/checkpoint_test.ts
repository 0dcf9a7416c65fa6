import assert from "node:assert/strict";
import { join } from "node:path";
import { PlainFloat } from "../../circuits/finetune/plain_float.ts";
import { packBlock } from "./block.ts";
import { encodeSafetensors } from "./safetensors_file.ts";
import { TINY, tinyLocal, tinyProducts } from "./test_model.ts";
import { type RunSetting, runTuning } from "./tuned_run.ts";

const kernels = new PlainFloat(32);
const products = tinyProducts(kernels);
const setting: RunSetting = {
  ...{ kernels, config: TINY, local: tinyLocal(kernels), steps: 7, seed: 3 },
  adapters: { rank: 2, alpha: 4, dropout: 0.2 },
  train: { learningRate: { peak: 0.02, steps: 7, warmUp: 2 }, seed: 3 },
  blocks: [packBlock([{ tokens: [1, 2, 3, 4, 5] }]), packBlock([{ tokens: [9, 8, 7] }, { tokens: [4, 4, 1] }])],
};

/** Runs `work` with a path in a folder of its own. */
async function withPath(work: (path: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await work(join(folder, "run.safetensors"));
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** Runs the setting until the checkpoint of step `stop` is there. */
async function interrupted(path: string, stop: number, every = 1): Promise<void> {
  const abort = new AbortController();
  const run = runTuning(setting, products, {
    signal: abort.signal,
    checkpoint: { path, every },
    onStep: ({ step }) => step + 1 === stop && abort.abort(),
  });
  await assert.rejects(run, { code: "cancelled" });
}

Deno.test("an interrupted run goes on with exactly the numbers of an uninterrupted one, dropout included", () =>
  withPath(async (path) => {
    const whole = await runTuning(setting, products);
    for (const stop of [1, 4, 6]) {
      await interrupted(path, stop);
      const rest = await runTuning(setting, products, { resume: path });
      assert.deepEqual(rest.steps, whole.steps);
      assert.deepEqual(rest.firstGradients, whole.firstGradients);
      assert.deepEqual(rest.adapters.parameters(), whole.adapters.parameters());
    }
  }));

Deno.test("a run is kept every so many steps and at its end, and only its owner can read it", () =>
  withPath(async (path) => {
    await interrupted(path, 5, 3);
    const told: number[] = [];
    await runTuning(setting, products, {
      resume: path,
      checkpoint: { path, every: 3 },
      onStep: ({ step }) => told.push(step),
    });
    assert.deepEqual(told, [3, 4, 5, 6]);
    await runTuning(setting, products, { resume: path, onStep: () => assert.fail("the run has ended") });
    assert.equal((await Deno.stat(path)).mode! & 0o777, 0o600);
    const folder = [...Deno.readDirSync(join(path, ".."))];
    assert.deepEqual(folder.map(({ name }) => name), ["run.safetensors"]);
  }));

Deno.test("a checkpoint of another run is refused, and what differs is named", () =>
  withPath(async (path) => {
    await interrupted(path, 2);
    const others: [string, Partial<RunSetting>][] = [
      ["texts", { blocks: setting.blocks.slice(1) }],
      ["adapters", { adapters: { rank: 3, alpha: 4, dropout: 0.2 } }],
      ["training", { train: { ...setting.train, clip: 2 } }],
      ["seed", { seed: 4 }],
      ["base model", { config: { ...TINY, rmsEpsilon: 1e-6 } }],
    ];
    for (const [what, other] of others) {
      const run = runTuning({ ...setting, ...other }, products, { resume: path });
      await assert.rejects(run, { code: "configuration_invalid", message: new RegExp(`its ${what} was`) });
    }
  }));

Deno.test("what is no checkpoint is refused", () =>
  withPath(async (path) => {
    const resumed = () => runTuning(setting, products, { resume: path });
    await assert.rejects(resumed(), { code: "file_unreadable" });
    await Deno.writeFile(path, encodeSafetensors([], { format: "pt" }));
    await assert.rejects(resumed(), { code: "malformed_file" });
    const checkpoint = { path: join(path, "nowhere", "x"), every: 1 };
    await assert.rejects(runTuning(setting, products, { checkpoint }), { code: "file_unreadable" });
  }));
