/** What the commands of fine-tuning share: the base model, a session on it, and the products of both. */
import { type Command, Option } from "commander";
import { join } from "node:path";
import type { Backend } from "../circuits/backend.ts";
import {
  type BaseModel,
  EncryptedProducts,
  type FineTuningCalls,
  type FineTuningSession,
  FolderMasks,
  type OpenBaseModel,
  openBaseModel,
} from "../client/finetune/mod.ts";
import { SottoError } from "../errors.ts";
import { TOKENS_1024, TOKENS_2048 } from "../params/mod.ts";
import type { Context } from "./context.ts";
import { connect, type ServerOptions, withServer } from "./options.ts";

const SETS = [TOKENS_1024, TOKENS_2048];

export interface BaseOptions extends ServerOptions {
  readonly base: string;
  readonly set?: string;
  readonly masks: "fresh" | "cached";
  readonly cache?: string;
}

/** Adds the options that name a base model and how its products are made. */
export function withBase(command: Command): Command {
  return withServer(command)
    .requiredOption("--base <model>", "id or name of a base model on the server")
    .addOption(
      new Option(
        "--set <set>",
        "parameter set; the second is a fifteenth as noisy, its masks are twice as long (default: as the weights need)",
      )
        .choices(SETS.map(({ name }) => name)),
    )
    .addOption(
      new Option("--masks <mode>", "cached: masks are fetched once, answers are less than half as long")
        .choices(["fresh", "cached"]).default("fresh"),
    )
    .option("--cache <folder>", "where parts of base models and cached masks are kept (default: ~/.cache/sotto)");
}

/** A base model by its id, or by its name when one has it. Throws `model_unknown` or `conflict`. */
export async function findBase(calls: FineTuningCalls, idOrName: string): Promise<BaseModel> {
  if (/^[0-9a-f]{64}$/.test(idOrName)) return await calls.getBaseModel(idOrName);
  const named = (await calls.listBaseModels()).filter(({ name }) => name === idOrName);
  if (named.length === 0) throw new SottoError("model_unknown", `there is no base model named "${idOrName}"`);
  if (named.length > 1) {
    throw new SottoError("conflict", `${named.length} base models are named "${idOrName}": pass the id of one of them`);
  }
  return await calls.getBaseModel(named[0].id);
}

/** A session while a command runs. */
export interface OpenTuning extends AsyncDisposable {
  readonly base: OpenBaseModel;
  readonly session: FineTuningSession;
  readonly products: EncryptedProducts;
}

/** Opens the base model and makes a session of at most `tokensMax` tokens a request; disposing of it ends the session. */
export async function openTuning(
  context: Context,
  backend: Backend,
  options: BaseOptions,
  tokensMax?: number,
  signal?: AbortSignal,
): Promise<OpenTuning> {
  const calls = connect(options).fineTuning;
  const model = await findBase(calls, options.base);
  const folder = options.cache ?? join(context.environment("HOME") ?? ".", ".cache", "sotto");
  const base = await openBaseModel(calls, model, folder);
  const { set: parameterSet, masks } = options;
  const session = await calls.createSession({ baseModel: model.id, parameterSet, masks, tokensMax });
  const maskFolder = join(folder, `masks-${session.id}`);
  const products = new EncryptedProducts({
    ...{ tokens: backend.tokens, calls, session, signal, groups: base.groups, rowScales: base.rowScales },
    set: SETS.find(({ name }) => name === session.parameter_set)!,
    masks: new FolderMasks(maskFolder),
    retry: { onRetry: (error) => context.err(`trying again: ${error.message} (${error.code})\n`) },
  });
  const end = async () => {
    await Deno.remove(maskFolder, { recursive: true }).catch(() => undefined);
    await calls.deleteSession(session.id);
  };
  return { base, session, products, [Symbol.asyncDispose]: end };
}
