/**
 * Weights as signed bytes with one scale per output channel: W[k][j] is about scales[k] * int8[k][j].
 *
 * Symmetric: the largest magnitude of a row becomes 127, so the error of a weight is at most half a scale.
 */
import { refuseModel } from "../refuse.ts";

/** A matrix of weights in bytes, row-major. */
export interface ByteMatrix {
  readonly rows: number;
  readonly columns: number;
  /** rows x columns numbers from -127 to 127. */
  readonly int8: Int8Array<ArrayBuffer>;
  /** One a row; 0 for a row of zeros, or of numbers below 2^-119. */
  readonly scales: Float32Array<ArrayBuffer>;
  /** Euclidean norm of each row of `int8` (not scaled): it bounds an output by Cauchy and Schwarz. */
  readonly rowNorms: Float64Array<ArrayBuffer>;
}

/** An empty matrix to quantise into. */
export function emptyMatrix(rows: number, columns: number): ByteMatrix {
  return {
    rows,
    columns,
    int8: new Int8Array(rows * columns),
    scales: new Float32Array(rows),
    rowNorms: new Float64Array(rows),
  };
}

/** The largest magnitude of a row, NaN when one of its elements is not finite. */
function magnitude(row: Float32Array): number {
  let largest = 0;
  for (let column = 0; column < row.length; column++) {
    const value = Math.abs(row[column]);
    if (!(value <= 3.5e38)) return NaN;
    if (value > largest) largest = value;
  }
  return largest;
}

/** The smallest normal number: scales below it would be rounded coarsely, so such rows count as zeros. */
const SCALE_MIN = 2 ** -126;

/**
 * Quantises one row, and gives its scale and its norm in bytes. Halves round away from zero. The scale is rounded to
 * single precision, so quotients are at most 127 (1 + 2^-24), which rounds to 127.
 */
function quantiseRow(row: Float32Array, out: Int8Array): [scale: number, norm: number] {
  const largest = magnitude(row);
  if (Number.isNaN(largest)) refuseModel("The model has weights that are not finite; train it again.");
  const scale = Math.fround(largest / 127);
  if (scale < SCALE_MIN) {
    out.fill(0);
    return [0, 0];
  }
  let squares = 0;
  for (let column = 0; column < row.length; column++) {
    const value = row[column] / scale;
    const byte = value < 0 ? value - 0.5 | 0 : value + 0.5 | 0;
    out[column] = byte;
    squares += byte * byte;
  }
  return [scale, Math.sqrt(squares)];
}

/** Quantises rows into `matrix`, from row `first` on. `values` are whole rows. */
export function quantiseInto(matrix: ByteMatrix, first: number, values: Float32Array): void {
  const { columns } = matrix;
  for (let index = 0; index * columns < values.length; index++) {
    const row = first + index;
    const out = matrix.int8.subarray(row * columns, (row + 1) * columns);
    const [scale, norm] = quantiseRow(values.subarray(index * columns, (index + 1) * columns), out);
    matrix.scales[row] = scale;
    matrix.rowNorms[row] = norm;
  }
}

/**
 * Quantises a matrix.
 * @param values rows x columns weights, row-major
 * @throws SottoError `model_refused` for weights that are not finite or not as many
 */
export function quantiseRows(values: Float32Array, rows: number, columns: number): ByteMatrix {
  if (values.length !== rows * columns) {
    refuseModel(`A matrix of ${rows} x ${columns} weights came with ${values.length} weights.`);
  }
  const matrix = emptyMatrix(rows, columns);
  quantiseInto(matrix, 0, values);
  return matrix;
}

/** The weights that the bytes stand for: rows x columns, row-major. */
export function dequantise({ rows, columns, int8, scales }: ByteMatrix): Float32Array<ArrayBuffer> {
  const values = new Float32Array(rows * columns);
  for (let row = 0, at = 0; row < rows; row++) {
    const scale = scales[row];
    for (let column = 0; column < columns; column++, at++) values[at] = scale * int8[at];
  }
  return values;
}

/** Euclidean norm of each column of `int8`: the row norms of the transposed matrix, which the backward pass multiplies by. */
export function columnNorms({ rows, columns, int8 }: ByteMatrix): Float64Array<ArrayBuffer> {
  const squares = new Float64Array(columns);
  for (let row = 0, at = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++, at++) squares[column] += int8[at] * int8[at];
  }
  return squares.map(Math.sqrt);
}
