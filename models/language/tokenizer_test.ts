import assert from "node:assert/strict";
import fc from "fast-check";
import { assertRefused } from "../../tests/fixtures/assert_refused.ts";
import { fixture } from "./fixtures.ts";
import { openGguf } from "./gguf.ts";
import { Metadata, type MetadataValue } from "./gguf_metadata.ts";
import type { Tokenizer } from "./tokenizer.ts";
import { readTokenizerGguf } from "./tokenizer_gguf.ts";
import { readTokenizerJson } from "./tokenizer_json.ts";

const text = await Deno.readTextFile(fixture("tokenizer.json"));
const config = JSON.stringify({ bos_token_id: 0, eos_token_id: [1, 5] });

async function fromGguf(): Promise<Tokenizer> {
  const { metadata, tensors } = await openGguf(fixture("tokenizer.gguf"));
  tensors[Symbol.dispose]();
  return readTokenizerGguf(metadata);
}

const tokenizers = [readTokenizerJson(text, config), await fromGguf()];
type Answers = readonly { readonly text: string; readonly tokens: number[] }[];
const answers: Record<"small" | "small_digits", Answers> = JSON.parse(await Deno.readTextFile(fixture("tokens.json")));
const stored = answers.small;

Deno.test("texts become the tokens that the tokenizers library of Python gives, from both kinds of files", () => {
  assert.ok(stored.length > 40);
  for (const tokenizer of tokenizers) {
    for (const { text, tokens } of stored) assert.deepEqual(tokenizer.encode(text), tokens, JSON.stringify(text));
  }
});

Deno.test("rules that cut off digits know the digits of all scripts", () => {
  const pretokenizers = [
    { type: "Digits", individual_digits: true },
    { type: "ByteLevel", add_prefix_space: false, trim_offsets: true, use_regex: true },
  ];
  const json = { ...JSON.parse(text), pre_tokenizer: { type: "Sequence", pretokenizers } };
  const tokenizer = readTokenizerJson(JSON.stringify(json), config);
  for (const { text, tokens } of answers.small_digits) assert.deepEqual(tokenizer.encode(text), tokens, text);
});

Deno.test("tokens become the text again", () => {
  for (const tokenizer of tokenizers) {
    for (const { text, tokens } of stored) {
      assert.equal(tokenizer.decode(tokens.slice(1)), text);
      assert.equal(tokenizer.decode(tokens, false), text);
    }
    fc.assert(fc.property(fc.string({ unit: "grapheme" }), (made) => {
      assert.equal(tokenizer.decode(tokenizer.encode(made, false)), made);
    }));
  }
});

Deno.test("special tokens are found in texts, named, and left out on demand", () => {
  for (const tokenizer of tokenizers) {
    assert.deepEqual(tokenizer.special, { begin: 0, end: 1 });
    assert.equal(tokenizer.token("<|end|>"), 1);
    assert.equal(tokenizer.token("<|other|>"), undefined);
    assert.deepEqual(tokenizer.encode("<|end|>", false), [1]);
    assert.equal(tokenizer.decode([0, ...tokenizer.encode("a<|end|>b", false)]), "<|begin|>a<|end|>b");
    assert.equal(tokenizer.decode(tokenizer.encode("a<|end|>b"), false), "ab");
    assert.equal(tokenizer.decode([]), "");
  }
});

Deno.test("numbers that are no tokens are refused", () => {
  for (const wrong of [-1, 400, 1.5, NaN]) {
    assertRefused("rows_refused", "no token", () => tokenizers[0].decode([0, wrong]));
  }
});

Deno.test("other kinds of tokenizers are refused by name", () => {
  const json = JSON.parse(text);
  const refused = (change: object, message: string) =>
    assertRefused("model_refused", message, () => readTokenizerJson(JSON.stringify({ ...json, ...change }), config));
  refused({ model: { type: "Unigram", vocab: [] } }, "Unigram");
  refused({ decoder: { type: "Metaspace" } }, "on letters");
  const gguf = (values: Record<string, MetadataValue>) => () =>
    readTokenizerGguf(new Metadata(new Map(Object.entries(values))));
  assertRefused("model_refused", '"llama"', gguf({ "tokenizer.ggml.model": "llama" }));
  assertRefused("model_refused", '"tekken"', gguf({ "tokenizer.ggml.model": "gpt2", "tokenizer.ggml.pre": "tekken" }));
  assertRefused(
    "model_refused",
    "no tokenizer.ggml.tokens",
    gguf({ "tokenizer.ggml.model": "gpt2", "tokenizer.ggml.pre": "smollm" }),
  );
});

Deno.test("tokenizers that contradict themselves are refused", () => {
  const base = {
    "tokenizer.ggml.model": "gpt2",
    "tokenizer.ggml.pre": "gpt-2",
    "tokenizer.ggml.merges": [] as string[],
  };
  const gguf = (values: Record<string, MetadataValue>) => () =>
    readTokenizerGguf(new Metadata(new Map<string, MetadataValue>(Object.entries({ ...base, ...values }))));
  assertRefused("malformed_file", "twice", gguf({ "tokenizer.ggml.tokens": ["a", "a"] }));
  assertRefused(
    "malformed_file",
    "no two parts",
    gguf({ "tokenizer.ggml.tokens": ["a"], "tokenizer.ggml.merges": ["ab"] }),
  );
  assertRefused(
    "malformed_file",
    "bos token 3",
    gguf({ "tokenizer.ggml.tokens": ["a"], "tokenizer.ggml.bos_token_id": 3 }),
  );
  assertRefused("malformed_file", "not a list of texts", gguf({ "tokenizer.ggml.tokens": [1] }));
  assertRefused("malformed_file", "tokenizer.json is none", () => readTokenizerJson('{"model":{"vocab":1}}', config));
  assertRefused("malformed_file", "not a tokenizer.json", () => readTokenizerJson("{", config));
});
