/** One suite for every back end that multiplies tokens; the plain one and the native ones pass it. */
import assert from "node:assert/strict";
import { isSottoError } from "../../errors.ts";
import { type TokenParameterSet, TOKENS_1024, TOKENS_2048 } from "../../params/mod.ts";
import type { TokenDirection, TokenMatrix, TokensClient, TokensServer } from "./backend.ts";
import { tokenAnswerBytes } from "./token_layout.ts";

type Tokens = TokensServer & TokensClient;

/** The expected error of an output over |W_k| |x_t|: noise, with room for the rounding of the wire. */
const TOLERANCE = { "tokens-1024-q32": 3e-3, "tokens-2048-q32": 3e-4 } as Record<string, number>;

const ROWS = 23;
const COLUMNS = 17;
const TOKENS = 5;

function weightsOf(): Int8Array {
  return Int8Array.from({ length: ROWS * COLUMNS }, (_, i) => (i * 89 + 31) % 255 - 127);
}

function rowNorm(weights: Int8Array, outputs: number, at: (k: number, j: number) => number): number {
  const inputs = weights.length / outputs;
  return Math.max(
    ...Array.from(
      { length: outputs },
      (_, k) => Math.hypot(...Array.from({ length: inputs }, (_, j) => weights[at(k, j)])),
    ),
  );
}

/** What a direction of the matrix is: its sizes, where weight (k, j) lies, its largest row norm. */
function side(direction: TokenDirection) {
  const forward = direction === "forward";
  const [outputs, inputs] = forward ? [ROWS, COLUMNS] : [COLUMNS, ROWS];
  const at = (k: number, j: number) => forward ? k * COLUMNS + j : j * COLUMNS + k;
  return { outputs, inputs, at, norm: rowNorm(weightsOf(), outputs, at) };
}

function activationsOf(inputs: number): Float32Array {
  return Float32Array.from(
    { length: TOKENS * inputs },
    (_, i) => Math.sin(i * 1.7) * 2 ** (Math.floor(i / inputs) * 3),
  );
}

function checkValues(
  values: Float32Array,
  activations: Float32Array,
  rowScales: Float32Array,
  direction: TokenDirection,
  set: TokenParameterSet,
): void {
  const { outputs, inputs, at, norm } = side(direction);
  const weights = weightsOf();
  assert.equal(values.length, TOKENS * outputs);
  for (let t = 0; t < TOKENS; t++) {
    const x = activations.subarray(t * inputs, (t + 1) * inputs);
    for (let k = 0; k < outputs; k++) {
      const exact = x.reduce((sum, value, j) => sum + value * weights[at(k, j)], 0) * rowScales[k];
      const bound = TOLERANCE[set.name] * norm * Math.hypot(...x) * rowScales[k];
      assert.ok(Math.abs(values[t * outputs + k] - exact) < bound, `token ${t}, output ${k}`);
    }
  }
}

async function roundTrip(tokens: Tokens, matrix: TokenMatrix, direction: TokenDirection, set: TokenParameterSet) {
  const { outputs, inputs, norm } = side(direction);
  const activations = activationsOf(inputs);
  const rowScales = Float32Array.from({ length: outputs }, (_, k) => 0.01 * (k + 1));
  const block = { set, tokens: TOKENS, features: inputs, rowNorm: norm };
  using fresh = await tokens.encryptTokens(activations, block);
  const answer = await tokens.multiplyTokens(matrix, direction, fresh.request, "fresh");
  assert.equal(answer.length, tokenAnswerBytes(set, TOKENS, outputs, "fresh"));
  checkValues(await fresh.decrypt(answer, rowScales), activations, rowScales, direction, set);

  const masks = { seed: new Uint8Array(32).fill(9), first: 1000 };
  const known = await tokens.multiplyMasks(matrix, direction, { set, masks });
  for (let request = 0; request < 2; request++) {
    using cached = await tokens.encryptTokens(activations, { ...block, masks });
    const short = await tokens.multiplyTokens(matrix, direction, cached.request, "cached");
    assert.equal(short.length, tokenAnswerBytes(set, TOKENS, outputs, "cached"));
    checkValues(await cached.decrypt(short, rowScales, { masks: known }), activations, rowScales, direction, set);
  }
}

async function refusals(tokens: Tokens, matrix: TokenMatrix): Promise<void> {
  const refused = (code: string) => (error: unknown) => isSottoError(error) && error.code === code;
  const block = { set: TOKENS_1024, tokens: TOKENS, features: COLUMNS, rowNorm: side("forward").norm };
  const activations = activationsOf(COLUMNS);
  const broken = activations.slice();
  broken[3] = NaN;
  await assert.rejects(tokens.encryptTokens(broken, block), refused("rows_refused"));
  await assert.rejects(tokens.encryptTokens(activations, { ...block, rowNorm: 1e8 }), refused("model_refused"));
  for (const wrong of [{ tokens: 0 }, { tokens: 4 }, { tokens: 1025 }, { features: 0 }]) {
    await assert.rejects(tokens.encryptTokens(activations, { ...block, ...wrong }), refused("malformed_request"));
  }
  const closed = await tokens.encryptTokens(activations, block);
  const { request } = closed;
  await assert.rejects(tokens.multiplyTokens(matrix, "backward", request, "fresh"), refused("malformed_file"));
  const short = { ...request, bodies: request.bodies.subarray(1) };
  await assert.rejects(tokens.multiplyTokens(matrix, "forward", short, "fresh"), refused("malformed_file"));
  const answer = await tokens.multiplyTokens(matrix, "forward", request, "fresh");
  const ones = new Float32Array(ROWS).fill(1);
  await assert.rejects(closed.decrypt(answer.subarray(1), ones), refused("malformed_file"));
  await assert.rejects(closed.decrypt(answer, ones, { masks: new Uint8Array(3) }), refused("malformed_file"));
  closed.close();
  await assert.rejects(closed.decrypt(answer, ones), refused("backend_failed"));
  await assert.rejects(
    tokens.multiplyTokens(matrix, "forward", request, "fresh", { signal: AbortSignal.abort() }),
    refused("cancelled"),
  );
}

async function zeros(tokens: Tokens, matrix: TokenMatrix): Promise<void> {
  const activations = activationsOf(COLUMNS);
  activations.fill(0, COLUMNS, 2 * COLUMNS);
  const block = { set: TOKENS_1024, tokens: TOKENS, features: COLUMNS, rowNorm: side("forward").norm };
  using encrypted = await tokens.encryptTokens(activations, block);
  const answer = await tokens.multiplyTokens(matrix, "forward", encrypted.request, "fresh");
  const values = await encrypted.decrypt(answer, new Float32Array(ROWS).fill(1));
  assert.ok(values.subarray(ROWS, 2 * ROWS).every((value) => value === 0));
  assert.ok(values.subarray(0, ROWS).some((value) => value !== 0));
}

/** Weights of 10 bits, which a back end may multiply by in two limbs. */
async function tenBits(tokens: Tokens): Promise<void> {
  const [rows, columns, set] = [5, 7, TOKENS_2048];
  const weights = Int16Array.from({ length: rows * columns }, (_, i) => (i * 331 + 17) % 1017 - 508);
  using matrix = await tokens.createTokenMatrix(weights, { rows, columns });
  for (const direction of ["forward", "backward"] as const) {
    const [outputs, inputs] = direction === "forward" ? [rows, columns] : [columns, rows];
    const weight = (k: number, j: number) => weights[direction === "forward" ? k * columns + j : j * columns + k];
    const norm = Math.max(
      ...Array.from(
        { length: outputs },
        (_, k) => Math.hypot(...Array.from({ length: inputs }, (_, j) => weight(k, j))),
      ),
    );
    const activations = Float32Array.from({ length: inputs }, (_, j) => Math.cos(3 * j + 1));
    using encrypted = await tokens.encryptTokens(activations, { set, tokens: 1, features: inputs, rowNorm: norm });
    const answer = await tokens.multiplyTokens(matrix, direction, encrypted.request, "fresh");
    const values = await encrypted.decrypt(answer, new Float32Array(outputs).fill(1));
    const size = Math.hypot(...activations);
    for (let k = 0; k < outputs; k++) {
      const exact = activations.reduce((sum, x, j) => sum + x * weight(k, j), 0);
      assert.ok(Math.abs(values[k] - exact) < 3e-3 * norm * size, `${direction}, output ${k}: ${values[k]}, ${exact}`);
    }
  }
}

/** Registers the tests of one back end; `open` gives it and what ends it. */
export function tokensSuite(name: string, open: () => { tokens: Tokens; close: () => void }): void {
  const test = (what: string, run: (tokens: Tokens, matrix: TokenMatrix) => Promise<void>) =>
    Deno.test(`${name}: ${what}`, async () => {
      const { tokens, close } = open();
      try {
        using matrix = await tokens.createTokenMatrix(weightsOf(), { rows: ROWS, columns: COLUMNS });
        await run(tokens, matrix);
      } finally {
        close();
      }
    });
  for (const set of [TOKENS_1024, TOKENS_2048]) {
    for (const direction of ["forward", "backward"] as const) {
      test(
        `products of ${set.name}, ${direction}, fresh and cached, are those of the clear matrix`,
        (tokens, matrix) => roundTrip(tokens, matrix, direction, set),
      );
    }
  }
  test("blocks, bodies and answers of the wrong shape are refused", refusals);
  test("weights of 10 bits are multiplied by in both directions", tenBits);
  test("a token of zeros has outputs that are exactly zero", zeros);
}
