/** `deno task faults`: every fault many times, and a table of what was acknowledged and what was lost. Ends with 1 when anything was. */
import { Command, InvalidArgumentError, Option } from "commander";
import { faultsOf } from "./judge.ts";
import { type Outcome, runScenario } from "./scenario.ts";
import { SCENARIOS } from "./scenarios.ts";
import { outcomeNotes, outcomeTable } from "./table.ts";

function count(words: string): number {
  if (/^[1-9]\d{0,3}$/.test(words)) return Number(words);
  throw new InvalidArgumentError("give a whole number above 0.");
}

if (import.meta.main) {
  const names = SCENARIOS.map(({ name }) => name);
  const { runs, only } = new Command("faults")
    .option("--runs <count>", "how often each fault is brought", count, 20)
    .addOption(new Option("--only <name>", "one fault alone").choices(names))
    .parse(Deno.args, { from: "user" }).opts<{ runs: number; only?: string }>();
  const outcomes: Outcome[] = [];
  for (const scenario of SCENARIOS.filter(({ name }) => only === undefined || name === only)) {
    outcomes.push(await runScenario(scenario, runs, (line) => console.error(line)));
    for (const line of outcomeNotes(outcomes.at(-1)!)) console.log(line);
  }
  console.log(outcomeTable(outcomes));
  Deno.exit(outcomes.flatMap(faultsOf).length > 0 ? 1 : 0);
}
