/** Fixture models and their rows, and what a client makes of them. */
import assert from "node:assert/strict";
import { parse } from "csv-parse/sync";
import { decodeFile, encodeFile, type Header } from "../../circuits/wire.ts";
import type { Description } from "../../circuits/description.ts";
import { encryptRows } from "../../client/encrypt.ts";
import { newKeys, type OpenSecretKey, openSecretKey } from "../../client/keys.ts";
import { call, type TestServer } from "./server.ts";

const FIXTURES = new URL("../fixtures/", import.meta.url);

/** The bytes of a committed fixture. */
export function fixture(name: string): Promise<Uint8Array<ArrayBuffer>> {
  return Deno.readFile(new URL(name, FIXTURES));
}

/** The rows of a fixture file, header left out, empty cells NaN. */
export async function fixtureRows(name: string, count: number): Promise<number[][]> {
  const lines: string[][] = parse(await Deno.readTextFile(new URL(name, FIXTURES)), { from_line: 2 });
  return lines.slice(0, count).map((line) => line.map((cell) => cell === "" ? NaN : Number(cell)));
}

/** A model as the server shows it. */
export interface ImportedModel {
  readonly id: string;
  readonly description: Description;
}

/** A client's key pair, registered. */
export interface RegisteredPair {
  readonly id: string;
  readonly file: Uint8Array<ArrayBuffer>;
  readonly secret: OpenSecretKey;
}

/** Imports a fixture model for the own tenant. */
export async function importFixture(server: TestServer, name: string, format: string): Promise<ImportedModel> {
  const path = `/v1/models?name=${name}&format=${format}`;
  const answer = await call(server, path, { method: "POST", token: server.ours.admin, body: await fixture(name) });
  assert.ok(answer.ok, await answer.clone().text());
  return await answer.json();
}

/** Makes a key pair and registers its evaluation keys for the own tenant. */
export async function registerPair(server: TestServer): Promise<RegisteredPair> {
  const { secretFile, evaluationFile } = await newKeys(server.backend);
  const file = new Uint8Array(evaluationFile);
  const answer = await call(server, "/v1/keys", { method: "POST", token: server.ours.predict, body: file });
  assert.equal(answer.status, 201, await answer.clone().text());
  return { id: (await answer.json()).id, file, secret: await openSecretKey(server.backend, secretFile) };
}

/** An encrypted rows file for a model. */
export async function rowsFile(
  server: TestServer,
  pair: RegisteredPair,
  model: ImportedModel,
  rows: number[][],
): Promise<Uint8Array<ArrayBuffer>> {
  return new Uint8Array((await encryptRows(server.backend, pair.secret, model, rows)).file);
}

/** The same file with other header fields and a right digest. */
export function withHeader(file: Uint8Array, changed: Partial<Header>): Uint8Array<ArrayBuffer> {
  const { header, payload } = decodeFile(file);
  return new Uint8Array(encodeFile({ ...header, ...changed }, payload));
}

/** The file with one payload byte changed and the old digest. */
export function withFlippedByte(file: Uint8Array): Uint8Array<ArrayBuffer> {
  const changed = new Uint8Array(file);
  changed[changed.length - 100] ^= 1;
  return changed;
}
