/** Calibration rows of a network: what the ranges of its layers are measured on. */
import { SottoError } from "../errors.ts";
import { decodeText, readCsv, readCsvCell } from "./csv.ts";
import { refuseRow } from "./refuse.ts";

/** Limits of a calibration file. */
export const CALIBRATION_ROWS_MAX = 10_000;
export const CALIBRATION_BYTES_MAX = 64 * 1024 * 1024;

/**
 * Reads calibration rows: CSV with a header line and one feature a column, in the order of the model's features.
 * @returns at least one row of finite numbers, all of one length
 * @throws SottoError `rows_refused` naming line and column, `body_too_large` above the limits
 */
export function readCalibration(csv: Uint8Array): number[][] {
  if (csv.length > CALIBRATION_BYTES_MAX) {
    throw new SottoError(
      "body_too_large",
      `the calibration rows have ${csv.length} bytes and may have ${CALIBRATION_BYTES_MAX}: give fewer rows`,
    );
  }
  let header: readonly string[] | undefined;
  let count = 0;
  const [, ...rows] = readCsv<number[]>(decodeText(csv), (cells, line) => {
    if (header === undefined) {
      header = requireNames(cells);
      return [];
    }
    if (++count > CALIBRATION_ROWS_MAX) tooManyRows();
    return readRow(header, cells, line);
  });
  if (rows.length === 0) refuseRow("there are no calibration rows: put at least one after the header line");
  return rows;
}

function tooManyRows(): never {
  const message = `there are more than ${CALIBRATION_ROWS_MAX} calibration rows: give fewer, some hundred are enough`;
  throw new SottoError("body_too_large", message);
}

/** A header of numbers is a forgotten header, unless they are 0, 1, 2, ... as pandas names columns without names. */
function requireNames(header: readonly string[]): readonly string[] {
  const forgotten = header.every((name) => name.trim() !== "" && Number.isFinite(Number(name))) &&
    !header.every((name, index) => Number(name) === index);
  if (forgotten) refuseRow("line 1 of the calibration rows holds numbers: put the feature names into the first line");
  return header;
}

function readRow(header: readonly string[], cells: readonly string[], line: number): number[] {
  if (cells.length !== header.length) {
    refuseRow(
      `line ${line} of the calibration rows: ${cells.length} values, but the header has ${header.length} columns`,
    );
  }
  return cells.map((cell, column) => {
    const value = readCsvCell(cell);
    if (value !== undefined && !Number.isNaN(value)) return value;
    const where = `line ${line}, column "${header[column]}" of the calibration rows`;
    return refuseRow(`${where}: "${cell.slice(0, 40)}" is not a finite number: correct the cell`);
  });
}
