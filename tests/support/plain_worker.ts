/**
 * A worker process for tests: the plain back end; with SOTTO_TEST_ROW_MS every row of a tree model takes so long, with SOTTO_TEST_STEP_MS every
 * lookup of a training step. Prints one JSON line when it works.
 */
import { plainBackend } from "../../circuits/plain.ts";
import { readConfig } from "../../config.ts";
import { startWorker } from "../../main.ts";
import { slowRows } from "./slow_rows.ts";
import { slowTraining } from "./slow_training.ts";

const backend = plainBackend();
slowRows(backend, Number(Deno.env.get("SOTTO_TEST_ROW_MS") ?? 0));
slowTraining(backend, Number(Deno.env.get("SOTTO_TEST_STEP_MS") ?? 0));
const worker = await startWorker(readConfig(), backend, { allowInsecure: true });
console.log(JSON.stringify({ pid: Deno.pid }));
await worker.finished;
