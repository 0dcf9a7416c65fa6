/**
 * Weights as small integers with one scale per output channel: W[k][j] is about scales[k] * integers[k][j].
 *
 * Symmetric. The scale of a row is the finest at which its largest magnitude is at most `largest` and its norm at most `normMax`. The latter levels
 * rows: encrypted tokens are scaled so that the row of the largest norm cannot overflow, so all outputs of a matrix have noise in proportion to it,
 * c |W| of their deviation, whereas rounding costs a row 1 / (sqrt(12) |W_k|) of its deviation times the root of its length, as does the noise.
 * The sum of both squares is smallest at |W_k| = (sqrt(12) c)^-1/2, which depends on the noise alone, and not on the length of a row.
 */
import { refuseModel } from "../refuse.ts";

/** How fine the integers are: bytes, or 10 bits, whose products take a server twice as long and have as many bytes on the wire. */
export type WeightKind = "int8" | "int10";

/** `normMax` is the balance of rounding and noise: of `tokens-1024-q32` for bytes, of `tokens-2048-q32` for 10 bits. */
export const WEIGHT_KINDS: Readonly<Record<WeightKind, { readonly largest: number; readonly normMax: number }>> = {
  int8: { largest: 127, normMax: 1400 },
  int10: { largest: 508, normMax: 5400 },
};

/** A matrix of weights in integers, row-major. */
export interface IntegerMatrix {
  readonly kind: WeightKind;
  readonly rows: number;
  readonly columns: number;
  /** rows x columns numbers from -`largest` to `largest` of the kind. */
  readonly integers: Int8Array<ArrayBuffer> | Int16Array<ArrayBuffer>;
  /** One a row; 0 for a row of zeros, or of numbers below 2^-117. */
  readonly scales: Float32Array<ArrayBuffer>;
  /** Euclidean norm of each row of integers (not scaled): it bounds an output by Cauchy and Schwarz. */
  readonly rowNorms: Float64Array<ArrayBuffer>;
}

/** Integers of the kind, all zero. */
export function integersOf(kind: WeightKind, count: number): IntegerMatrix["integers"] {
  return kind === "int8" ? new Int8Array(count) : new Int16Array(count);
}

/** An empty matrix to quantise into. */
export function emptyMatrix(rows: number, columns: number, kind: WeightKind = "int8"): IntegerMatrix {
  return {
    kind,
    rows,
    columns,
    integers: integersOf(kind, rows * columns),
    scales: new Float32Array(rows),
    rowNorms: new Float64Array(rows),
  };
}

/** The scale of a row, NaN when one of its elements is not finite. */
function scaleOf(row: Float32Array, kind: WeightKind): number {
  const limits = WEIGHT_KINDS[kind];
  let [largest, squares] = [0, 0];
  for (let column = 0; column < row.length; column++) {
    const value = Math.abs(row[column]);
    if (!(value <= 3.5e38)) return NaN;
    if (value > largest) largest = value;
    squares += value * value;
  }
  return Math.fround(Math.max(largest / limits.largest, Math.sqrt(squares) / limits.normMax));
}

/** The smallest normal number: scales below it would be rounded coarsely, so such rows count as zeros. */
const SCALE_MIN = 2 ** -126;

/**
 * Quantises one row, and gives its scale and its norm in integers. Halves round away from zero. The scale is rounded to
 * single precision, so quotients are at most `largest` (1 + 2^-24), which rounds to `largest`.
 */
function quantiseRow(
  row: Float32Array,
  kind: WeightKind,
  out: IntegerMatrix["integers"],
): [scale: number, norm: number] {
  const scale = scaleOf(row, kind);
  if (Number.isNaN(scale)) refuseModel("The model has weights that are not finite; train it again.");
  if (scale < SCALE_MIN) {
    out.fill(0);
    return [0, 0];
  }
  let squares = 0;
  for (let column = 0; column < row.length; column++) {
    const value = row[column] / scale;
    const integer = value < 0 ? value - 0.5 | 0 : value + 0.5 | 0;
    out[column] = integer;
    squares += integer * integer;
  }
  return [scale, Math.sqrt(squares)];
}

/** Quantises rows into `matrix`, from row `first` on. `values` are whole rows. */
export function quantiseInto(matrix: IntegerMatrix, first: number, values: Float32Array): void {
  const { columns } = matrix;
  for (let index = 0; index * columns < values.length; index++) {
    const row = first + index;
    const out = matrix.integers.subarray(row * columns, (row + 1) * columns);
    const [scale, norm] = quantiseRow(values.subarray(index * columns, (index + 1) * columns), matrix.kind, out);
    matrix.scales[row] = scale;
    matrix.rowNorms[row] = norm;
  }
}

/**
 * Quantises a matrix.
 * @param values rows x columns weights, row-major
 * @throws SottoError `model_refused` for weights that are not finite or not as many
 */
export function quantiseRows(
  values: Float32Array,
  rows: number,
  columns: number,
  kind: WeightKind = "int8",
): IntegerMatrix {
  if (values.length !== rows * columns) {
    refuseModel(`A matrix of ${rows} x ${columns} weights came with ${values.length} weights.`);
  }
  const matrix = emptyMatrix(rows, columns, kind);
  quantiseInto(matrix, 0, values);
  return matrix;
}

/** The weights that the integers stand for: rows x columns, row-major. */
export function dequantise(
  { rows, columns, integers, scales }: Omit<IntegerMatrix, "rowNorms">,
): Float32Array<ArrayBuffer> {
  const values = new Float32Array(rows * columns);
  for (let row = 0, at = 0; row < rows; row++) {
    const scale = scales[row];
    for (let column = 0; column < columns; column++, at++) values[at] = scale * integers[at];
  }
  return values;
}

/** Euclidean norm of each column of integers: the row norms of the transposed matrix, which the backward pass multiplies by. */
export function columnNorms({ rows, columns, integers }: IntegerMatrix): Float64Array<ArrayBuffer> {
  const squares = new Float64Array(columns);
  for (let row = 0, at = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++, at++) squares[column] += integers[at] * integers[at];
  }
  return squares.map(Math.sqrt);
}
