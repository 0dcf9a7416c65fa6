/** Text from the model, token by token. */
import type { Floats } from "../../circuits/finetune/float_kernels.ts";
import { SottoError } from "../../errors.ts";
import { KeyCache } from "./key_cache.ts";
import type { Llama, PassOptions } from "./llama.ts";
import { SeededSource } from "./seeded.ts";

export interface GenerateOptions extends PassOptions {
  /** Tokens to add at most. */
  readonly tokensMax: number;
  /** 0 (default): always the likeliest token; otherwise softmax(logits / temperature) is drawn from. */
  readonly temperature?: number;
  /** Of the draws; default 0. */
  readonly seed?: number;
  /** Tokens that end the text; they are not returned. */
  readonly stop?: readonly number[];
}

/**
 * The tokens after a prompt of at least one, as they are made. Keys and values of earlier tokens are kept, so each token costs one pass of one token:
 * four requests a layer and one for the output.
 */
export async function* generate(
  model: Llama,
  prompt: ArrayLike<number>,
  options: GenerateOptions,
): AsyncGenerator<number> {
  if (prompt.length === 0) throw new SottoError("rows_refused", "generation needs a prompt of at least one token");
  const source = new SeededSource(options.seed ?? 0);
  const cache = new KeyCache(model.kernels, model.config, prompt.length + options.tokensMax);
  let next = Uint32Array.from(prompt);
  for (let made = 0; made < options.tokensMax; made++) {
    const logits = await model.nextLogits(next, cache, { signal: options.signal });
    const token = choose(logits, options.temperature ?? 0, source);
    if (options.stop?.includes(token)) return;
    yield token;
    options.onProgress?.((made + 1) / options.tokensMax);
    next = Uint32Array.of(token);
  }
}

function choose(logits: Floats, temperature: number, source: SeededSource): number {
  let best = 0;
  for (let i = 1; i < logits.length; i++) if (logits[i] > logits[best]) best = i;
  if (temperature <= 0) return best;
  const weights = Float64Array.from(logits, (logit) => Math.exp((logit - logits[best]) / temperature));
  let left = source.uniform() * weights.reduce((a, b) => a + b, 0);
  const drawn = weights.findIndex((weight) => (left -= weight) < 0);
  return drawn < 0 ? best : drawn;
}
