/** What layers, lookups and answers of networks make of clear lwe: every mask is zero, so the body is the message. */
import { SottoError } from "../errors.ts";
import { CURRENT } from "../params/mod.ts";
import { type LayerRange, type LayerSpec, LWE_WORDS, PADDING } from "./backend.ts";
import { lweAnswerLayout } from "./layout.ts";
import { answerCiphertextBytes, readInputs, writeAnswers } from "./plain_records.ts";

const N = CURRENT.ringDegree;
const Q = Number(CURRENT.modulus);
/** Positions of the whole torus. */
const POSITIONS = 2 * N;

/** The body of lwe `index`. */
export function bodyOf(lwe: Uint32Array, index: number): number {
  return lwe[index * LWE_WORDS + LWE_WORDS - 1];
}

/** Writes a clear lwe. */
export function setBody(lwe: Uint32Array, index: number, body: number): void {
  lwe.fill(0, index * LWE_WORDS, (index + 1) * LWE_WORDS);
  lwe[index * LWE_WORDS + LWE_WORDS - 1] = body;
}

/** The coefficients of input records, switched to the 32-bit torus. */
export function plainInputs(
  records: Uint8Array,
  recordBytes: number,
  shape: { rowCount: number; ciphertextsPerRow: number; inputBits: number; count: number; rowStride: number },
  out: Uint32Array,
): void {
  const rowBytes = shape.ciphertextsPerRow * recordBytes;
  for (let row = 0; row < shape.rowCount; row++) {
    const record = records.subarray(row * rowBytes, (row + 1) * rowBytes);
    const values = readInputs(record, shape.ciphertextsPerRow, shape.inputBits);
    for (let j = 0; j < shape.count; j++) {
      setBody(out, row * shape.rowStride + j, Math.round(values[j] * (2 ** 32 / Q)));
    }
  }
}

/** The sums of a layer, mod 2^32. */
export function plainLayer(spec: LayerSpec, inputs: Uint32Array, range: LayerRange, out: Uint32Array): void {
  const { groupCount, rowsPerGroup, depth } = spec;
  let at = 0;
  for (let row = 0; row < range.rowCount; row++) {
    for (let patch = range.firstPatch; patch < range.firstPatch + range.patchCount; patch++) {
      for (let channel = 0; channel < groupCount * rowsPerGroup; channel++) {
        const indices = (patch * groupCount + Math.floor(channel / rowsPerGroup)) * depth;
        let sum = spec.offsets[channel];
        for (let d = 0; d < depth; d++) {
          const index = spec.indices[indices + d];
          if (index === PADDING) continue;
          const term = Math.imul(spec.weights[channel * depth + d], bodyOf(inputs, row * range.rowStride + index));
          sum = (sum + term) | 0;
        }
        setBody(out, at++, sum);
      }
    }
  }
}

/** The tables at the rounded phases, switched to the 32-bit torus. */
export function plainLookup(lwe: Uint32Array, tables: BigUint64Array, indices: Uint32Array, out: Uint32Array): void {
  indices.forEach((table, i) => {
    const position = Math.round(bodyOf(lwe, i) * (POSITIONS / 2 ** 32)) % POSITIONS;
    const value = Number(tables[table * N + position % N]);
    setBody(out, i, Math.round((position < N ? value : -value) * (2 ** 32 / Q)));
  });
}

/** One answer record a data row. */
export function plainAnswers(
  lwe: Uint32Array,
  shape: { recordCount: number; count: number; answerBits: number; rowStride: number },
): Uint8Array {
  if (shape.count < 1 || shape.count > N) {
    throw new SottoError("backend_failed", `answers: ${shape.count} lwe a record, 1 to ${N} fit`);
  }
  const layout = lweAnswerLayout(shape.count, shape.answerBits);
  const recordBytes = answerCiphertextBytes(shape.count, shape.answerBits);
  const answers = new Uint8Array(shape.recordCount * recordBytes);
  for (let record = 0; record < shape.recordCount; record++) {
    const phases = Float64Array.from(
      { length: shape.count },
      (_, i) => (bodyOf(lwe, record * shape.rowStride + i) | 0) * (Q / 2 ** 32),
    );
    writeAnswers(answers.subarray(record * recordBytes), phases, layout);
  }
  return answers;
}
