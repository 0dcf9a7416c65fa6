/** CSV with a header line and one line a row: the same reading for the client's rows and for calibration rows. */
import { parse } from "csv-parse/sync";
import { isSottoError, SottoError } from "../errors.ts";

/**
 * Calls `each` for every line that is not empty, the header line first, and returns what it returned. Lines are counted from 1.
 * @throws SottoError `rows_refused` for text that is no CSV, and what `each` throws
 */
export function readCsv<Line extends object>(text: string, each: (cells: string[], line: number) => Line): Line[] {
  try {
    const lines: Line[] = [];
    parse(text, {
      bom: true,
      relax_column_count: true,
      skip_empty_lines: true,
      on_record(cells: string[], info) {
        lines.push(each(cells, info.lines));
        return null;
      },
    });
    return lines;
  } catch (cause) {
    if (isSottoError(cause)) throw cause;
    const message = cause instanceof Error ? cause.message : String(cause);
    throw new SottoError("rows_refused", `the CSV cannot be read: ${message}`, { cause });
  }
}

/** Text of a file. @throws SottoError `rows_refused` when it is not UTF-8 */
export function decodeText(bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new SottoError("rows_refused", "the rows are not UTF-8 text: give a CSV or a JSON file", { cause });
  }
}

const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;

/** The number of a cell: NaN for an empty cell or `NaN`, undefined for text that is no finite number. */
export function readCsvCell(cell: string): number | undefined {
  const text = cell.trim();
  if (text === "" || /^nan$/i.test(text)) return NaN;
  return NUMBER.test(text) && Number.isFinite(Number(text)) ? Number(text) : undefined;
}
