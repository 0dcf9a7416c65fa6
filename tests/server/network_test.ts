import assert from "node:assert/strict";
import { decryptAnswers } from "../../client/decrypt.ts";
import { encryptRows } from "../../client/encrypt.ts";
import { newKeys, openSecretKey } from "../../client/keys.ts";
import { networkDescriptionSchema } from "../../circuits/description.ts";
import { readCalibration } from "../../models/calibration.ts";
import { evaluateNetwork, importNetwork } from "../../models/network/mod.ts";
import { finish } from "../../models/output.ts";
import { fixture } from "../support/fixtures.ts";
import { assertProblem } from "../support/problem.ts";
import { call, type TestServer, withServer } from "../support/server.ts";
import { until } from "../support/until.ts";

const NAME = "networks/mlp_digits";

async function importDigits(server: TestServer) {
  const form = new FormData();
  form.set("model", new Blob([new Uint8Array(await fixture(`${NAME}.onnx`))]), "model.onnx");
  form.set("calibration", new Blob([new Uint8Array(await fixture(`${NAME}_calibration.csv`))]), "rows.csv");
  const path = "/v1/models?name=digits&format=onnx";
  const answer = await call(server, path, { method: "POST", token: server.ours.admin, body: form });
  assert.equal(answer.status, 201, await answer.clone().text());
  const model = await answer.json();
  return { id: model.id as string, description: networkDescriptionSchema.parse(model.description) };
}

async function registerKeys(server: TestServer, files: Iterable<Uint8Array>): Promise<string[]> {
  const ids: string[] = [];
  for (const file of files) {
    const body = new Uint8Array(file);
    const answer = await call(server, "/v1/keys", { method: "POST", token: server.ours.predict, body });
    assert.equal(answer.status, 201, await answer.clone().text());
    ids.push((await answer.json()).id);
  }
  return ids;
}

Deno.test("a network is imported with calibration rows, described with its losses, and predicts", () =>
  withServer(async (server) => {
    const model = await importDigits(server);
    const { description } = model;
    assert.deepEqual(description.capabilities, ["pack", "lookup2"]);
    assert.equal(description.plan.lookups_per_row, 32);
    assert.equal(description.report.rows, 500);
    assert.deepEqual(description.report.layers.map(({ activation }) => activation), ["relu", null]);
    const made = await newKeys(server.backend, { capabilities: description.capabilities });
    const [key] = await registerKeys(server, made.files.values());
    using secret = await openSecretKey(server.backend, made.secretFile);
    const rows = readCalibration(await fixture(`${NAME}_rows.csv`)).slice(0, 12);
    const { file } = await encryptRows(server.backend, secret, model, rows);
    const answer = await call(server, `/v1/models/${model.id}/predictions?key=${key}`, {
      method: "POST",
      token: server.ours.predict,
      body: new Uint8Array(file),
    });
    assert.equal(answer.status, 200, await answer.clone().text());
    const predictions = await decryptAnswers(server.backend, secret, model, await answer.bytes());
    const clear = importNetwork(await fixture(`${NAME}.onnx`));
    const expected = rows.map((row) => finish(clear.outputs[0].output, evaluateNetwork(clear, row)[0]).label);
    assert.deepEqual(predictions.map(({ label }) => label), expected);
  }));

Deno.test("a network without the lookup keys of its setting is refused before the rows are read", () =>
  withServer(async (server) => {
    const model = await importDigits(server);
    const made = await newKeys(server.backend, { capabilities: ["pack"] });
    const [key] = await registerKeys(server, made.files.values());
    const answer = await call(server, `/v1/models/${model.id}/predictions?key=${key}`, {
      method: "POST",
      token: server.ours.predict,
      body: new Uint8Array(10),
    });
    await assertProblem(answer, "key_missing", /lookup2/);
  }));

Deno.test("a network that needs more memory than a run may take is refused at its import", () =>
  withServer(async (server) => {
    const form = new FormData();
    form.set("model", new Blob([new Uint8Array(await fixture(`${NAME}.onnx`))]), "model.onnx");
    form.set("calibration", new Blob([new Uint8Array(await fixture(`${NAME}_calibration.csv`))]), "rows.csv");
    const path = "/v1/models?name=digits&format=onnx";
    const answer = await call(server, path, { method: "POST", token: server.ours.admin, body: form });
    await assertProblem(answer, "model_refused", /needs \d+ MiB a run and may take 1 MiB; its widest layer is/);
  }, { runMemoryBytes: 2 ** 20 }));

Deno.test("a network's prediction runs as a job, with progress, and can be cancelled", () =>
  withServer(async (server) => {
    const model = await importDigits(server);
    const made = await newKeys(server.backend, { capabilities: model.description.capabilities });
    const [key] = await registerKeys(server, made.files.values());
    using secret = await openSecretKey(server.backend, made.secretFile);
    const rows = readCalibration(await fixture(`${NAME}_rows.csv`));
    const { file } = await encryptRows(server.backend, secret, model, rows);
    const path = `/v1/models/${model.id}/predictions?key=${key}`;
    const headers = { prefer: "respond-async" };
    const start = async () => {
      const body = new Uint8Array(file);
      const answer = await call(server, path, { method: "POST", token: server.ours.predict, body, headers });
      assert.equal(answer.status, 202);
      return (await answer.json()).id as string;
    };
    const show = async (id: string) =>
      await (await call(server, `/v1/jobs/${id}`, { token: server.ours.predict })).json();
    const [first, second] = [await start(), await start()];
    await until(async () => (await show(first)).progress > 0);
    const stopped = await call(server, `/v1/jobs/${first}`, { method: "DELETE", token: server.ours.predict });
    assert.equal(stopped.status, 204);
    await until(async () => (await show(second)).state === "succeeded");
    const answers = await call(server, `/v1/jobs/${second}/answers`, { token: server.ours.predict });
    const predictions = await decryptAnswers(server.backend, secret, model, await answers.bytes());
    assert.equal(predictions.length, rows.length);
  }));
