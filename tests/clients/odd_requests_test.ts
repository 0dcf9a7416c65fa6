import assert from "node:assert/strict";
import { type KnownThings, withKnownThings } from "./known_things.ts";

const encoder = new TextEncoder();
const JSON_BODY = { "content-type": "application/json" };

/** Bytes as a program that knows nothing of HTTP sends them; what came back until the server closed, or for a while. */
async function exchange({ server }: KnownThings, head: Uint8Array, body = new Uint8Array(0)): Promise<string> {
  const { hostname, port } = new URL(server.url);
  using connection = await Deno.connect({ hostname, port: Number(port) });
  const sending = sendAll(connection, [head, body]);
  let text = "";
  const decoder = new TextDecoder("latin1");
  const buffer = new Uint8Array(65536);
  while (!/\r\n\r\n/.test(text)) {
    const count = await connection.read(buffer).catch(() => null);
    if (count === null) break;
    text += decoder.decode(buffer.subarray(0, count));
  }
  await sending;
  return text;
}

/** Settles when everything is sent or the server does not take more. */
async function sendAll(connection: Deno.Conn, parts: readonly Uint8Array[]): Promise<void> {
  for (const part of parts) {
    for (let at = 0; at < part.length;) {
      const count = await connection.write(part.subarray(at, at + 65536)).catch(() => 0);
      if (count === 0) return;
      at += count;
    }
  }
}

function head(line: string, headers: Record<string, string>): Uint8Array {
  const lines = Object.entries({ host: "sotto", ...headers }).map(([name, value]) => `${name}: ${value}\r\n`);
  return encoder.encode(`${line} HTTP/1.1\r\n${lines.join("")}\r\n`);
}

const statusOf = (text: string) => Number(/^HTTP\/1\.1 (\d{3})/.exec(text)?.[1]);

Deno.test("requests that no client would send are refused, and the server goes on", () =>
  withKnownThings(async (things) => {
    const authorization = `Bearer ${things.server.token}`;
    const long = "x".repeat(200_000);
    const odd: [string, Uint8Array][] = [
      ["no HTTP", encoder.encode("\x16\x03\x01\x02\x00\x01\x00\r\n\r\n")],
      ["a NUL in the path", head("GET /v1/keys/\0", { authorization })],
      ["an escaped NUL in the path", head("GET /v1/keys/%00%00", { authorization })],
      ["broken escapes", head("GET /v1/models/%ff%zz", { authorization })],
      ["a NUL in the query", head("GET /v1/jobs?cursor=%00", { authorization })],
      ["a query of 200 kB", head(`GET /v1/jobs?limit=${long}`, { authorization })],
      ["a header of 200 kB", head("GET /v1/jobs", { authorization, "x-long": long })],
      ["a NUL in a header", head("GET /v1/jobs", { authorization: `Bearer \0${long.slice(0, 10)}` })],
      [
        "two lengths",
        encoder.encode("POST /v1/keys HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nab"),
      ],
      ["a negative length", head("POST /v1/keys", { authorization, "content-length": "-1" })],
      ["a length that no number holds", head("POST /v1/keys", { authorization, "content-length": "9".repeat(40) })],
      ["a method of its own", head("BREW /v1/keys", { authorization })],
      ["a path without a slash", head("GET v1/keys", { authorization })],
      ["dots", head("GET /v1/../../etc/passwd", { authorization })],
      ["an unknown transfer coding", head("POST /v1/keys", { authorization, "transfer-encoding": "gzip" })],
    ];
    for (const [name, bytes] of odd) {
      const status = statusOf(await exchange(things, bytes));
      assert.ok(Number.isNaN(status) || status >= 400 && status < 500, `${name}: ${status}`);
      assert.equal((await fetch(`${things.server.url}/readyz`)).status, 200, name);
    }
  }));

Deno.test("a JSON body of any odd form is answered 400 or 413", () =>
  withKnownThings(async ({ server }) => {
    const bodies = [
      "",
      "\0",
      "[]",
      "null",
      "1e999",
      '{"scopes":',
      '{"__proto__":{"scopes":["admin"]}}',
      '"\\ud800"',
      "[".repeat(50_000),
    ];
    for (const body of [...bodies, JSON.stringify({ scopes: ["predict"], name: "x".repeat(70_000) })]) {
      const headers = { ...JSON_BODY, authorization: `Bearer ${server.token}` };
      const answer = await fetch(`${server.url}/v1/tokens`, { method: "POST", headers, body });
      assert.ok([400, 413].includes(answer.status), `${answer.status} for ${body.slice(0, 40)}`);
      assert.equal(answer.headers.get("content-type"), "application/problem+json");
      await answer.body?.cancel();
    }
  }));

Deno.test("an answer before the end of a large body does not leave the client waiting", () =>
  withKnownThings(async (things) => {
    const body = await Deno.readFile(`${things.files}/lookup.key`);
    const [model, key] = [things.ids["/v1/models"][0], things.ids["/v1/keys"][0]];
    const common = { authorization: `Bearer ${things.server.token}`, "content-length": String(body.length) };
    const paths = {
      "/v1/models?name=x": 400,
      [`/v1/models/${"0".repeat(64)}/predictions`]: 404,
      [`/v1/models/${model}/predictions?key=${key}`]: 400,
      "/v1/nothing": 404,
    };
    for (const [path, status] of Object.entries(paths)) {
      const keyed = { "idempotency-key": path };
      const variants: Record<string, string>[] = [{}, keyed, { ...keyed, prefer: "respond-async" }];
      for (const more of variants) {
        const text = await exchange(things, head(`POST ${path}`, { ...common, ...more }), body);
        assert.equal(statusOf(text), status, path);
      }
    }
  }));
