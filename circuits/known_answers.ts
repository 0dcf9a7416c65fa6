/** Whether the kernels compute what they must on this processor, in some milliseconds and without any key. */
import { createHash } from "node:crypto";
import { SottoError } from "../errors.ts";
import { LWE_WORDS, type ServerBackend } from "./backend.ts";
import { inputRecordBytes } from "./wire.ts";

const INPUT_BITS = 50;
const COUNT = 3;

/** SHA-256 of the answers to `testRecord`, by parameter set: all back ends of a set agree to the bit. */
const KNOWN: Readonly<Record<string, Answers>> = {
  "ring-2048-q50": { linear: "e5b2ddae0a1b7b07", inputs: "e6a19f5c9b7ab043" },
  "insecure-plain": { linear: "464df21d7c076201", inputs: "f433c21e74064d54" },
};

interface Answers {
  /** A product of weights and a ciphertext: expansion, transforms and modulus switch. */
  readonly linear: string;
  /** Coefficients as lwe. */
  readonly inputs: string;
}

/**
 * Compares answers of the back end with known ones, and sums of lwe with the same sums taken here. What needs keys is not covered.
 * Throws `backend_failed` naming what was wrong.
 */
export async function checkKnownAnswers(backend: ServerBackend): Promise<void> {
  const known = KNOWN[backend.parameterSet];
  if (known === undefined) throw failed(`there are no known answers of the parameter set ${backend.parameterSet}`);
  const record = testRecord();
  if (await linearDigest(backend, record) !== known.linear) {
    throw failed("a product of weights and a ciphertext is wrong");
  }
  const inputs = await expand(backend, record);
  if (digestOf(new Uint8Array(inputs.buffer)) !== known.inputs) throw failed("the expansion of a ciphertext is wrong");
  if (!(await sumsAreRight(backend, inputs))) throw failed("a weighted sum of ciphertexts is wrong");
}

function testRecord(): Uint8Array {
  return Uint8Array.from({ length: inputRecordBytes(INPUT_BITS) }, (_, index) => (index * 151 + 7) & 255);
}

async function linearDigest(backend: ServerBackend, record: Uint8Array): Promise<string> {
  const weights = Int32Array.of(5, -7, 11, 13, 0, -2);
  using matrix = backend.createWeightMatrix({ rowCount: 2, columnCount: 3, weights });
  return digestOf(
    await backend.evaluateLinear(matrix, record, { ciphertextCount: 1, inputBits: INPUT_BITS, answerBits: 32 }),
  );
}

async function expand(backend: ServerBackend, record: Uint8Array): Promise<Uint32Array> {
  const shape = { rowCount: 1, ciphertextsPerRow: 1, inputBits: INPUT_BITS, count: COUNT, rowStride: COUNT };
  const lwe = new Uint32Array(COUNT * LWE_WORDS);
  await backend.expandInputs(record, shape, lwe);
  return lwe;
}

/** One output, the sum of weights[i] inputs[i] mod 2^32, its offset added to the body. */
async function sumsAreRight(backend: ServerBackend, inputs: Uint32Array): Promise<boolean> {
  const [weights, offset] = [Int8Array.of(3, -4, 5), 9];
  using layer = backend.createLayer({
    inputCount: COUNT,
    patchCount: 1,
    groupCount: 1,
    rowsPerGroup: 1,
    depth: COUNT,
    weights,
    indices: Uint32Array.of(0, 1, 2),
    offsets: Uint32Array.of(offset),
  });
  const sums = new Uint32Array(LWE_WORDS);
  await backend.applyLayer(layer, inputs, { rowCount: 1, rowStride: COUNT, firstPatch: 0, patchCount: 1 }, sums);
  return sums.every((sum, word) => {
    const start = word === LWE_WORDS - 1 ? offset : 0;
    const expected = weights.reduce(
      (total, weight, i) => total + Math.imul(weight, inputs[i * LWE_WORDS + word]),
      start,
    );
    return sum === expected >>> 0;
  });
}

function digestOf(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex").slice(0, 16);
}

function failed(what: string): SottoError {
  return new SottoError("backend_failed", `the kernels fail their self-test: ${what}`);
}
