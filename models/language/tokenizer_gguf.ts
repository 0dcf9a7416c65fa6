/** The tokenizer inside a GGUF file. */
import { refuseFile, refuseModel } from "../refuse.ts";
import type { Metadata } from "./gguf_metadata.ts";
import { VOCABULARY_MAX } from "./limits.ts";
import { CUTTINGS } from "./pre_tokenizers.ts";
import { Tokenizer } from "./tokenizer.ts";

/** `tokenizer.ggml.token_type`: control tokens are special, user-defined ones are only never cut. */
const CONTROL = 3;
const USER_DEFINED = 4;

function needTexts(metadata: Metadata, key: string): readonly string[] {
  return metadata.texts(key) ?? refuseModel(`The GGUF file has no ${key}, so it holds no tokenizer.`);
}

function readVocabulary(metadata: Metadata): Map<string, number> {
  const tokens = needTexts(metadata, "tokenizer.ggml.tokens");
  if (tokens.length > VOCABULARY_MAX) {
    refuseModel(`The vocabulary has ${tokens.length} tokens, at most ${VOCABULARY_MAX}.`);
  }
  const vocabulary = new Map(tokens.map((token, id) => [token, id]));
  if (vocabulary.size !== tokens.length) refuseFile("The vocabulary holds a token twice.");
  return vocabulary;
}

function readMerges(metadata: Metadata): [string, string][] {
  return needTexts(metadata, "tokenizer.ggml.merges").map((merge) => {
    const space = merge.indexOf(" ", 1);
    if (space < 0) refuseFile(`The merge "${merge.slice(0, 40)}" has no two parts.`);
    return [merge.slice(0, space), merge.slice(space + 1)];
  });
}

function readAdded(metadata: Metadata, vocabulary: Map<string, number>) {
  const types = metadata.numbers("tokenizer.ggml.token_type") ?? [];
  return [...vocabulary].flatMap(([content, id]) => {
    const special = types[id] === CONTROL;
    if (!special && types[id] !== USER_DEFINED) return [];
    return [{ id, content, special, single_word: false, lstrip: false, rstrip: false, normalized: false }];
  });
}

/** The number of a special token, which must be in the vocabulary. */
function readMark(metadata: Metadata, name: string, tokens: readonly string[]): number | undefined {
  const id = metadata.number(`tokenizer.ggml.${name}_token_id`);
  if (id !== undefined && tokens[id] === undefined) refuseFile(`The ${name} token ${id} is not in the vocabulary.`);
  return id;
}

/** A post-processor that puts the beginning and the end around a text, where the file says so. */
function framing(metadata: Metadata, tokens: readonly string[], begin?: number, end?: number) {
  const frame = (id: number | undefined, key: string) =>
    id !== undefined && metadata.truth(key) ? [{ SpecialToken: { id: tokens[id], type_id: 0 } }] : [];
  const before = frame(begin, "tokenizer.ggml.add_bos_token");
  const after = frame(end, "tokenizer.ggml.add_eos_token");
  if (before.length + after.length === 0) return null;
  const sequence = (id: string) => ({ Sequence: { id, type_id: 0 } });
  const special = Object.fromEntries([...before, ...after].map(({ SpecialToken: { id } }) => [id, {
    id,
    ids: [tokens.indexOf(id)],
    tokens: [id],
  }]));
  const single = [...before, sequence("A"), ...after];
  return { type: "TemplateProcessing", single, pair: [...single, sequence("B")], special_tokens: special };
}

/**
 * Makes the tokenizer of a GGUF file.
 * @throws SottoError `malformed_file`, or `model_refused` for other kinds than byte-level BPE
 */
export function readTokenizerGguf(metadata: Metadata): Tokenizer {
  const kind = metadata.text("tokenizer.ggml.model");
  if (kind !== "gpt2") {
    refuseModel(`The tokenizer is of the kind "${kind ?? "unknown"}"; only byte-level BPE ("gpt2") is run.`);
  }
  const cut = metadata.text("tokenizer.ggml.pre") ?? "default";
  const cutting = CUTTINGS.get(cut) ?? refuseModel(
    `The tokenizer cuts words the way "${cut}", which is not run; ${[...CUTTINGS.keys()].join(", ")} are.`,
  );
  const vocabulary = readVocabulary(metadata);
  const tokens = [...vocabulary.keys()];
  const begin = readMark(metadata, "bos", tokens);
  const end = readMark(metadata, "eos", tokens);
  return new Tokenizer({
    version: "1.0",
    added_tokens: readAdded(metadata, vocabulary),
    normalizer: null,
    pre_tokenizer: cutting.preTokenizer,
    post_processor: framing(metadata, tokens, begin, end),
    decoder: { type: "ByteLevel", add_prefix_space: true, trim_offsets: true, use_regex: true },
    model: {
      type: "BPE",
      vocab: Object.fromEntries(vocabulary),
      merges: readMerges(metadata),
      ignore_merges: cutting.wholeWords,
      fuse_unk: false,
      byte_fallback: false,
    },
  }, { begin, end });
}
