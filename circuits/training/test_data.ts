/** Real tables for tests: split into training and held-out rows, with the public scaling of the training rows. */
import { parse } from "csv-parse/sync";
import { readFileSync } from "node:fs";
import type { TrainingData } from "./data.ts";

export interface Table {
  readonly features: { name: string; mean: number; deviation: number }[];
  readonly target: { name: string; mean: number; deviation: number };
  readonly train: TrainingData;
  readonly test: TrainingData;
}

/** A file of `tests/fixtures/training`: a column that marks held-out rows, the features, the target. */
export function readTable(name: string): Table {
  const text = readFileSync(new URL(`../../tests/fixtures/training/${name}.csv`, import.meta.url), "utf8");
  const [header, ...lines]: string[][] = parse(text);
  const all = lines.map((line) => line.map(Number));
  const [train, test] = [0, 1].map((held) => all.filter((row) => row[0] === held).map((row) => row.slice(1)));
  const columns = header.slice(1).map((column, f) => ({ name: column, ...moments(train.map((row) => row[f])) }));
  return {
    features: columns.slice(0, -1),
    target: columns[columns.length - 1],
    train: split(train),
    test: split(test),
  };
}

function split(rows: number[][]): TrainingData {
  return { rows: rows.map((row) => row.slice(0, -1)), targets: rows.map((row) => row[row.length - 1]) };
}

function moments(values: number[]): { mean: number; deviation: number } {
  const mean = values.reduce((sum, x) => sum + x, 0) / values.length;
  const variance = values.reduce((sum, x) => sum + (x - mean) ** 2, 0) / values.length;
  return { mean, deviation: Math.sqrt(variance) || 1 };
}
