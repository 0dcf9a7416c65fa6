/** The `sotto` command. */
import { Command, CommanderError } from "commander";
import { addBackup, addRestore } from "./commands/backup.ts";
import { addConfig } from "./commands/config.ts";
import { addAudit } from "./commands/audit.ts";
import { addDecrypt } from "./commands/decrypt.ts";
import { addEncrypt } from "./commands/encrypt.ts";
import { addFinetune } from "./commands/finetune.ts";
import { addHealth } from "./commands/health.ts";
import { addJobs } from "./commands/jobs.ts";
import { addKeys } from "./commands/keys.ts";
import { addMigrate } from "./commands/migrate.ts";
import { addModels } from "./commands/models.ts";
import { addPredict } from "./commands/predict.ts";
import { addServe } from "./commands/serve.ts";
import { addStore } from "./commands/store.ts";
import { addTenants } from "./commands/tenants.ts";
import { addTokens } from "./commands/tokens.ts";
import { addTrain } from "./commands/train.ts";
import { addWorker } from "./commands/worker.ts";
import { type Context, processContext } from "./context.ts";
import { EXIT_USAGE, reportFailure } from "./failure.ts";
import { examples } from "./options.ts";

const VERSION = "0.1.0";

/**
 * Runs one command in this process.
 * @param args what follows `sotto` on the command line
 * @param replaced parts of the context that tests replace
 * @returns the exit code: 0, 1 when the command failed, 2 when it was called wrongly
 */
export async function run(args: readonly string[], replaced: Partial<Context> = {}): Promise<number> {
  const context = { ...processContext(), ...replaced };
  try {
    await createProgram(context).parseAsync(args, { from: "user" });
    return 0;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : EXIT_USAGE;
    return reportFailure(context, error);
  }
}

function createProgram(context: Context): Command {
  const program = new Command("sotto")
    .description("Encrypted machine learning: the server computes on ciphertexts, keys and data stay here.")
    .version(VERSION)
    .exitOverride()
    .showHelpAfterError("(run it with --help to see its options)")
    .configureOutput({ writeOut: context.out, writeErr: context.err })
    .addHelpText(
      "after",
      examples(
        "sotto serve",
        "export SOTTO_TOKEN=$(sotto tokens create)",
        "sotto keys new && sotto keys register sotto-evaluation.key",
        "sotto models import credit.json --name credit",
        "sotto predict rows.csv --model credit --key sotto-secret.key",
      ),
    );
  for (
    const add of [
      addServe,
      addWorker,
      addHealth,
      addTenants,
      addTokens,
      addAudit,
      addKeys,
      addModels,
      addEncrypt,
      addDecrypt,
      addPredict,
      addJobs,
      addTrain,
      addFinetune,
      addConfig,
      addMigrate,
      addBackup,
      addRestore,
      addStore,
    ]
  ) {
    add(program, context);
  }
  return program;
}

if (import.meta.main) Deno.exit(await run(Deno.args));
