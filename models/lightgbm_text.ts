/** The text layout of LightGBM models: a header and one block a tree, each of `key=value` lines. */
import { refuseFile } from "./refuse.ts";

/** The values of one block by key. */
export type Block = ReadonlyMap<string, string>;

export interface LightgbmText {
  readonly header: Block;
  readonly trees: readonly Block[];
}

/** @throws SottoError `malformed_file` */
export function readLightgbmText(text: string): LightgbmText {
  const lines = text.split(/\r?\n/);
  if (lines[0] !== "tree") refuseFile('This is not a LightGBM text model: it must begin with the line "tree".');
  const end = lines.indexOf("end of trees");
  if (end < 0) refuseFile('The LightGBM file is cut short: it has no line "end of trees"; save it again.');
  const blocks: Map<string, string>[] = [new Map()];
  for (const line of lines.slice(1, end)) {
    const at = line.indexOf("=");
    const [key, value] = at < 0 ? [line, ""] : [line.slice(0, at), line.slice(at + 1)];
    if (key === "Tree") blocks.push(new Map());
    if (key !== "") blocks[blocks.length - 1].set(key, value.trim());
  }
  return { header: blocks[0], trees: blocks.slice(1) };
}

/** @throws SottoError `malformed_file` when the key is absent */
export function textOf(block: Block, key: string, where: string): string {
  return block.get(key) ?? refuseFile(`The LightGBM file has no "${key}" in ${where}.`);
}

/** A whole number, not negative. */
export function countOf(block: Block, key: string, where: string): number {
  const text = textOf(block, key, where);
  if (!/^\d{1,9}$/.test(text)) refuseFile(`"${key}" in ${where} must be a whole number, not "${text.slice(0, 40)}".`);
  return Number(text);
}

/** Exactly `count` numbers; "inf" and "nan" are read as such. */
export function numbersOf(block: Block, key: string, count: number, where: string): number[] {
  const text = textOf(block, key, where);
  const numbers = text === "" ? [] : text.split(/\s+/).map((word) => numberOf(word, key, where));
  if (numbers.length !== count) refuseFile(`"${key}" in ${where} has ${numbers.length} numbers and needs ${count}.`);
  return numbers;
}

function numberOf(word: string, key: string, where: string): number {
  const special = /^([+-]?)(inf|nan)/i.exec(word);
  if (special) return special[2].toLowerCase() === "nan" ? NaN : special[1] === "-" ? -Infinity : Infinity;
  const value = Number(word);
  return Number.isNaN(value) ? refuseFile(`"${key}" in ${where} holds "${word.slice(0, 40)}", not a number.`) : value;
}
