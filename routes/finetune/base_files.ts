/** Files of base models: only those below the folder that the operator names. */
import { join, relative } from "node:path";
import type { Config } from "../../config.ts";
import type { StoredFile } from "../../db/mod.ts";
import { isSottoError, SottoError } from "../../errors.ts";
import { type LanguageModel, openLanguageModel } from "../../models/language/mod.ts";

/**
 * The real path of a model below the folder of base models, links followed.
 * Throws `model_refused` when the server has no such folder or the path leaves it, `file_unreadable` when nothing is there.
 */
export async function baseModelPath({ baseModels }: Pick<Config, "baseModels">, path: string): Promise<string> {
  if (baseModels === undefined) {
    throw new SottoError("model_refused", "this server offers no base models: its operator sets SOTTO_BASE_MODELS");
  }
  const absent = () => new SottoError("file_unreadable", `there is no "${path}" in the server's folder of base models`);
  const folder = await Deno.realPath(baseModels).catch(() => {
    throw new SottoError("model_refused", "the server's folder of base models is missing: tell its operator");
  });
  const real = await Deno.realPath(join(folder, path)).catch(() => {
    throw absent();
  });
  const inside = relative(folder, real);
  if (inside === "" || inside.startsWith("..") || inside.startsWith("/")) throw absent();
  return real;
}

/** Opens a model; errors name it by its path below the folder. Throws what `openLanguageModel` throws. */
export async function withBaseModel<T>(
  config: Pick<Config, "baseModels">,
  path: string,
  work: (model: LanguageModel, file: string) => Promise<T>,
): Promise<T> {
  const file = await baseModelPath(config, path);
  try {
    using model = await openLanguageModel(file);
    return await work(model, file);
  } catch (error) {
    if (!isSottoError(error)) throw error;
    throw new SottoError(error.code, error.message.replaceAll(file, path), { cause: error });
  }
}

/** The files of a model as they are: of a folder those that a model is read from, by name. */
export async function modelFiles(path: string): Promise<StoredFile[]> {
  const info = await Deno.stat(path);
  if (!info.isDirectory) return [described(path.replace(/^.*\//, ""), info)];
  const files: StoredFile[] = [];
  for await (const { name, isDirectory } of Deno.readDir(path)) {
    if (!isDirectory && /\.(json|safetensors)$/.test(name)) {
      files.push(described(name, await Deno.stat(join(path, name))));
    }
  }
  return files.sort((x, y) => x.name < y.name ? -1 : 1);
}

/** Throws `conflict` when the files are not those that were registered. */
export async function requireUnchanged(path: string, files: readonly StoredFile[]): Promise<void> {
  const now = JSON.stringify(await modelFiles(path).catch(() => []));
  if (now === JSON.stringify(files.map(({ name, bytes, changed }) => ({ name, bytes, changed })))) return;
  throw new SottoError(
    "conflict",
    "the files of the base model were changed since it was registered: register it again",
  );
}

function described(name: string, { size, mtime }: Deno.FileInfo): StoredFile {
  return { name, bytes: size, changed: mtime?.toISOString() ?? "" };
}
