/** The tokenizer in a `tokenizer.json`, with the special tokens that `config.json` numbers. */
import { z } from "@hono/zod-openapi";
import { decoding, refuseFile, refuseModel } from "../refuse.ts";
import { VOCABULARY_MAX } from "./limits.ts";
import { withAllDigits } from "./pre_tokenizers.ts";
import { Tokenizer } from "./tokenizer.ts";

const kindSchema = z.looseObject({ type: z.string() });
const tokenizerSchema = z.looseObject({
  added_tokens: z.array(z.looseObject({ id: z.number().int().nonnegative().max(VOCABULARY_MAX), content: z.string() }))
    .nullish(),
  normalizer: kindSchema.nullish(),
  pre_tokenizer: kindSchema.nullish(),
  post_processor: kindSchema.nullish(),
  decoder: kindSchema.nullish(),
  model: z.looseObject({
    type: z.string().optional(),
    vocab: z.record(z.string(), z.number().int().nonnegative().max(VOCABULARY_MAX)),
    merges: z.array(z.union([z.string(), z.tuple([z.string(), z.string()])])),
  }),
});

const mark = z.union([z.number().int().nonnegative(), z.array(z.number().int().nonnegative())]).nullish();
const marksSchema = z.looseObject({ bos_token_id: mark, eos_token_id: mark });

/** The first number where a configuration names several. */
function first(value: number | number[] | null | undefined): number | undefined {
  return (Array.isArray(value) ? value[0] : value) ?? undefined;
}

/**
 * Makes the tokenizer of a model in the files of transformers.
 * @param text of `tokenizer.json`
 * @param config text of `config.json`
 * @throws SottoError `malformed_file`, or `model_refused` for other kinds than byte-level BPE
 */
export function readTokenizerJson(text: string, config: string): Tokenizer {
  const json = decoding("a tokenizer.json", () => JSON.parse(text));
  const kind = json?.model?.type ?? "BPE";
  if (kind !== "BPE") {
    refuseModel(`The tokenizer is of the kind "${String(kind).slice(0, 40)}"; only byte-level BPE is run.`);
  }
  const parsed = tokenizerSchema.safeParse(json);
  if (!parsed.success) {
    const { path, message } = parsed.error.issues[0];
    return refuseFile(`The tokenizer.json is none: ${path.join(".")}: ${message}.`);
  }
  if (parsed.data.decoder?.type !== "ByteLevel") {
    refuseModel("The tokenizer works on letters, not on bytes; only byte-level BPE is run.");
  }
  const marks = marksSchema.safeParse(decoding("a config.json", () => JSON.parse(config)));
  const special = marks.success ? marks.data : refuseFile("The config.json names special tokens that are no numbers.");
  const cut = parsed.data.pre_tokenizer;
  const description = {
    normalizer: null,
    post_processor: null,
    ...parsed.data,
    pre_tokenizer: cut ? withAllDigits(cut) : null,
  };
  return new Tokenizer(
    { ...description, added_tokens: parsed.data.added_tokens ?? [], model: { ...parsed.data.model, type: "BPE" } },
    { begin: first(special.bos_token_id), end: first(special.eos_token_id) },
  );
}
