/**
 * A server process for tests: the plain back end, or with SOTTO_TEST_ANSWER_BYTES the blank one; with SOTTO_TEST_STEP_MS every lookup of
 * a training step takes so long, with SOTTO_TEST_ROW_MS every row of a tree model. Prints one JSON line with its address and an admin token.
 */
import { plainBackend } from "../../circuits/plain.ts";
import { readConfig } from "../../config.ts";
import { createToken, findOrCreateTenant } from "../../db/mod.ts";
import { startServer } from "../../main.ts";
import { blankBackend } from "./blank_backend.ts";
import { slowRows } from "./slow_rows.ts";
import { slowTraining } from "./slow_training.ts";

const answerBytes = Deno.env.get("SOTTO_TEST_ANSWER_BYTES");
const backend = answerBytes === undefined ? plainBackend() : blankBackend(Number(answerBytes));
slowRows(backend, Number(Deno.env.get("SOTTO_TEST_ROW_MS") ?? 0));
slowTraining(backend, Number(Deno.env.get("SOTTO_TEST_STEP_MS") ?? 0));
const server = await startServer(readConfig(), backend, { allowInsecure: true });
const tenant = await findOrCreateTenant(server.database, "crash");
const { token } = await createToken(server.database, { tenant: tenant.id, scopes: ["admin"], days: 1 });
console.log(JSON.stringify({ url: server.url, token, tenant: tenant.id }));
await server.finished;
