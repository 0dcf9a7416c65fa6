/**
 * The way of a prediction through a client that openapi-typescript made: it lies beside `schema.ts` when it is checked and run.
 * SOTTO_URL, SOTTO_TOKEN, and SOTTO_FILES (a folder) say where.
 */
import assert from "node:assert/strict";
import createClient from "openapi-fetch";
import type { components, paths } from "./schema.ts";

const { SOTTO_URL, SOTTO_TOKEN, SOTTO_FILES } = Deno.env.toObject();
const file = (name: string) => new Blob([Deno.readFileSync(`${SOTTO_FILES}/${name}`)]);
const sotto = createClient<paths>({ baseUrl: SOTTO_URL, headers: { authorization: `Bearer ${SOTTO_TOKEN}` } });
const binary = { headers: { "content-type": "application/octet-stream" }, bodySerializer: (body: unknown) => body };

/** What a call gave; throws when it gave a problem. */
function given<T>({ data, error }: { data?: T; error?: unknown }): T {
  assert.equal(error, undefined, JSON.stringify(error));
  return data as T;
}

const keys = given(await sotto.POST("/v1/keys", { ...binary, body: file("evaluation.key") }));
assert.equal(keys.capability, "pack");
const query = { name: "tumours", format: "xgboost" as const };
const model = given(await sotto.POST("/v1/models", { ...binary, params: { query }, body: file("model.json") }));
assert.ok("description" in model);
assert.equal(model.description.mode, "leaves");

const predict = (prefer?: string) =>
  sotto.POST("/v1/models/{id}/predictions", {
    ...binary,
    params: { path: { id: model.id }, query: { key: keys.id }, header: { prefer } },
    body: file("rows.sotto"),
    parseAs: prefer === undefined ? "blob" : "json",
  });
const answers = given(await predict());
assert.ok(answers instanceof Blob);

let job = given(await predict("respond-async")) as components["schemas"]["Job"];
const params = { path: { id: job.id } };
const events = given(await sotto.GET("/v1/jobs/{id}/events", { params, parseAs: "text" }));
assert.match(events as string, /^event: job$/m);
job = given(await sotto.GET("/v1/jobs/{id}", { params }));
assert.equal(job.state, "succeeded", job.error?.detail);
const late = given(await sotto.GET("/v1/jobs/{id}/answers", { params, parseAs: "blob" }));
assert.equal(late.size, answers.size);

given(await sotto.DELETE("/v1/jobs/{id}", { params }));
const { error, response } = await sotto.GET("/v1/jobs/{id}", { params });
assert.equal(response.status, 404);
assert.equal(error?.code, "job_unknown");
given(await sotto.DELETE("/v1/models/{id}", { params: { path: { id: model.id } } }));
given(await sotto.DELETE("/v1/keys/{id}", { params: { path: { id: keys.id } } }));
console.log(`answers: ${answers.size} bytes`);
