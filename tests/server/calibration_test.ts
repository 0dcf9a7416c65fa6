import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { findModel } from "../../db/mod.ts";
import { calibrationOf } from "../../jobs/mod.ts";
import { fixture } from "../support/fixtures.ts";
import { assertProblem } from "../support/problem.ts";
import { call, type TestServer, withServer } from "../support/server.ts";

const ONNX = "networks/mlp_iris_tanh.onnx";
const CSV = "f0,f1,f2,f3\n5.1,3.5,1.4,0.2\n6.2,2.9,4.3,1.3\n7.3,2.9,6.3,1.8\n";

function post(server: TestServer, parts: Record<string, BlobPart>, query = "name=net&format=onnx"): Promise<Response> {
  const body = new FormData();
  for (const [name, part] of Object.entries(parts)) body.set(name, new Blob([part]), name);
  return call(server, `/v1/models?${query}`, { method: "POST", token: server.ours.admin, body });
}

Deno.test("calibration rows are kept beside the model, name it too, and go with it", () =>
  withServer(async (server) => {
    const model = await fixture(ONNX);
    const created = await post(server, { model, calibration: CSV });
    assert.equal(created.status, 201, await created.clone().text());
    const { id } = await created.json();
    const row = await findModel(server.database, server.ours.id, id);
    assert.equal(row!.options.calibration, createHash("sha256").update(CSV).digest("hex"));
    const rows = CSV.trim().split("\n").slice(1).map((line) => line.split(",").map(Number));
    assert.deepEqual(await calibrationOf(server, row!), rows);
    assert.equal((await post(server, { model, calibration: CSV })).status, 200);
    const other = await (await post(server, { model, calibration: CSV + "5,3,2,1\n" })).json();
    assert.notEqual(other.id, id);
    const trees = await (await post(server, { model: await fixture("wdbc_xgb50x3.json") }, "name=t&format=xgboost"))
      .json();
    const plain = await findModel(server.database, server.ours.id, trees.id);
    assert.equal(await calibrationOf(server, plain!), undefined);
    const removed = await call(server, `/v1/models/${id}`, { method: "DELETE", token: server.ours.admin });
    assert.equal(removed.status, 204);
    assert.equal(await server.store.has(row!.options.calibration!), false);
    assert.equal(await server.store.has(row!.objectDigest), true);
  }));

Deno.test("calibration rows that cannot be used are refused by what is wrong", (t) =>
  withServer(async (server) => {
    const model = await fixture(ONNX);
    const refused = (
      sentence: string,
      answer: () => Promise<Response>,
      ...problem: [Parameters<typeof assertProblem>[1], RegExp?]
    ) => t.step(sentence, async () => assertProblem(await answer(), ...problem));
    await refused("no model", () => post(server, { calibration: CSV }), "malformed_request", /model: /);
    await refused("text in a cell", () => post(server, { model, calibration: "a\nx\n" }), "rows_refused", /line 2/);
    await refused("no rows at all", () => post(server, { model }), "model_refused", /networks need calibration rows/);
    await refused(
      "rows of another width",
      () => post(server, { model, calibration: "a,b\n1,2\n" }),
      "model_refused",
      /calibration row 1 has 2 values, the network takes 4/,
    );
    const trees = await fixture("iris_rf.onnx");
    await refused(
      "rows for a model that is no network",
      () => post(server, { model: trees, calibration: CSV }),
      "model_refused",
      /calibration rows are for networks, this file holds a forest/,
    );
    await refused("no rows", () => post(server, { model, calibration: "a\n" }), "rows_refused", /no calibration rows/);
    await refused(
      "the model file again",
      () => post(server, { model, calibration: model }),
      "malformed_request",
      /calibration: /,
    );
    await refused(
      "another format",
      () => post(server, { model, calibration: CSV }, "name=x&format=xgboost"),
      "malformed_request",
      /only networks/,
    );
    await refused(
      "quantile bins",
      () => post(server, { model, calibration: CSV, edges: "[[1]]" }, "name=x&format=onnx&bins=quantile"),
      "malformed_request",
      /calibration: .*no bins/,
    );
    const listed = await (await call(server, "/v1/models", { token: server.ours.admin })).json();
    assert.deepEqual(listed.models, []);
  }));

Deno.test("the limit of model files holds inside a form, too", () =>
  withServer(async (server) => {
    await assertProblem(await post(server, { model: new Uint8Array(1001), calibration: CSV }), "body_too_large");
  }, { maxModelBytes: 1000 }));
