/** Fine-tuning on the test server: the tiny Llama of the fixtures, registered, and a client of it on the native kernels. */
import { fileURLToPath } from "node:url";
import type { FloatKernels, Floats } from "../../circuits/finetune/float_kernels.ts";
import { PlainFloat } from "../../circuits/finetune/plain_float.ts";
import { packBlock } from "../../client/finetune/block.ts";
import {
  Adapters,
  ClearProducts,
  EncryptedProducts,
  FineTuningCalls,
  type LinearProducts,
  Llama,
  loadLocalWeights,
  type NewFineTuning,
  openBaseModel,
  type RetryOptions,
  type TokenBlock,
} from "../../client/finetune/mod.ts";
import type { Call } from "../../client/request.ts";
import type { Config } from "../../config.ts";
import { SottoError } from "../../errors.ts";
import { openBackend } from "../../ffi/mod.ts";
import { openLanguageModel } from "../../models/language/mod.ts";
import { TOKENS_1024, TOKENS_2048 } from "../../params/mod.ts";
import { call, type TestServer, withServer } from "../support/server.ts";

export const MODELS = fileURLToPath(new URL("../fixtures/language", import.meta.url));
export const SETS = [TOKENS_1024, TOKENS_2048];
export const kernels: FloatKernels = new PlainFloat(32);

/** A server on the native kernels that offers the models of the fixtures. */
export function withNative(
  work: (server: TestServer) => Promise<void>,
  settings: Partial<Config> & { backend?: never } = {},
): Promise<void> {
  return withServer(work, { baseModels: MODELS, ...settings }, openBackend({ threads: 2 }));
}

/** Sends calls to the app with a token, without a network. */
export function sender(server: TestServer, token: string): (call: Call) => Promise<Response> {
  return ({ path, method, json, body, signal }) => {
    const headers: Record<string, string> = json === undefined ? {} : { "content-type": "application/json" };
    const content = json === undefined ? body as BodyInit | undefined : JSON.stringify(json);
    return call(server, path, { method, token, headers, body: content, signal });
  };
}

/** The calls of fine-tuning with a token. `send`: how a call to the server of an address is sent. */
export function callsOf(
  server: TestServer,
  token: string,
  send: (call: Call, url?: string) => Promise<Response> = sender(server, token),
): FineTuningCalls {
  return new FineTuningCalls((url) => {
    const ask = async (request: Call): Promise<Response> => {
      const response = await send(request, url);
      if (response.ok) return arrived(response);
      const { code, detail } = await response.json();
      throw new SottoError(code, detail);
    };
    return { send: ask, json: async (schema, request) => schema.parse(await (await ask(request)).json()) };
  });
}

/** The response with a body of bytes, as a network brings it. */
function arrived(response: Response): Response {
  const reader = response.body?.getReader();
  if (reader === undefined) return response;
  const body = new ReadableStream({
    type: "bytes",
    async pull(controller) {
      const { done, value } = await reader.read();
      if (!done) return controller.enqueue(value);
      controller.close();
      controller.byobRequest?.respond(0);
    },
    cancel: (reason) => reader.cancel(reason),
  });
  return new Response(body, response);
}

/** A session on a registered model, and the products of it. */
export async function openProducts(
  calls: FineTuningCalls,
  server: Pick<TestServer, "backend" | "config">,
  options: Partial<NewFineTuning> & { path?: string; retry?: RetryOptions } = {},
) {
  const { path = "tiny.gguf", retry, ...session } = options;
  const model = await calls.registerBaseModel({ name: "tiny", path });
  const base = await openBaseModel(calls, model, `${server.config.dataDir}/client`);
  const made = await calls.createSession({ baseModel: model.id, tokensMax: 64, ...session });
  const set = SETS.find(({ name }) => name === made.parameter_set)!;
  const { groups, rowScales } = base;
  const products = new EncryptedProducts({
    ...{ tokens: server.backend.tokens, calls, session: made, set, groups, rowScales, retry },
  });
  return { model, base, session: made, set, products };
}

/** The same model with weights in clear, as the server multiplies by them. */
export async function clearTiny(weights: "float" | "int8" = "int8") {
  using model = await openLanguageModel(`${MODELS}/tiny.gguf`);
  const products = await ClearProducts.load(kernels, model, weights);
  return { config: model.config, local: await loadLocalWeights(model), products };
}

/** Adapters that do something, the same every time. */
export function adaptersOf(config: Parameters<typeof Adapters.create>[1]): Adapters {
  const adapters = Adapters.create(kernels, config, { rank: 4, alpha: 8 }, 5);
  for (const { b } of adapters.modules.values()) {
    for (let i = 0; i < b.length; i++) b[i] = Math.sin(i + b.length) / 20;
  }
  return adapters;
}

export const BLOCK: TokenBlock = packBlock([
  { tokens: Array.from({ length: 20 }, (_, i) => (i * 37 + 11) % 250) },
  { tokens: Array.from({ length: 12 }, (_, i) => (i * 53 + 3) % 250) },
]);

/** Loss and gradients of a block. */
export async function gradientsOf(
  base: { config: Parameters<typeof Adapters.create>[1]; local: Awaited<ReturnType<typeof loadLocalWeights>> },
  products: LinearProducts,
) {
  const adapters = adaptersOf(base.config);
  const model = new Llama({ kernels, config: base.config, local: base.local, products, adapters });
  const { sum, count } = await model.gradients(BLOCK);
  return { loss: sum / count, gradients: adapters.parameters().map(({ gradient }) => gradient) };
}

/** Cosine of two lists of arrays, each taken as one vector. */
export function cosine(x: readonly Floats[], y: readonly Floats[]): number {
  let [xy, xx, yy] = [0, 0, 0];
  x.forEach((values, i) => {
    for (let j = 0; j < values.length; j++) {
      xy += values[j] * y[i][j];
      xx += values[j] ** 2;
      yy += y[i][j] ** 2;
    }
  });
  return xy / Math.sqrt(xx * yy);
}

/** Root mean square of the differences over that of y. */
export function relativeError(x: Floats, y: Floats): number {
  let [error, size] = [0, 0];
  for (let i = 0; i < y.length; i++) {
    error += (x[i] - y[i]) ** 2;
    size += y[i] ** 2;
  }
  return Math.sqrt(error / size);
}
