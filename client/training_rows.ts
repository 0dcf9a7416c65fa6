/** Tables of data owners: features, labels and row ids out of one CSV file. */
import { scoreCount, type TrainingSpec } from "../circuits/training/spec.ts";
import { SottoError } from "../errors.ts";
import { decodeText, readCsv, readCsvCell } from "../models/csv.ts";

/** A CSV file: a header line, one line a row. */
export interface OwnTable {
  readonly header: readonly string[];
  readonly lines: readonly (readonly string[])[];
}

/** Reads a CSV file. @throws SottoError rows_refused naming the line. */
export function readTable(bytes: Uint8Array): OwnTable {
  let width = 0;
  const [header, ...lines] = readCsv(decodeText(bytes), (cells, line) => {
    width ||= cells.length;
    if (cells.length === width) return cells.map((cell) => cell.trim());
    throw refused(`line ${line}: ${cells.length} values, but the header has ${width} columns`);
  });
  if (header === undefined || lines.length === 0) throw refused("the file needs a header line and one line a row");
  return { header, lines };
}

/** The texts of a column. @throws SottoError rows_refused when it is not there. */
export function columnOf({ header, lines }: OwnTable, name: string): string[] {
  const column = header.indexOf(name);
  if (column < 0) throw refused(`line 1: there is no column "${name}", only ${header.join(", ")}`);
  return lines.map((cells) => cells[column]);
}

/** The numbers of a column. @throws SottoError rows_refused naming the first cell that is none. */
export function numbersOf(table: OwnTable, name: string): number[] {
  return columnOf(table, name).map((cell, row) => {
    const value = readCsvCell(cell);
    if (value !== undefined && Number.isFinite(value)) return value;
    throw refused(`row ${row + 1}, column "${name}": "${cell.slice(0, 40)}" is no number, and training takes no gaps`);
  });
}

/** Rows in the order of the specification's features; columns that are not owned are zero. */
export function featureRows(table: OwnTable, spec: TrainingSpec, owned?: readonly string[]): Float64Array[] {
  const rows = table.lines.map(() => new Float64Array(spec.features.length));
  spec.features.forEach(({ name }, f) => {
    if (owned !== undefined && !owned.includes(name)) return;
    numbersOf(table, name).forEach((value, row) => rows[row][f] = value);
  });
  return rows;
}

/** What each row should become: the number of its class, or its value. @throws SottoError rows_refused for an unknown class. */
export function targetsOf(table: OwnTable, spec: TrainingSpec, label: string): number[] {
  if (spec.kind === "linear") return numbersOf(table, label);
  const classes = spec.classes.map(String);
  return columnOf(table, label).map((cell, row) => {
    const target = classes.indexOf(cell);
    if (target >= 0) return target;
    throw refused(`row ${row + 1}, column "${label}": "${cell}" is none of the classes ${classes.join(", ")}`);
  });
}

/** The table with its rows in a published order. @throws SottoError rows_refused when the ids are not the same. */
export function alignedTable(table: OwnTable, idColumn: string, order: readonly string[]): OwnTable {
  const ids = columnOf(table, idColumn);
  const places = new Map(ids.map((id, row) => [id, row]));
  if (places.size < ids.length) throw refused(`column "${idColumn}": an id is there twice`);
  const missing = order.filter((id) => !places.has(id));
  if (missing.length > 0) {
    throw refused(`${missing.length} rows of the published order are not in the file, the first is "${missing[0]}"`);
  }
  return { header: table.header, lines: order.map((id) => table.lines[places.get(id)!]) };
}

/** Names of the scores of a specification: its classes, or its target. */
export function scoreNames(spec: TrainingSpec): string[] {
  if (spec.kind === "linear") return [spec.target.name];
  return scoreCount(spec) === 1 ? [String(spec.classes[1])] : spec.classes.map(String);
}

function refused(message: string): SottoError {
  return new SottoError("rows_refused", message);
}
