/** Which column of a rows file holds which feature of a model. */
import { SottoError } from "../errors.ts";

/**
 * For each feature, the index of its column.
 *
 * Names decide when they match (spaces and underscores count as the same, as LightGBM writes one for the other). Where the
 * model or the header has no names of its own (`f0`, `Column_0`, `0`, ...), columns go by position.
 * @throws SottoError rows_refused naming the missing, extra or repeated columns.
 */
export function matchColumns(header: readonly string[], features: readonly { name: string }[]): number[] {
  refuseDataAsHeader(header);
  const columns = new Map<string, number>();
  for (const [index, name] of header.entries()) {
    const known = columns.get(normal(name));
    if (known !== undefined) {
      throw refused(`line 1: the column "${name}" is there twice (columns ${known + 1} and ${index + 1})`);
    }
    columns.set(normal(name), index);
  }
  const found = features.map((feature) => columns.get(normal(feature.name)) ?? -1);
  if (found.every((index) => index >= 0)) return checkNothingExtra(found, header);
  const names = features.map((feature) => feature.name);
  const byPosition = isGenerated(names) || (isGenerated(header) && found.every((index) => index < 0));
  if (byPosition && header.length === features.length) return features.map((_, index) => index);
  throw mismatch(header, features, found, byPosition);
}

function checkNothingExtra(found: number[], header: readonly string[]): number[] {
  const used = new Set(found);
  const extra = header.filter((_, index) => !used.has(index));
  if (extra.length > 0) throw refused(`line 1: the model has no feature ${quoted(extra)}: remove the column`);
  return found;
}

function mismatch(
  header: readonly string[],
  features: readonly { name: string }[],
  found: readonly number[],
  byPosition: boolean,
): SottoError {
  if (byPosition) {
    return refused(
      `line 1: ${header.length} columns, but the model has ${features.length} features: one column a feature`,
    );
  }
  const missing = features.filter((_, index) => found[index] < 0).map((feature) => feature.name);
  const used = new Set(found);
  const extra = header.filter((_, index) => !used.has(index));
  const also = extra.length > 0 ? `; the model has no feature ${quoted(extra)}` : "";
  const are = missing.length === 1 ? "is" : "are";
  return refused(`line 1: the column${missing.length === 1 ? "" : "s"} ${quoted(missing)} ${are} missing${also}`);
}

/** A header of numbers is a forgotten header, unless they are 0, 1, 2, ... as pandas names columns without names. */
function refuseDataAsHeader(header: readonly string[]): void {
  const numbers = header.every((name) => name.trim() !== "" && Number.isFinite(Number(name)));
  if (numbers && !header.every((name, index) => Number(name) === index)) {
    throw refused("line 1 holds numbers: put the feature names into the first line");
  }
}

/** True for names that a library made up: one prefix, then the index. */
function isGenerated(names: readonly string[]): boolean {
  const prefix = names[0]?.replace(/[01]$/, "") ?? "";
  const first = names[0]?.endsWith("1") ? 1 : 0;
  return names.every((name, index) => name === `${prefix}${index + first}`);
}

function normal(name: string): string {
  return name.trim().replace(/\s+/g, "_");
}

function quoted(names: readonly string[]): string {
  const shown = names.slice(0, 5).map((name) => `"${name}"`).join(", ");
  return names.length > 5 ? `${shown} and ${names.length - 5} more` : shown;
}

function refused(message: string): SottoError {
  return new SottoError("rows_refused", message);
}
