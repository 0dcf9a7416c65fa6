/** One product of a 2048 x 2048 matrix with a block of encrypted tokens, on one thread. */
import type { Backend } from "../circuits/mod.ts";
import { matrixNorms, type TokenMode } from "../circuits/finetune/mod.ts";
import type { TokenParameterSet } from "../params/mod.ts";
import { best } from "./statistics.ts";

const SIZE = 2048;
/** Outputs whose exact values are computed. */
const CHECKED = 32;

export interface MeasuredProduct {
  readonly serverMsPerToken: number;
  /** Encryption and decryption. */
  readonly clientMsPerToken: number;
  /** Root mean square of the errors over that of the outputs. */
  readonly relativeError: number;
}

/** Gaussian activations, weights like those of a trained layer: normal, the largest of a row 127. */
export async function measureProduct(
  backend: Backend,
  set: TokenParameterSet,
  { tokens, runs, mode = "fresh" }: { tokens: number; runs: number; mode?: TokenMode },
): Promise<MeasuredProduct> {
  const weights = normalBytes();
  const [rowNorm] = matrixNorms(weights, SIZE, SIZE).columnPartNorms([{ first: 0, count: SIZE }]);
  using matrix = await backend.tokens.createTokenMatrix(weights, { rows: SIZE, columns: SIZE });
  const activations = Float32Array.from({ length: tokens * SIZE }, normal);
  const ones = new Float32Array(SIZE).fill(1);
  const masks = { seed: new Uint8Array(32).fill(7), first: 0 };
  const known = mode === "fresh" ? undefined : await backend.tokens.multiplyMasks(matrix, "forward", { set, masks });
  const [server, client]: [number[], number[]] = [[], []];
  let values = new Float32Array();
  for (let run = 0; run < runs; run++) {
    const start = performance.now();
    using block = await backend.tokens.encryptTokens(
      activations,
      { set, tokens, features: SIZE, rowNorm, ...known ? { masks } : {} },
      { threads: 1 },
    );
    const encrypted = performance.now();
    const answer = await backend.tokens.multiplyTokens(matrix, "forward", block.request, mode, { threads: 1 });
    const answered = performance.now();
    const options = { threads: 1, ...known ? { masks: known } : {} };
    values = await block.decrypt(answer, ones, options) as Float32Array<ArrayBuffer>;
    server.push(answered - encrypted);
    client.push(encrypted - start + performance.now() - answered);
  }
  return {
    serverMsPerToken: best(server) / tokens,
    clientMsPerToken: best(client) / tokens,
    relativeError: errorOf(values, weights, activations, tokens),
  };
}

function normal(): number {
  return Math.sqrt(-2 * Math.log(1 - Math.random())) * Math.cos(2 * Math.PI * Math.random());
}

function normalBytes(): Int8Array {
  const weights = new Int8Array(SIZE * SIZE);
  for (let row = 0; row < SIZE; row++) {
    const values = Array.from({ length: SIZE }, normal);
    const scale = 127 / values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
    values.forEach((value, i) => weights[row * SIZE + i] = Math.round(value * scale));
  }
  return weights;
}

function errorOf(values: Float32Array, weights: Int8Array, activations: Float32Array, tokens: number): number {
  let [error, size] = [0, 0];
  for (let t = 0; t < tokens; t++) {
    for (let k = 0; k < CHECKED; k++) {
      let exact = 0;
      for (let j = 0; j < SIZE; j++) exact += weights[k * SIZE + j] * activations[t * SIZE + j];
      error += (values[t * SIZE + k] - exact) ** 2;
      size += exact ** 2;
    }
  }
  return Math.sqrt(error / size);
}
