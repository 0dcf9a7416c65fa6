import assert from "node:assert/strict";
import { loadKeys } from "../jobs/mod.ts";
import { createHash } from "node:crypto";
import { planTrees } from "../circuits/mod.ts";
import { capabilityOf, decodeFile, HEADER_BYTES } from "../circuits/wire.ts";
import { decryptAnswers, encryptRows, newKeys, openSecretKey } from "../client/mod.ts";
import { isSottoError } from "../errors.ts";
import { openBackend } from "../ffi/mod.ts";
import { importModel } from "../models/mod.ts";
import { type Case, COMMITTED, readCase, readModelBytes, readRows } from "./fixtures/cases.ts";
import { fixture, fixtureRows, importFixture, registerPair, rowsFile } from "./support/fixtures.ts";
import { call, withServer } from "./support/server.ts";

/**
 * Mutated files in all: 60,000 ciphertexts and keys decoded, 4,000 sent to a server, 40,000 models imported; of lookup keys, which are
 * large, 300 decoded and 60 sent.
 */
const [DECODED, SENT, IMPORTED] = [60_000, 4_000, 40_000];
const [LOOKUP_DECODED, LOOKUP_SENT] = [300, 60];

/** Deterministic numbers (mulberry32). */
function numbers(seed: number): (below: number) => number {
  return (below) => {
    seed = (seed + 0x6d2b79f5) | 0;
    let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) % below;
  };
}

/** A copy with a few bytes changed, cut, or repeated; headers are hit more often than their share. */
function mutate(file: Uint8Array, next: (below: number) => number): Uint8Array<ArrayBuffer> {
  let copy = new Uint8Array(file);
  for (let changes = 1 + next(4); changes > 0; changes--) {
    const at = next(next(2) ? Math.min(160, copy.length) : copy.length);
    const kind = next(8);
    if (kind === 0) copy = copy.slice(0, at);
    else if (kind === 1) {
      copy = new Uint8Array([...copy.subarray(0, at), ...copy.subarray(at >> 1, (at >> 1) + 64), ...copy.subarray(at)]);
    } else if (kind === 2) copy.fill(next(256), at, at + next(16));
    else copy[at] = next(3) ? next(256) : [0, 1, 127, 128, 254, 255][next(6)];
    if (copy.length === 0) break;
  }
  return copy;
}

/** The right digest at the end, so that what is behind it is reached too. */
function signed(file: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  if (file.length < 32) return file;
  file.set(createHash("sha256").update(file.subarray(0, -32)).digest(), file.length - 32);
  return file;
}

async function outcome(work: () => unknown): Promise<"accepted" | "refused"> {
  try {
    await work();
    return "accepted";
  } catch (error) {
    if (isSottoError(error) && error.code !== "internal" && error.code !== "backend_failed") return "refused";
    throw error;
  }
}

Deno.test(`${DECODED} mutated key, row and answer files are accepted or refused with a typed error`, async () => {
  const next = numbers(1);
  const backend = openBackend({ threads: 2 });
  const { secretFile, evaluationFile } = await newKeys(backend);
  const secret = await openSecretKey(backend, secretFile);
  const entry = readCase(COMMITTED, "wdbc_dt");
  const model = importModel(entry.format, readModelBytes(COMMITTED, entry), { bins: { kind: "model" } });
  const { description, spec } = planTrees(
    model as Extract<typeof model, { kind: "forest" }>,
    await backend.unitCosts(),
  );
  const target = { id: "11".repeat(32), description };
  const { file } = await encryptRows(backend, secret, target, readRows(COMMITTED, entry).slice(0, 1));
  using matrix = backend.createLeafMatrix(spec);
  using keys = await backend.loadEvaluationKeys(decodeFile(evaluationFile).payload);
  const evaluate = (payload: Uint8Array) =>
    backend.evaluateLeaves(matrix, keys, payload, {
      rowCount: 1,
      inputBits: description.input_bits,
      answerBits: description.answer_bits,
    });
  const answers = signed(answersOf(file, await evaluate(decodeFile(file).payload), description.answer_bits));
  assert.equal((await decryptAnswers(backend, secret, target, answers)).length, 1);
  const counts = { accepted: 0, refused: 0 };
  for (let i = 0; i < DECODED; i++) {
    const sealDigest = next(2) === 0;
    const changed = (bytes: Uint8Array) => sealDigest ? signed(mutate(bytes, next)) : mutate(bytes, next);
    counts[
      await outcome(async () => {
        if (i % 8 < 4) return await openSecretKey(backend, changed(secretFile)).then(({ key }) => key.close());
        if (i % 8 < 7) return await decryptAnswers(backend, secret, target, changed(answers));
        const { payload } = decodeFile(changed(i % 512 < 256 ? file : evaluationFile), {
          parameterSet: backend.parameterSet,
        });
        if (payload.length === file.length - HEADER_BYTES - 32) await evaluate(payload);
        else (await backend.loadEvaluationKeys(payload)).close();
      })
    ]++;
  }
  assert.ok(counts.accepted > 100 && counts.refused > DECODED / 2, JSON.stringify(counts));
  secret.key.close();
  backend.close();
});

function answersOf(rows: Uint8Array, answers: Uint8Array, bits: number): Uint8Array<ArrayBuffer> {
  const file = new Uint8Array(HEADER_BYTES + answers.length + 32);
  file.set(rows.subarray(0, HEADER_BYTES));
  const view = new DataView(file.buffer);
  view.setUint16(10, 5, true);
  view.setUint32(16, answers.length, true);
  view.setUint16(24, bits, true);
  file.set(answers, HEADER_BYTES);
  return file;
}

Deno.test(`${SENT} mutated files sent to a server get a typed answer and change nothing`, () =>
  withServer(async (server) => {
    const next = numbers(2);
    const model = await importFixture(server, "wdbc_xgb50x3.json", "xgboost");
    const pair = await registerPair(server);
    const rows = await rowsFile(server, pair, model, await fixtureRows("wdbc_rows.csv", 1));
    const modelFile = await fixture("iris_xgb.json");
    const statuses = new Map<number, number>();
    for (let i = 0; i < SENT; i++) {
      const [path, file] = [
        [`/v1/models/${model.id}/predictions?key=${pair.id}`, rows],
        ["/v1/keys", pair.file],
        [`/v1/models?name=m${i}&format=xgboost`, modelFile],
      ][i % 16 ? 0 : 1 + (i >> 4) % 2] as [string, Uint8Array];
      const body = next(2) ? signed(mutate(file, next)) : mutate(file, next);
      const token = i % 5 ? server.ours.admin : server.theirs.admin;
      const answer = await call(server, path, { method: "POST", token, body });
      const bytes = await answer.bytes();
      statuses.set(answer.status, (statuses.get(answer.status) ?? 0) + 1);
      assert.ok(answer.status < 500, new TextDecoder().decode(bytes));
      if (token === server.theirs.admin && i % 16) assert.equal(answer.status, 404);
      if (answer.status >= 400) assert.match(answer.headers.get("content-type") ?? "", /problem\+json/);
    }
    assert.ok((statuses.get(400) ?? 0) > SENT / 8, JSON.stringify([...statuses]));
    const answer = await call(server, `/v1/models/${model.id}/predictions?key=${pair.id}`, {
      method: "POST",
      token: server.ours.predict,
      body: rows,
    });
    assert.equal(answer.status, 200);
    await answer.body?.cancel();
  }));

Deno.test(`${IMPORTED} mutated model files are imported or refused with a typed error`, async () => {
  const next = numbers(3);
  const cases = ["iris_xgb", "iris_lgbm", "iris_rf", "iris_logistic", "made_missing", "diabetes_linear"].map((name) =>
    readCase(COMMITTED, name)
  );
  const files = cases.map((entry: Case) => readModelBytes(COMMITTED, entry));
  let refused = 0;
  for (let i = 0; i < IMPORTED; i++) {
    const at = i % cases.length;
    const result = await outcome(() =>
      importModel(cases[at].format, mutate(files[at], next), { bins: { kind: "model" } })
    );
    if (result === "refused") refused++;
  }
  assert.ok(refused > IMPORTED / 10 && refused < IMPORTED, String(refused));
});

/** A copy of a long file with a wrong header, length, or one byte of its payload. */
function mutateLong(file: Uint8Array, next: (below: number) => number): Uint8Array<ArrayBuffer> {
  const kind = next(8);
  const length = kind === 0 ? next(file.length) : kind === 1 ? file.length + 1 + next(200) : file.length;
  const copy = new Uint8Array(length);
  copy.set(file.subarray(0, length));
  if (kind === 2) copy[next(length)] ^= 1 << next(8);
  for (let changes = kind < 3 ? 0 : 1 + next(3); changes > 0; changes--) {
    copy[next(HEADER_BYTES)] = next(2) ? next(256) : [0, 1, 2, 3, 6, 255][next(6)];
  }
  return copy;
}

Deno.test(`${LOOKUP_DECODED} mutated lookup key files are accepted or refused with a typed error`, async () => {
  const next = numbers(4);
  const backend = openBackend({ threads: 2 });
  const { files } = await newKeys(backend, { capabilities: ["lookup1"] });
  const file = files.get("lookup1")!;
  const counts = { accepted: 0, refused: 0 };
  for (let i = 0; i < LOOKUP_DECODED; i++) {
    const mutated = mutateLong(file, next);
    const changed = i % 4 === 0 ? signed(mutated) : mutated;
    counts[
      await outcome(async () => {
        const { header, payload } = decodeFile(changed, { parameterSet: backend.parameterSet, maxBytes: 1 << 27 });
        (await loadKeys(backend, capabilityOf(header), payload)).close();
      })
    ]++;
  }
  assert.ok(counts.accepted > 0 && counts.refused > LOOKUP_DECODED / 2, JSON.stringify(counts));
  backend.close();
});

Deno.test(`${LOOKUP_SENT} mutated lookup key files sent to a server get a typed answer and leave nothing behind`, () =>
  withServer(async (server) => {
    const next = numbers(5);
    const { files } = await newKeys(server.backend, { capabilities: ["lookup1"] });
    const token = server.ours.predict;
    const send = (body: Uint8Array<ArrayBuffer>) => call(server, "/v1/keys", { method: "POST", token, body });
    let accepted = 0;
    for (let i = 0; i < LOOKUP_SENT; i++) {
      const mutated = mutateLong(files.get("lookup1")!, next);
      const answer = await send(i % 3 === 0 ? signed(mutated) : mutated);
      const text = await answer.text();
      assert.ok(answer.status < 500, text);
      if (answer.status === 201) accepted++;
    }
    const listed = await (await call(server, "/v1/keys", { token })).json();
    assert.equal(listed.keys.length, accepted);
    assert.ok(accepted < LOOKUP_SENT / 2);
  }));
