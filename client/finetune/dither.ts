/**
 * Rounding that is right on average. The gradient of logits has tens of thousands of probabilities beside one -1: at the scale of that 1 most of them
 * lie below half a unit, and rounding to nearest would drop all of them in every token, a bias that adds up over a block. Uniform noise of one unit
 * before the rounding (Schuchman 1964) makes its mean exact; its deviation, at most half a unit, is far below the noise of encryption. Rounding of bodies
 * to the bits of the wire has a mean error, too: ties go up, which is half a unit on average, and columns of embeddings have large sums.
 */
import { tokenRadius, type TokenScaling } from "../../circuits/finetune/mod.ts";

/** Mean error of rounding whole numbers to a multiple of any power of two, ties up. */
const UPLOAD_MEAN = 0.5;

/**
 * The activations (tokens x features) with uniform noise of one unit of each token's messages, less the mean error of the wire: a copy. The
 * noise is no secret.
 */
export function ditherTokens(activations: Float32Array, scaling: TokenScaling): Float32Array {
  const { tokens, features } = scaling;
  const radius = tokenRadius(scaling);
  const out = new Float32Array(activations.length);
  let state = (Math.random() * 2 ** 32) | 1;
  for (let t = 0; t < tokens; t++) {
    const [from, to] = [t * features, (t + 1) * features];
    let squares = 0;
    for (let i = from; i < to; i++) squares += activations[i] * activations[i];
    const unit = Math.sqrt(squares) / radius / 2 ** 32;
    for (let i = from; i < to; i++) {
      state ^= state << 13;
      state ^= state >>> 17;
      state ^= state << 5;
      out[i] = activations[i] + unit * (state - UPLOAD_MEAN * 2 ** 32);
    }
  }
  return out;
}
