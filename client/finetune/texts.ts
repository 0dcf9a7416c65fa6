/** Texts to learn: JSON lines, each `{"text": ...}` or `{"prompt": ..., "completion": ...}`, of which only the completion is learned. */
import { z } from "zod";
import { SottoError } from "../../errors.ts";
import type { Tokenizer } from "../../models/language/mod.ts";
import type { TokenSequence } from "./block.ts";

const lineSchema = z.union([
  z.looseObject({ text: z.string() }),
  z.looseObject({ prompt: z.string(), completion: z.string() }),
]);

/** The token sequences of a file's text, each with the end token of the model. Throws `rows_refused` naming the line that is wrong. */
export function readTexts(lines: string, tokenizer: Tokenizer): TokenSequence[] {
  const sequences = lines.split("\n").flatMap((line, i) => line.trim() === "" ? [] : [sequenceOf(line, i, tokenizer)]);
  if (sequences.length > 0) return sequences;
  throw new SottoError("rows_refused", "the file holds no texts: write one JSON object a line");
}

function sequenceOf(line: string, index: number, tokenizer: Tokenizer): TokenSequence {
  const parsed = lineSchema.safeParse(parseJson(line));
  if (!parsed.success) {
    throw new SottoError("rows_refused", `line ${index + 1} is no {"text": ...} or {"prompt": ..., "completion": ...}`);
  }
  const { data } = parsed;
  const { end } = tokenizer.special;
  const ending = end === undefined ? [] : [end];
  if ("text" in data) return { tokens: [...tokenizer.encode(data.text as string), ...ending] };
  const prompt = tokenizer.encode(data.prompt as string);
  const completion = tokenizer.encode(data.completion as string, false);
  return { tokens: [...prompt, ...completion, ...ending], promptLength: prompt.length };
}

function parseJson(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
