import assert from "node:assert/strict";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { openBackend } from "../../ffi/mod.ts";
import { withServer } from "./support.ts";

const FIXTURES = fileURLToPath(new URL("../fixtures/language", import.meta.url));
const native = () => openBackend({ threads: 2 });

/** A folder of base models: `tiny`, with a tokenizer, and `bare`, without one. */
async function withModels(test: (models: string) => Promise<void>): Promise<void> {
  const models = await Deno.makeTempDir();
  for (const name of ["tiny", "bare"]) {
    await Deno.mkdir(join(models, name));
    for (const file of ["config.json", "model.safetensors"]) {
      await Deno.copyFile(join(FIXTURES, "tiny", file), join(models, name, file));
    }
  }
  await Deno.writeTextFile(join(models, "tiny", "tokenizer.json"), await smallTokenizer());
  try {
    await test(models);
  } finally {
    await Deno.remove(models, { recursive: true });
  }
}

/** The tokenizer of the fixtures without what the tiny model does not know. */
async function smallTokenizer(): Promise<string> {
  const json = JSON.parse(await Deno.readTextFile(join(FIXTURES, "tokenizer.json")));
  const known = Object.entries(json.model.vocab).filter(([, id]) => (id as number) < 256);
  return JSON.stringify({ ...json, model: { ...json.model, vocab: Object.fromEntries(known), merges: [] } });
}

function exists(path: string): Promise<boolean> {
  return Deno.stat(path).then(() => true, () => false);
}

async function withTexts(folder: string): Promise<string> {
  const path = join(folder, "texts.jsonl");
  const texts = ["the rays of light", "colours of bodies", "light and colours"].map((text) => ({ text }));
  const lines = [...texts, { prompt: "what is light", completion: " rays" }].map((line) => JSON.stringify(line));
  await Deno.writeTextFile(path, lines.join("\n") + "\n");
  return path;
}

Deno.test("a model is registered, tuned on encrypted tokens, compared with clear runs, and writes text", () =>
  withModels(async (models) => {
    const backend = native();
    await withServer(
      async ({ sotto, folder }) => {
        const [data, out, cache] = [await withTexts(folder), join(folder, "adapters"), join(folder, "cache")];
        assert.match((await sotto(["finetune", "register", "absent", "--name", "x"])).err, /there is no "absent"/);
        assert.equal((await sotto(["finetune", "register", "tiny", "--name", "tiny"])).code, 0);
        assert.match((await sotto(["finetune", "models"])).out, /tiny/);
        const common = ["--base", "tiny", "--cache", cache];
        const tune = ["finetune", ...common, "--data", data, "--steps", "2", "--block", "64", "--out", out];
        const clear = ["--clear", join(models, "tiny"), "--evaluate", data];
        const tuned = await sotto([...tune, ...clear], { openBackend: native });
        assert.equal(tuned.code, 0, tuned.err);
        assert.match(tuned.err, /encrypted: step 2 of 2, loss \d+\.\d+, .* tokens\/s, .* [kM]B/);
        assert.match(tuned.out, /loss gap to int8 in clear/);
        const report = JSON.parse(await Deno.readTextFile(join(out, "report.json")));
        assert.ok(report.clear.loss_gap_max < 0.01 && report.clear.gradient_cosine > 0.98);
        assert.ok(report.totals.requests > 0 && report.perplexity.before > 1);
        assert.match(await Deno.readTextFile(join(out, "loss.svg")), /<svg[\s\S]*encrypted[\s\S]*int8[\s\S]*float/);
        assert.equal((await sotto(tune, { openBackend: native })).code, 1, "nothing is overwritten");
        assert.ok(!await exists(join(out, "checkpoint.safetensors")), "a run that has ended keeps no checkpoint");
        const say = ["finetune", "generate", "--adapters", out, "--prompt", "light", "--tokens", "4", "--json"];
        const remote = await sotto([...say, ...common, "--set", "tokens-2048-q32"], { openBackend: native });
        const local = await sotto([...say, "--local", join(models, "tiny")]);
        assert.deepEqual([remote.code, local.code], [0, 0], remote.err + local.err);
        assert.equal(JSON.parse(remote.out).tokens.length, JSON.parse(local.out).tokens.length);
        assert.match((await sotto(["finetune", "sessions"])).out, /none/);
      },
      { SOTTO_BASE_MODELS: models },
      backend,
    );
    backend.close();
  }));

Deno.test("an interrupted run on weights of 10 bits goes on from its checkpoint", () =>
  withModels(async (models) => {
    const backend = native();
    await withServer(
      async ({ sotto, folder }) => {
        const [data, out, cache] = [await withTexts(folder), join(folder, "adapters"), join(folder, "cache")];
        await sotto(["finetune", "register", "tiny", "--name", "tiny", "--weights", "int10"]);
        const options = ["--data", data, "--out", out, "--cache", cache, "--steps", "3", "--block", "64"];
        const tune = ["finetune", "--base", "tiny", ...options, "--checkpoint-every", "1"];
        const coarse = await sotto([...tune, "--set", "tokens-1024-q32"], { openBackend: native });
        assert.match(coarse.err, /weights of kind int10 need tokens-2048-q32/);
        let interrupt = () => {};
        const stopped = await sotto(tune, {
          openBackend: native,
          onInterrupt: (stop) => (interrupt = stop, { [Symbol.dispose]: () => {} }),
          err: (text) => text.includes("step 1 of 3") && interrupt(),
        });
        assert.equal(stopped.code, 1);
        assert.match((await sotto(tune, { openBackend: native })).err, /checkpoint\.safetensors exists already/);
        const resume = ["--resume", join(out, "checkpoint.safetensors")];
        const other = await sotto([...tune, ...resume, "--seed", "5"], { openBackend: native });
        assert.match(other.err, /its training was .*; pass what it began with/);
        const rest = await sotto([...tune, ...resume], { openBackend: native });
        assert.equal(rest.code, 0, rest.err);
        assert.doesNotMatch(rest.err, /step 1 of 3/);
        const report = JSON.parse(await Deno.readTextFile(join(out, "report.json")));
        assert.deepEqual([report.losses.length, report.steps], [3, 2]);
        assert.ok(await exists(join(out, "adapter_model.safetensors")));
      },
      { SOTTO_BASE_MODELS: models },
      backend,
    );
    backend.close();
  }));

Deno.test("texts that are none are refused with their line", () =>
  withModels((models) =>
    withServer(
      async ({ sotto, folder }) => {
        const id = (await sotto(["finetune", "register", "tiny", "--name", "tiny"])).out.trim();
        const data = join(folder, "texts.jsonl");
        await Deno.writeTextFile(data, '{"text": "a"}\n{"txt": "b"}\n');
        const outcome = await sotto(
          ["finetune", "--base", "tiny", "--data", data, "--out", join(folder, "out"), "--cache", folder],
        );
        assert.equal(outcome.code, 1);
        assert.match(outcome.err, /line 2 is no/);
        assert.equal((await sotto(["finetune", "forget", id])).code, 0);
        await sotto(["finetune", "register", "bare", "--name", "bare"]);
        const bare = await sotto(
          ["finetune", "--base", "bare", "--data", data, "--out", join(folder, "out"), "--cache", folder],
        );
        assert.match(bare.err, /error: bare\/tokenizer\.json cannot be read/);
        assert.match((await sotto(["finetune", "sessions"])).out, /none/);
      },
      { SOTTO_BASE_MODELS: models },
    )
  ));
