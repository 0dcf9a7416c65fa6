/** Opening a language model by its path. */
import { SottoError } from "../../errors.ts";
import { readText } from "./file_bytes.ts";
import { openGguf } from "./gguf.ts";
import { asTransformers } from "./gguf_names.ts";
import { LanguageModel } from "./language_model.ts";
import { HEADER_BYTES_MAX, TOKENIZER_BYTES_MAX } from "./limits.ts";
import { readConfigGguf } from "./llama_config_gguf.ts";
import { readConfigJson } from "./llama_config_json.ts";
import { openSafetensors, openSafetensorsIndex } from "./safetensors.ts";
import type { TensorSource } from "./tensor_source.ts";
import { readTokenizerGguf } from "./tokenizer_gguf.ts";
import { readTokenizerJson } from "./tokenizer_json.ts";

/** Runs `make`, and closes `source` when it throws. */
async function closing<T>(source: Disposable, make: () => T | Promise<T>): Promise<T> {
  try {
    return await make();
  } catch (error) {
    source[Symbol.dispose]();
    throw error;
  }
}

async function openGgufModel(path: string): Promise<LanguageModel> {
  const gguf = await openGguf(path);
  return await closing(gguf.tensors, async () => {
    const config = await readConfigGguf(gguf);
    const tokenizer = () => Promise.resolve().then(() => readTokenizerGguf(gguf.metadata));
    return new LanguageModel(config, asTransformers(gguf.tensors, config), tokenizer);
  });
}

async function isFile(path: string): Promise<boolean> {
  return await Deno.stat(path).then((info) => info.isFile, () => false);
}

async function openTensors(folder: string): Promise<TensorSource> {
  const index = `${folder}/model.safetensors.index.json`;
  if (await isFile(index)) return await openSafetensorsIndex(index);
  return await openSafetensors(`${folder}/model.safetensors`);
}

async function openFolder(folder: string): Promise<LanguageModel> {
  const text = await readText(`${folder}/config.json`, HEADER_BYTES_MAX);
  const config = readConfigJson(text);
  const tensors = await openTensors(folder);
  const tokenizer = async () =>
    readTokenizerJson(await readText(`${folder}/tokenizer.json`, TOKENIZER_BYTES_MAX), text);
  return await closing(tensors, () => new LanguageModel(config, tensors, tokenizer));
}

/**
 * Opens a Llama model: a GGUF file, or a folder with `config.json`, `tokenizer.json` and safetensors files as transformers
 * saves them. Nothing but headers is read.
 * @throws SottoError `file_unreadable`, `malformed_file`, or `model_refused` for what is not a Llama model
 */
export async function openLanguageModel(path: string): Promise<LanguageModel> {
  const info = await Deno.stat(path).catch((cause) => {
    throw new SottoError("file_unreadable", `${path} cannot be read; name a GGUF file or a model's folder.`, { cause });
  });
  return info.isDirectory ? await openFolder(path) : await openGgufModel(path);
}
