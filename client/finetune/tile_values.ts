/** Values of tokens between the modules of a group, the parts of its grid, and one row of all of them. */
import type { Floats } from "../../circuits/finetune/float_kernels.ts";
import type { GroupPlan, InputPart } from "../../circuits/finetune/mod.ts";

/** Columns of a part of rows of `width` values: in single precision, a copy unless it is all of them. */
export function columnsOf(values: Floats, width: number, { first, count }: InputPart): Float32Array {
  if (count === width) return values instanceof Float32Array ? values : Float32Array.from(values);
  const rows = values.length / width;
  const out = new Float32Array(rows * count);
  for (let row = 0; row < rows; row++) {
    const from = row * width + first;
    out.set(values.subarray(from, from + count), row * count);
  }
  return out;
}

/** Adds the values of a part to rows of `width` values. */
export function addTile(out: Float32Array, width: number, { first, count }: InputPart, values: Float32Array): void {
  for (let from = 0, to = first; from < values.length; from += count, to += width) {
    for (let i = 0; i < count; i++) out[to + i] += values[from + i];
  }
}

/** Tokens x R -> per module tokens x rows. */
export function splitModules(values: Float32Array, { modules, rows }: GroupPlan, tokens: number): Float32Array[] {
  if (modules.length === 1) return [values];
  let first = 0;
  return modules.map((module) => {
    const part = { first, count: module.rows, norm: 0 };
    first += module.rows;
    const out = columnsOf(values, rows, part);
    return out.subarray(0, tokens * module.rows);
  });
}

/** The inverse, each value times the scale of its row. */
export function joinScaled(
  dy: readonly Floats[],
  { modules, rows }: GroupPlan,
  scales: Float32Array,
  tokens: number,
): Float32Array {
  const out = new Float32Array(tokens * rows);
  let first = 0;
  for (const [m, { rows: count }] of modules.entries()) {
    for (let token = 0; token < tokens; token++) {
      const [from, to] = [token * count, token * rows + first];
      for (let i = 0; i < count; i++) out[to + i] = dy[m][from + i] * scales[first + i];
    }
    first += count;
  }
  return out;
}
