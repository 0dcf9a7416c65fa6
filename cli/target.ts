/** The model that a command works for: asked from the server, or read from a saved description. */
import { z } from "zod";
import { descriptionSchema } from "../circuits/description.ts";
import type { TargetModel } from "../client/mod.ts";
import { SottoError } from "../errors.ts";
import { readBytes } from "./files.ts";
import { connect, findModel, type ServerOptions } from "./options.ts";

const savedSchema = z.object({ id: z.string().regex(/^[0-9a-f]{64}$/), description: descriptionSchema });

/** Options that name a model. */
export interface TargetOptions extends ServerOptions {
  readonly model?: string;
  readonly description?: string;
}

/** @throws SottoError model_unknown, malformed_file, or what reaching the server throws. */
export async function findTarget(options: TargetOptions): Promise<TargetModel> {
  if (options.description !== undefined) return await readSaved(options.description);
  if (options.model !== undefined) return await findModel(connect(options), options.model);
  throw new SottoError("model_unknown", "no model is named: pass --model ID or --description FILE");
}

async function readSaved(path: string): Promise<TargetModel> {
  const text = new TextDecoder().decode(await readBytes(path));
  const parsed = savedSchema.safeParse(parseJson(text));
  if (parsed.success) return parsed.data;
  throw new SottoError(
    "malformed_file",
    `${path} is not a saved model: make one with \`sotto models show ID --out FILE\``,
  );
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
