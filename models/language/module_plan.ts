/** What a server publishes of its modules: all that a client needs to choose scales and to count bytes. */
import type { LinearModule } from "./module_list.ts";
import { columnNorms, type IntegerMatrix } from "./quantise.ts";

/** One module as published; norms are those of the bytes. */
export interface PlannedModule {
  readonly name: string;
  readonly group: string;
  readonly rows: number;
  readonly columns: number;
  /** Bytes of the weights and their scales. */
  readonly bytes: number;
  /** Largest Euclidean norm of a row of bytes: |W u| <= rowNorm |u| for each output of a forward product. */
  readonly rowNorm: number;
  /** Largest Euclidean norm of a column of bytes: the same for each output of a backward product. */
  readonly columnNorm: number;
}

/** The plan of one module. */
export function planModule({ name, group, rows, columns }: LinearModule, matrix: IntegerMatrix): PlannedModule {
  const largest = (values: Float64Array) => values.reduce((most, value) => Math.max(most, value), 0);
  return {
    name,
    group,
    rows,
    columns,
    bytes: matrix.integers.byteLength + matrix.scales.byteLength,
    rowNorm: largest(matrix.rowNorms),
    columnNorm: largest(columnNorms(matrix)),
  };
}
