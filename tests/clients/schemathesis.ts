/**
 * Schemathesis against a live server with the plain back end: every check on every operation of its OpenAPI document.
 *
 *     deno task schemathesis [--cases 5000] [--seed 1]
 *
 * Ends with the number of cases; the exit code is 0 when every check held. Long forms repeat runs with other seeds until there are as
 * many cases as asked for.
 */
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Command } from "commander";
import { type KnownThings, withKnownThings } from "./known_things.ts";
import { pythonTools } from "./python_tools.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const config = fileURLToPath(new URL("schemathesis.toml", import.meta.url));

/** What one run or several gave. */
export interface Findings {
  readonly cases: number;
  readonly passed: boolean;
  /** What Schemathesis said, the requests that reproduce its findings included; tokens are left out. */
  readonly words: string;
}

/** Runs with one seed. `examples` are made-up cases an operation; those that the schema suggests come on top. */
export async function runSchemathesis(
  { server, files, ids }: KnownThings,
  { examples, seed }: { readonly examples: number; readonly seed: number },
): Promise<Findings> {
  const folder = join(files, "..");
  await Deno.writeTextFile(join(folder, "ids.json"), JSON.stringify(ids));
  const address = `${server.url}/openapi.json`;
  const counts = ["--max-examples", String(examples), "--seed", String(seed)];
  const command = new Deno.Command(join(await pythonTools(), "st"), {
    args: ["--config-file", config, "run", address, "--no-color", ...counts],
    cwd: folder,
    env: { SOTTO_TEST_THINGS: folder, SOTTO_TOKEN: server.token, PYTHONPATH: root },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  });
  const { success, stdout, stderr } = await command.output();
  const words = new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr);
  const cases = Number(/^ *(\d+) generated/m.exec(words)?.[1] ?? 0);
  return { cases, passed: success && cases > 0, words };
}

/** Limits that a run of thousands of refused requests would meet. */
export const ENVIRONMENT: Record<string, string> = {
  SOTTO_TRAINING_SESSIONS_PER_TENANT: "65536",
  SOTTO_FINE_TUNING_SESSIONS_PER_TENANT: "65536",
};

async function runLong(cases: number, firstSeed: number): Promise<boolean> {
  let [total, passed] = [0, true];
  for (let seed = firstSeed; passed && total < cases; seed++) {
    await withKnownThings(async (things) => {
      const found = await runSchemathesis(things, { examples: 50, seed });
      total += found.cases;
      passed = found.passed;
      console.log(passed ? `seed ${seed}: ${found.cases} cases, all checks held` : found.words);
    }, ENVIRONMENT);
  }
  console.log(`${total} cases, ${passed ? "no finding" : "findings above"}`);
  return passed;
}

if (import.meta.main) {
  const options = new Command("schemathesis").option("--cases <count>", "at least so many", Number, 5000)
    .option("--seed <number>", "of the first run", Number, 1).parse(Deno.args, { from: "user" }).opts();
  if (!await runLong(options.cases, options.seed)) Deno.exit(1);
}
