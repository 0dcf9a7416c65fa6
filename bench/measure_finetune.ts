/** A fine-tuning run over HTTP beside the same run on weights in clear. */
import { basename, dirname } from "node:path";
import type { Backend } from "../circuits/mod.ts";
import {
  ClearProducts,
  EncryptedProducts,
  gradientCosines,
  lossGap,
  openBaseModel,
  packBlocks,
  type ProductTotals,
  readTexts,
  type RunSetting,
  runTuning,
} from "../client/finetune/mod.ts";
import { SottoClient } from "../client/mod.ts";
import { readConfig } from "../config.ts";
import { createToken, findOrCreateTenant } from "../db/mod.ts";
import { openFloatKernels } from "../ffi/native_float.ts";
import { startServer } from "../main.ts";
import { openLanguageModel } from "../models/language/mod.ts";
import type { TokenParameterSet } from "../params/mod.ts";

export interface TuningRequest {
  /** Of the weights. */
  readonly model: string;
  /** Of the texts, JSON lines. */
  readonly texts: string;
  readonly set: TokenParameterSet;
  readonly steps: number;
  /** Tokens of a step at most. */
  readonly block: number;
}

export interface MeasuredTuning {
  readonly lossGapMax: number;
  /** Of the first step, with the run on the file's own weights. */
  readonly gradientCosine: number;
  /** The same with the run on weights in bytes, as the server has them: what encryption alone does. */
  readonly gradientCosineInt8: number;
  /** The same of that run with the one on the file's weights: what bytes alone do. */
  readonly int8GradientCosine: number;
  readonly secondsPerStep: number;
  readonly totals: ProductTotals;
}

const QUIET = { info: () => {}, warn: () => {}, error: () => {} };
const ADAPTERS = { rank: 8, alpha: 16 };
const PEAK = 2e-4;

/** Rank 8 on all linear layers, the same seed in the three runs. */
export async function measureTuning(backend: Backend, request: TuningRequest): Promise<MeasuredTuning> {
  const folder = await Deno.makeTempDir();
  try {
    using kernels = openFloatKernels();
    using file = await openLanguageModel(request.model);
    await using remote = await openRemote(backend, request, folder);
    const { steps, block } = request;
    const setting: RunSetting = {
      ...{ kernels, config: file.config, local: remote.base.local, steps, adapters: ADAPTERS },
      blocks: packBlocks(readTexts(await Deno.readTextFile(request.texts), await file.tokenizer()), block),
      train: { learningRate: { peak: PEAK, steps, warmUp: Math.min(3, steps) } },
    };
    const start = performance.now();
    const encrypted = await runTuning(setting, remote.products);
    const secondsPerStep = (performance.now() - start) / 1e3 / steps;
    const int8 = await runTuning(setting, await ClearProducts.load(kernels, file, "int8"));
    const float = await runTuning({ ...setting, steps: 1 }, await ClearProducts.load(kernels, file, "float"));
    return {
      lossGapMax: lossGap(encrypted, int8),
      gradientCosine: gradientCosines(encrypted, float).all,
      gradientCosineInt8: gradientCosines(encrypted, int8).all,
      int8GradientCosine: gradientCosines(int8, float).all,
      secondsPerStep,
      totals: remote.products.totals,
    };
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** A server of the model in this process, and products over its port. */
async function openRemote(backend: Backend, { model, set, block }: TuningRequest, folder: string) {
  const environment = { SOTTO_DATA_DIR: `${folder}/data`, SOTTO_PORT: "0", SOTTO_BASE_MODELS: dirname(model) };
  const server = await startServer(readConfig(environment), backend, { log: QUIET });
  const tenant = await findOrCreateTenant(server.database, "bench");
  const { token } = await createToken(server.database, { tenant: tenant.id, scopes: ["admin"], days: 1 });
  const calls = new SottoClient(server.url, token).fineTuning;
  const registered = await calls.registerBaseModel({ name: "bench", path: basename(model) });
  const base = await openBaseModel(calls, registered, folder);
  const session = await calls.createSession({ baseModel: registered.id, parameterSet: set.name, tokensMax: block });
  const { groups, rowScales } = base;
  const products = new EncryptedProducts({ tokens: backend.tokens, calls, session, set, groups, rowScales });
  return { base, products, [Symbol.asyncDispose]: () => server.stop() };
}
