/** Figures of one run, and how they become a table and a JSON file. */
import Table from "cli-table3";
import type { Machine } from "./machine.ts";

/** A rival's figure for the same work, in the same unit, measured in the same run. */
export interface Peer {
  readonly name: string;
  readonly value: number;
}

/** One figure under a name that never changes its meaning. */
export interface Result {
  readonly name: string;
  readonly value: number;
  /** us, ms, s, G/s, bytes, count, ratio or share. */
  readonly unit: string;
  readonly peer?: Peer;
  /** value / peer.value: below 1 a time or a size is smaller than the peer's. */
  readonly ratio?: number;
}

/** What `--json` writes. */
export interface Report {
  readonly machine: Machine;
  /** The commit that was measured, with `-dirty` when files differ from it. */
  readonly commit: string;
  readonly results: readonly Result[];
}

/** A figure beside a peer's, when there is one. */
export function result(name: string, value: number, unit: string, peer?: Peer): Result {
  return peer === undefined ? { name, value, unit } : { name, value, unit, peer, ratio: value / peer.value };
}

/** The results as a table for people. */
export function resultTable(results: readonly Result[]): string {
  const table = new Table({
    head: ["name", "value", "unit", "peer", "ratio"],
    colAligns: ["left", "right", "left", "left", "right"],
    style: { head: [], border: [], compact: true },
  });
  for (const { name, value, unit, peer, ratio } of results) {
    const rival = peer === undefined ? "" : `${figures(peer.value)} ${peer.name}`;
    table.push([name, figures(value), unit, rival, ratio === undefined ? "" : figures(ratio)]);
  }
  return table.toString();
}

/** Four significant figures; whole numbers in full. */
export function figures(value: number): string {
  return Number.isInteger(value) ? String(value) : String(Number(value.toPrecision(4)));
}
