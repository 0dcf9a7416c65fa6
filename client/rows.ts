/** Rows from CSV or JSON, checked against the features of a model. */
import { SottoError } from "../errors.ts";
import { decodeText, readCsv as readCsvLines, readCsvCell } from "../models/csv.ts";
import type { Feature } from "../models/types.ts";
import { matchColumns } from "./columns.ts";

/** What reading rows asks of a feature. */
export type RowFeature = Pick<Feature, "name" | "missing">;

/**
 * Reads rows: CSV with a header line, or a JSON array of arrays (in the model's order) or of objects (by name).
 * An empty cell, `NaN` or `null` is a missing value and becomes NaN.
 * @returns one Float64Array a row, one number a feature, in the model's order.
 * @throws SottoError rows_refused naming line and column.
 */
export function readRows(bytes: Uint8Array, features: readonly RowFeature[]): Float64Array[] {
  const text = decodeText(bytes);
  const rows = /^\s*\[/.test(text) ? readJson(text, features) : readCsv(text, features);
  if (rows.length === 0) throw refused("there are no rows: put at least one after the header line");
  return rows;
}

function readCsv(text: string, features: readonly RowFeature[]): Float64Array[] {
  let columns: { readonly order: readonly number[]; readonly count: number } | undefined;
  const [header, ...rows] = readCsvLines(text, (cells, line) => {
    if (columns !== undefined) return readRecord(cells, line, features, columns.order, columns.count);
    columns = { order: matchColumns(cells, features), count: cells.length };
    return new Float64Array(0);
  });
  if (header === undefined) throw refused("the file is empty: it needs a header line and one line a row");
  return rows;
}

function readRecord(
  record: readonly string[],
  line: number,
  features: readonly RowFeature[],
  columns: readonly number[],
  columnCount: number,
): Float64Array {
  if (record.length !== columnCount) {
    throw refused(`line ${line}: ${record.length} values, but the header has ${columnCount} columns`);
  }
  const row = new Float64Array(features.length);
  for (const [index, feature] of features.entries()) {
    row[index] = readNumber(record[columns[index]].trim(), feature, `line ${line}`);
  }
  return row;
}

function readNumber(text: string, feature: RowFeature, where: string): number {
  const value = readCsvCell(text);
  if (value === undefined) {
    throw refused(`${where}, column "${feature.name}": "${text.slice(0, 40)}" is not a finite number`);
  }
  return Number.isNaN(value) ? missingCell(feature, where) : value;
}

function missingCell(feature: RowFeature, where: string): number {
  if (feature.missing === "refused") {
    throw refused(`${where}, column "${feature.name}": the cell is empty, and the model takes no missing values`);
  }
  return NaN;
}

function readJson(text: string, features: readonly RowFeature[]): Float64Array[] {
  const rows = parseJson(text);
  return rows.map((row, index) => readJsonRow(row, features, `row ${index + 1}`));
}

function parseJson(text: string): unknown[] {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw refused(`the JSON cannot be read: ${(cause as Error).message}`, { cause });
  }
}

function readJsonRow(row: unknown, features: readonly RowFeature[], where: string): Float64Array {
  if (typeof row !== "object" || row === null) throw refused(`${where}: not an array and not an object`);
  const cells = Array.isArray(row) ? checkCount(row, features, where) : cellsByName(row, features, where);
  return Float64Array.from(cells, (cell, index) => readJsonCell(cell, features[index], where));
}

function checkCount(row: unknown[], features: readonly RowFeature[], where: string): unknown[] {
  if (row.length === features.length) return row;
  throw refused(`${where}: ${row.length} values, but the model has ${features.length} features`);
}

function cellsByName(row: object, features: readonly RowFeature[], where: string): unknown[] {
  const cells = new Map<string, unknown>(Object.entries(row));
  const names = new Set(features.map((feature) => feature.name));
  for (const name of cells.keys()) {
    if (!names.has(name)) throw refused(`${where}: the model has no feature "${name}": remove it`);
  }
  for (const name of names) {
    if (!cells.has(name)) throw refused(`${where}: the feature "${name}" is missing (write null for a missing value)`);
  }
  return features.map((feature) => cells.get(feature.name));
}

function readJsonCell(cell: unknown, feature: RowFeature, where: string): number {
  if (cell === null) return missingCell(feature, where);
  if (typeof cell === "number" && Number.isFinite(cell)) return cell;
  throw refused(`${where}, column "${feature.name}": ${JSON.stringify(cell).slice(0, 40)} is not a finite number`);
}

function refused(message: string, options?: ErrorOptions): SottoError {
  return new SottoError("rows_refused", message, options);
}
