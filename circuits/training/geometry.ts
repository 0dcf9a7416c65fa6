/**
 * Where data, weights and errors of a batch lie. m rows a batch, F' = N / m columns a chunk. The data of one chunk are
 * X(X) = sum_i sum_f x_if X^(m (F' - 1 - f) + i), the weights w(X) = sum_f w_f X^(m f): coefficient m (F' - 1) + i of X w is the score of
 * row i, and nothing else falls there. Errors E(X) = sum_i e_i X^-i: coefficient m (F' - 1 - f) of X E is the gradient of column f, and
 * the cross terms of different rows lie at exponents that are no multiple of m, where a trace over log2 m automorphisms removes them.
 */
import { CURRENT } from "../../params/mod.ts";
import { columnCount, type TrainingSpec } from "./spec.ts";

const N = CURRENT.ringDegree;

export interface Geometry {
  /** m, rows a batch. */
  readonly rows: number;
  /** F, columns with the constant one, which is the last. */
  readonly columns: number;
  /** F', columns a chunk. */
  readonly chunkColumns: number;
  readonly chunkCount: number;
}

export function geometryOf(spec: TrainingSpec): Geometry {
  const [rows, columns] = [spec.batch_size, columnCount(spec)];
  const chunkColumns = N / rows;
  return { rows, columns, chunkColumns, chunkCount: Math.ceil(columns / chunkColumns) };
}

/** Chunk and coefficient of x_if. */
export function dataPosition(geometry: Geometry, row: number, column: number): { chunk: number; coefficient: number } {
  const { rows, chunkColumns } = geometry;
  const coefficient = rows * (chunkColumns - 1 - column % chunkColumns) + row;
  return { chunk: Math.floor(column / chunkColumns), coefficient };
}

/** Chunk and coefficient of w_f. */
export function weightPosition(geometry: Geometry, column: number): { chunk: number; coefficient: number } {
  const { rows, chunkColumns } = geometry;
  return { chunk: Math.floor(column / chunkColumns), coefficient: rows * (column % chunkColumns) };
}

/** Coefficients of the scores of all rows. */
export function scorePositions({ rows, chunkColumns }: Geometry): Uint32Array {
  return Uint32Array.from({ length: rows }, (_, i) => rows * (chunkColumns - 1) + i);
}

/** Automorphisms X -> X^(2^j + 1) of the trace that keeps multiples of m: they fix X^m. */
export function traceIndices({ rows }: Geometry): number[] {
  const last = Math.log2(N);
  return Array.from({ length: Math.log2(rows) }, (_, k) => last - k);
}

/** m^-1 mod q, by which messages are multiplied before a trace over m automorphisms. */
export function inverseOf(rows: number): bigint {
  const q = CURRENT.modulus;
  let inverse = 1n;
  const half = (q + 1n) / 2n;
  for (let r = rows; r > 1; r /= 2) inverse = inverse * half % q;
  return inverse;
}
