/** One product of a 2048 x 2048 matrix with a block of encrypted tokens, on one thread. */
import type { Backend } from "../circuits/mod.ts";
import { matrixNorms, type TokenMode } from "../circuits/finetune/mod.ts";
import { type IntegerMatrix, quantiseRows, type WeightKind } from "../models/language/mod.ts";
import type { TokenParameterSet } from "../params/mod.ts";
import { best } from "./statistics.ts";

const SIZE = 2048;
/** Outputs whose exact values are computed. */
const CHECKED = 32;

export interface MeasuredProduct {
  readonly serverMsPerToken: number;
  /** Encryption and decryption. */
  readonly clientMsPerToken: number;
  /** Root mean square of the errors over that of the outputs, against the exact products of the integers. */
  readonly relativeError: number;
}

export interface ProductRequest {
  readonly tokens: number;
  readonly runs: number;
  /** Default "fresh". */
  readonly mode?: TokenMode;
  /** Default "int8". */
  readonly kind?: WeightKind;
}

/** Gaussian activations and weights; the weights are rounded to integers as those of an imported model are. */
export async function measureProduct(
  backend: Backend,
  set: TokenParameterSet,
  { tokens, runs, mode = "fresh", kind = "int8" }: ProductRequest,
): Promise<MeasuredProduct> {
  const weights = quantiseRows(Float32Array.from({ length: SIZE * SIZE }, normal), SIZE, SIZE, kind);
  const [rowNorm] = matrixNorms(weights.integers, SIZE, SIZE).columnPartNorms([{ first: 0, count: SIZE }]);
  using matrix = await backend.tokens.createTokenMatrix(weights.integers, { rows: SIZE, columns: SIZE });
  const activations = Float32Array.from({ length: tokens * SIZE }, normal);
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
    values = await block.decrypt(answer, weights.scales, options) as Float32Array<ArrayBuffer>;
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

function errorOf(
  values: Float32Array,
  { integers, scales }: IntegerMatrix,
  activations: Float32Array,
  tokens: number,
): number {
  let [error, size] = [0, 0];
  for (let t = 0; t < tokens; t++) {
    for (let k = 0; k < CHECKED; k++) {
      let exact = 0;
      for (let j = 0; j < SIZE; j++) exact += integers[k * SIZE + j] * activations[t * SIZE + j];
      exact *= scales[k];
      error += (values[t * SIZE + k] - exact) ** 2;
      size += exact ** 2;
    }
  }
  return Math.sqrt(error / size);
}
