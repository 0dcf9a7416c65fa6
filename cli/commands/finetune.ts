/** `sotto finetune`: private fine-tuning of a language model that lies with the server. */
import { type Command, Option } from "commander";
import { WEIGHT_KINDS, type WeightKind } from "../../models/language/mod.ts";
import type { Context } from "../context.ts";
import { addGenerate } from "../finetune_generate.ts";
import { addTune } from "../finetune_run.ts";
import { connect, examples, type ServerOptions, withServer } from "../options.ts";
import { printRecords } from "../tables.ts";

/** Adds the group to the program. */
export function addFinetune(program: Command, context: Context): void {
  const group = program.command("finetune").description(
    "fine-tune a language model of the server (LoRA): texts, adapters and gradients stay here",
  );
  addTune(group, context);
  addModels(group, context);
  addGenerate(group, context);
}

function addModels(group: Command, context: Context): void {
  withServer(group.command("register <path>"))
    .description("register a model of the server's folder of base models (scope admin)")
    .requiredOption("--name <name>", "name of the base model")
    .addOption(
      new Option("--weights <kind>", "int10: a quarter of the rounding, for tokens-2048-q32, twice the server's work")
        .choices(Object.keys(WEIGHT_KINDS)).default("int8"),
    )
    .addHelpText("after", examples("sotto finetune register SmolLM2-135M-Instruct.Q4_1.gguf --name smollm2"))
    .action(async (path: string, options: ServerOptions & { name: string; weights: WeightKind }) => {
      const { name, weights } = options;
      const model = await connect(options).fineTuning.registerBaseModel({ name, path, weights });
      context.out(options.json ? JSON.stringify(model, null, 2) + "\n" : `${model.id}\n`);
    });
  withServer(group.command("models")).description("list your base models")
    .action(async (options: ServerOptions) => {
      const models = await connect(options).fineTuning.listBaseModels();
      printRecords(
        context,
        models,
        ["id", "name", "weights", "weight_bytes", "public_bytes", "created_at"],
        options.json,
      );
    });
  withServer(group.command("forget <id>")).description("forget a base model; its files stay (scope admin)")
    .action(async (id: string, options: ServerOptions) => {
      await connect(options).fineTuning.deleteBaseModel(id);
      context.out(options.json ? JSON.stringify({ deleted: id }) + "\n" : `deleted ${id}\n`);
    });
  withServer(group.command("sessions")).description("list your fine-tuning sessions")
    .action(async (options: ServerOptions) => {
      const sessions = await connect(options).fineTuning.listSessions();
      const columns = ["id", "base_model", "parameter_set", "masks", "requests", "bytes_used", "created_at"] as const;
      printRecords(context, sessions, columns, options.json);
    });
  withServer(group.command("end <session>")).description("end a fine-tuning session")
    .action(async (id: string, options: ServerOptions) => {
      await connect(options).fineTuning.deleteSession(id);
      context.out(options.json ? JSON.stringify({ deleted: id }) + "\n" : `deleted ${id}\n`);
    });
}
