import assert from "node:assert/strict";
import fc from "fast-check";
import { isSottoError } from "../../errors.ts";
import { fixture, withFiles } from "./fixtures.ts";
import { openGguf } from "./gguf.ts";
import { openLanguageModel } from "./open_model.ts";
import { readTokenizerGguf } from "./tokenizer_gguf.ts";
import { readTokenizerJson } from "./tokenizer_json.ts";

const CODES = ["malformed_file", "model_refused", "file_unreadable"];

/** Runs; anything but success or a SottoError that names the file's fault fails the test. */
async function runsOrRefuses(run: () => unknown): Promise<void> {
  try {
    await run();
  } catch (error) {
    assert.ok(isSottoError(error), `${error instanceof Error ? error.stack : error}`);
    assert.ok(CODES.includes(error.code), error.code);
  }
}

/** What is opened must also load. */
async function openAndLoad(path: string): Promise<void> {
  using model = await openLanguageModel(path);
  await model.norms();
  await model.modules()[0].load();
}

const small = [0, 1, 2, 3, 8, 31, 32, 127, 128, 255, ...new TextEncoder().encode('0123456789-.eE,:[]{}" nutrls')];
const edits = fc.array(
  fc.tuple(fc.double({ min: 0, max: 1, noNaN: true }), fc.oneof(fc.nat(255), fc.constantFrom(...small))),
  { maxLength: 6 },
);
const cut = fc.option(fc.double({ min: 0, max: 1, noNaN: true }), { freq: 4 });

/** Changes bytes of the first `header` bytes, and cuts the file there or behind. */
function mutate(bytes: Uint8Array, header: number, changes: [number, number][], cutAt: number | null): Uint8Array {
  const changed = cutAt === null ? bytes.slice() : bytes.slice(0, Math.floor(cutAt * bytes.length));
  for (const [at, value] of changed.length === 0 ? [] : changes) {
    changed[Math.min(Math.floor(at * header), changed.length - 1)] = value;
  }
  return changed;
}

const tinyGguf = await Deno.readFile(fixture("tiny.gguf"));
const config = await Deno.readTextFile(fixture("tiny/config.json"));
const weights = await Deno.readFile(fixture("tiny/model.safetensors"));

Deno.test("GGUF files with changed and missing bytes load or are refused", async () => {
  await fc.assert(
    fc.asyncProperty(edits, cut, async (changes, cutAt) => {
      const file = mutate(tinyGguf, 1_800, changes, cutAt);
      await runsOrRefuses(() => withFiles({ file }, (folder) => openAndLoad(`${folder}/file`)));
    }),
    { numRuns: 300 },
  );
});

Deno.test("safetensors files with changed and missing bytes load or are refused", async () => {
  await fc.assert(
    fc.asyncProperty(edits, cut, async (changes, cutAt) => {
      const file = mutate(weights, 2_600, changes, cutAt);
      const files = { "config.json": config, "model.safetensors": file };
      await runsOrRefuses(() => withFiles(files, openAndLoad));
    }),
    { numRuns: 300 },
  );
});

Deno.test("configurations with any JSON in any place load or are refused", async () => {
  const names = Object.keys(JSON.parse(config));
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...names),
      fc.oneof(fc.jsonValue(), fc.integer(), fc.double()),
      async (name, value) => {
        const text = JSON.stringify({ ...JSON.parse(config), [name]: value });
        await runsOrRefuses(() => withFiles({ "config.json": text, "model.safetensors": weights }, openAndLoad));
      },
    ),
    { numRuns: 200 },
  );
});

Deno.test("any bytes are refused as a model, whatever their name", async () => {
  await fc.assert(fc.asyncProperty(fc.uint8Array({ maxLength: 100 }), async (bytes) => {
    await runsOrRefuses(() => withFiles({ file: bytes }, (folder) => openAndLoad(`${folder}/file`)));
    const files = { "config.json": config, "model.safetensors.index.json": bytes };
    await runsOrRefuses(() => withFiles(files, openAndLoad));
  }));
});

Deno.test("tokenizers with changed bytes encode or are refused", async () => {
  const json = await Deno.readFile(fixture("tokenizer.json"));
  const gguf = await Deno.readFile(fixture("tokenizer.gguf"));
  await fc.assert(
    fc.asyncProperty(edits, fc.string(), async (changes, text) => {
      const changed = new TextDecoder().decode(mutate(json, json.length, changes, null));
      await runsOrRefuses(() => readTokenizerJson(changed, "{}").encode(text));
      await runsOrRefuses(() =>
        withFiles({ file: mutate(gguf, gguf.length, changes, null) }, async (folder) => {
          const { metadata, tensors } = await openGguf(`${folder}/file`);
          tensors[Symbol.dispose]();
          readTokenizerGguf(metadata).encode(text);
        })
      );
    }),
    { numRuns: 200 },
  );
});
