/**
 * `deno run -A tests/network_trace.ts MODEL.onnx CALIBRATION.csv ROWS.csv`: runs the first steps of a network encrypted and compares the
 * errors of its sums with the simulated ones, step by step. For networks that take too long to run whole.
 */
import { Command } from "commander";
import Table from "cli-table3";
import cliProgress from "cli-progress";
import { planNetwork } from "../circuits/network/mod.ts";
import { outputCount } from "../circuits/network/program.ts";
import { openBackend } from "../ffi/mod.ts";
import { readCalibration } from "../models/calibration.ts";
import { importNetwork } from "../models/network/mod.ts";
import { distance, encryptedTrace, errors, moments, simulatedTrace } from "./support/network_trace.ts";

/** Torus units to a share of a table's half range, in percent. */
const percent = (torusUnits: number) => `${(100 * torusUnits / 2 ** 30).toFixed(4)} %`;

const program = new Command("network_trace")
  .argument("<model>", "ONNX file")
  .argument("<calibration>", "CSV of typical rows")
  .argument("<rows>", "CSV of rows to run")
  .option("--steps <count>", "steps to run", "2")
  .option("--rows <count>", "rows to run", "1");

await program.action(async (model: string, calibrationFile: string, rowsFile: string) => {
  const options = program.opts<{ steps: string; rows: string }>();
  const backend = openBackend();
  const calibration = readCalibration(await Deno.readFile(calibrationFile));
  const rows = readCalibration(await Deno.readFile(rowsFile)).slice(0, Number(options.rows));
  const plan = planNetwork(importNetwork(await Deno.readFile(model)), calibration, await backend.networkCosts());
  const steps = Math.min(Number(options.steps), plan.circuit.steps.length);
  const seconds = plan.description.plan.server_ms_per_row / 1000 / backend.threads;
  console.log(
    `${plan.description.plan.lookups_per_row} lookups a row, ${
      Math.ceil(plan.description.plan.memory_bytes / 2 ** 20)
    } MiB, ` +
      `planned ${seconds.toFixed(0)} s a row on ${backend.threads} threads of ${backend.name}`,
  );
  const bar = new cliProgress.SingleBar({ format: "{bar} {percentage} % of the network, {duration_formatted}" });
  bar.start(1, 0);
  const start = performance.now();
  const encrypted = await encryptedTrace(backend, plan, rows, { steps, onProgress: (share) => bar.update(share) });
  const elapsed = (performance.now() - start) / 1000;
  bar.stop();
  const exact = simulatedTrace(plan, rows, false, steps);
  const simulated = simulatedTrace(plan, rows, true, steps);
  const table = new Table({
    head: ["step", "sums", "encrypted error", "simulated error", "distance", "equal ones: at most"],
    style: { head: [], border: [] },
  });
  for (const [index, sums] of exact) {
    const [e, s] = [errors(encrypted.get(index)!, sums), errors(simulated.get(index)!, sums)];
    const limit = Math.sqrt(-Math.log(1e-6 / 2) / e.length);
    const deviation = (list: number[]) => percent(moments(list).deviation);
    const { name } = plan.circuit.steps[index];
    table.push([name, e.length, deviation(e), deviation(s), distance(e, s).toFixed(4), limit.toFixed(4)]);
  }
  console.log(table.toString());
  const lookups = plan.circuit.steps.slice(0, steps - 1).filter(({ lookup }) => lookup)
    .reduce((sum, { layer }) => sum + outputCount(layer), 0) * rows.length;
  const whole = elapsed * plan.description.plan.lookups_per_row / Math.max(1, lookups);
  console.log(`${elapsed.toFixed(1)} s for ${lookups} lookups; the whole network: about ${whole.toFixed(0)} s a row`);
  backend.close();
}).parseAsync(Deno.args, { from: "user" });
