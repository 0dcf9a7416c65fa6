/**
 * `deno task load`: many clients of two tenants against one server with PostgreSQL and the native kernels, on this machine alone.
 * Ends with 1 when something is not as it must be.
 */
import { Command, InvalidArgumentError } from "commander";
import { faultsOf, loadTable } from "./judge.ts";
import { runLoad } from "./load_run.ts";

function count(words: string): number {
  if (/^[1-9]\d{0,5}$/.test(words)) return Number(words);
  throw new InvalidArgumentError("give a whole number above 0.");
}

if (import.meta.main) {
  const program = new Command("load")
    .option("--clients <count>", "clients at the same time, a tenth as many of one tenant as of the other", count, 1000)
    .option("--seconds <count>", "how long they send", count, 600)
    .option("--json <file>", "write the figures as JSON");
  const { clients, seconds, json } = program.parse(Deno.args, { from: "user" })
    .opts<{ clients: number; seconds: number; json?: string }>();
  const figures = await runLoad({ clients, seconds, onStart: () => console.error(`${clients} clients begin`) });
  console.log(loadTable(figures));
  if (json !== undefined) await Deno.writeTextFile(json, JSON.stringify(figures, null, 2) + "\n");
  const faults = faultsOf(figures);
  for (const fault of faults) console.error(fault);
  Deno.exit(faults.length > 0 ? 1 : 0);
}
