/** How texts are cut into words before merging, by the names that GGUF files give these ways (llama.cpp's). */

/** A part of a tokenizer.json, as the library takes it. */
export type PreTokenizer = Readonly<Record<string, unknown>>;

const bytes = (useRegex: boolean) => ({
  type: "ByteLevel",
  add_prefix_space: false,
  trim_offsets: true,
  use_regex: useRegex,
});
const isolated = (Regex: string) => ({ type: "Split", pattern: { Regex }, behavior: "Isolated", invert: false });
/** Each digit alone. The library's own rule knows only the digits 0 to 9, and the original knows those of all scripts. */
const digits = (single: boolean) => isolated(single ? "\\p{N}" : "\\p{N}+");
const sequence = (...pretokenizers: readonly PreTokenizer[]) => ({ type: "Sequence", pretokenizers });

/** Llama 3: contractions, words with one sign before, up to three digits, signs, line ends, spaces. */
const LLAMA3 = "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*" +
  "|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";
const llama3 = sequence(isolated(LLAMA3), bytes(false));

/** A way of cutting; `wholeWords`: a word that is in the vocabulary is not merged from its parts. */
export interface Cutting {
  readonly preTokenizer: PreTokenizer;
  readonly wholeWords: boolean;
}

const GPT2: Cutting = { preTokenizer: bytes(true), wholeWords: false };
const DIGITS: Cutting = { preTokenizer: sequence(digits(true), bytes(true)), wholeWords: false };
const THREE: Cutting = { preTokenizer: llama3, wholeWords: true };

export const CUTTINGS: ReadonlyMap<string, Cutting> = new Map([
  ["gpt-2", GPT2],
  ["smollm", DIGITS],
  ["starcoder", DIGITS],
  ["refact", DIGITS],
  ["llama-bpe", THREE],
  ["llama3", THREE],
  ["llama-v3", THREE],
]);

/** A tokenizer.json's way of cutting, with its rules for digits replaced by ones that know the digits of all scripts. */
export function withAllDigits(preTokenizer: PreTokenizer): PreTokenizer {
  if (preTokenizer.type === "Digits") return digits(preTokenizer.individual_digits === true);
  const parts = preTokenizer.pretokenizers;
  if (preTokenizer.type !== "Sequence" || !Array.isArray(parts)) return preTokenizer;
  return { ...preTokenizer, pretokenizers: parts.map((part) => isPart(part) ? withAllDigits(part) : part) };
}

function isPart(value: unknown): value is PreTokenizer {
  return typeof value === "object" && value !== null;
}
