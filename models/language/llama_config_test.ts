import assert from "node:assert/strict";
import { assertRefused } from "../../tests/fixtures/assert_refused.ts";
import { assertRejected, fixture } from "./fixtures.ts";
import { openGguf } from "./gguf.ts";
import { Metadata, type MetadataValue } from "./gguf_metadata.ts";
import { readConfigGguf } from "./llama_config_gguf.ts";
import { readConfigJson } from "./llama_config_json.ts";
import { FileTensors } from "./tensor_source.ts";

const TINY = {
  hidden: 64,
  intermediate: 96,
  layers: 2,
  heads: 4,
  kvHeads: 2,
  headSize: 16,
  vocabulary: 256,
  positions: 128,
  rmsEpsilon: 1e-5,
  rope: { theta: 10_000, scaling: { kind: "none" } },
  tiedEmbeddings: true,
};
const fields = JSON.parse(await Deno.readTextFile(fixture("tiny/config.json")));
const read = (change: object) => readConfigJson(JSON.stringify({ ...fields, ...change }));

Deno.test("both kinds of files give the same configuration", async () => {
  assert.deepEqual(read({}), TINY);
  const gguf = await openGguf(fixture("tiny.gguf"));
  using _tensors = gguf.tensors;
  assert.deepEqual(await readConfigGguf(gguf), { ...TINY, rmsEpsilon: Math.fround(1e-5) });
});

Deno.test("absent fields of a config.json have the defaults of transformers", () => {
  const absent = {
    num_key_value_heads: undefined,
    head_dim: null,
    tie_word_embeddings: undefined,
    rope_parameters: null,
  };
  const config = read(absent);
  assert.equal(config.kvHeads, 4);
  assert.equal(config.headSize, 16);
  assert.equal(config.tiedEmbeddings, false);
  assert.deepEqual(config.rope, { theta: 10_000, scaling: { kind: "none" } });
});

Deno.test("older spellings of rope scaling are read", () => {
  const older = { rope_parameters: undefined, rope_theta: 5e5, rope_scaling: { type: "linear", factor: 2 } };
  assert.deepEqual(read(older).rope, { theta: 5e5, scaling: { kind: "linear", factor: 2 } });
});

Deno.test("models that are not Llama's are refused by name", () => {
  const refused = (change: object, message: string) => assertRefused("model_refused", message, () => read(change));
  refused({ model_type: "gpt2" }, '"gpt2"');
  refused({ hidden_act: "gelu" }, '"gelu"');
  refused({ attention_bias: true }, "biases");
  refused({ mlp_bias: true }, "biases");
  refused({ model_type: "mistral", sliding_window: 64 }, "window of 64");
  refused({ quantization_config: { bits: 4 } }, "quantised already");
  refused({ rope_parameters: { rope_type: "yarn", factor: 2 } }, '"yarn"');
  refused({ rope_parameters: { rope_type: "llama3", factor: 2 } }, "lacks low_freq_factor");
  refused({ partial_rotary_factor: 0.5 }, "turns 0.5");
  assertRefused("model_refused", '"bert"', () => readConfigJson('{"model_type": "bert"}'));
});

Deno.test("sizes beyond all limits, and heads that do not fit, are refused", () => {
  const refused = (change: object, message: string) => assertRefused("model_refused", message, () => read(change));
  refused({ hidden_size: 1 << 20 }, "elements a token");
  refused({ num_hidden_layers: 5_000 }, "5000 layers");
  refused({ vocab_size: 1e9 }, "vocabulary entries");
  refused({ num_key_value_heads: 3 }, "do not share 3");
  refused({ head_dim: 15 }, "even number");
  refused({ num_attention_heads: 6, num_key_value_heads: 6, head_dim: null }, "elements a head");
  refused({ rms_norm_eps: -1 }, "epsilon");
  refused({ rope_parameters: { rope_theta: 0 } }, "rope theta");
  refused({ rope_parameters: { rope_type: "linear", factor: 0 } }, "rope scaling");
  assertRefused("malformed_file", "hidden_size", () => read({ hidden_size: "64" }));
  assertRefused("malformed_file", "not a config.json", () => readConfigJson("{"));
  assertRefused("malformed_file", "none of a Llama", () => readConfigJson("null"));
});

Deno.test("GGUF files of other kinds are refused by name", async () => {
  const refused = (values: Record<string, MetadataValue>, message: string) =>
    assertRejected(
      "model_refused",
      message,
      () =>
        readConfigGguf({
          metadata: new Metadata(new Map(Object.entries(values))),
          tensors: new FileTensors(new Map(), []),
        }),
    );
  await refused({ "general.architecture": "qwen2" }, '"qwen2"');
  await refused({}, '"unknown"');
  await refused({ "general.architecture": "llama", "llama.expert_count": 8 }, "8 experts");
  await refused({ "general.architecture": "llama" }, "no llama.embedding_length");
  const sizes = { "general.architecture": "llama", "llama.embedding_length": 64, "llama.attention.head_count": 4 };
  await refused({ ...sizes, "llama.rope.dimension_count": 8 }, "turns 8 of 16");
});
