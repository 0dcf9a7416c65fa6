/** A fine-tuning run over HTTP beside the same run on weights in clear. */
import { basename, dirname, join } from "node:path";
import type { Backend } from "../circuits/mod.ts";
import {
  ClearProducts,
  EncryptedProducts,
  gradientCosines,
  type LinearProducts,
  lossGap,
  openBaseModel,
  packBlocks,
  type ProductTotals,
  readTexts,
  type RunSetting,
  runTuning,
  type StepReport,
  type TunedRun,
} from "../client/finetune/mod.ts";
import { SottoClient } from "../client/mod.ts";
import { readConfig } from "../config.ts";
import { createToken, findOrCreateTenant } from "../db/mod.ts";
import { openFloatKernels } from "../ffi/native_float.ts";
import { startServer } from "../main.ts";
import { openLanguageModel, type WeightKind } from "../models/language/mod.ts";
import type { TokenParameterSet } from "../params/mod.ts";

export interface TuningRequest {
  /** Of the weights. */
  readonly model: string;
  /** Of the texts, JSON lines. */
  readonly texts: string;
  readonly set: TokenParameterSet;
  readonly weights: WeightKind;
  readonly steps: number;
  /** Tokens of a step at most. */
  readonly block: number;
  /** For checkpoints of the runs: a run that was interrupted goes on. Removed when all is measured. */
  readonly folder: string;
  /** Told what every step gave. */
  readonly log: (line: string) => void;
}

export interface MeasuredTuning {
  readonly lossGapMax: number;
  /** Of the first step, with the run on the file's own weights. */
  readonly gradientCosine: number;
  /** The same with the run on the integers that the server has: what encryption alone does. */
  readonly gradientCosineIntegers: number;
  /** The same of that run with the one on the file's weights: what rounding to integers alone does. */
  readonly integersGradientCosine: number;
  /** Of the steps that were measured, which are those after a checkpoint. */
  readonly secondsPerStep: number;
  /** Seconds a step: see `ProductTotals`; `model` is all else that the client does. */
  readonly split: {
    readonly server: number;
    readonly wire: number;
    readonly encryption: number;
    readonly model: number;
  };
  readonly bytesPerStep: number;
}

const QUIET = { info: () => {}, warn: () => {}, error: () => {} };
const ADAPTERS = { rank: 8, alpha: 16 };
const PEAK = 2e-4;

/** Rank 8 on all linear layers, the same seed in the three runs. The clear ones come first, so that every step can be set beside them. */
export async function measureTuning(backend: Backend, request: TuningRequest): Promise<MeasuredTuning> {
  const { steps, block, folder, log, weights } = request;
  await Deno.mkdir(folder, { recursive: true });
  const data = await Deno.makeTempDir();
  try {
    using kernels = openFloatKernels();
    using file = await openLanguageModel(request.model);
    await using remote = await openRemote(backend, request, data);
    const setting: RunSetting = {
      ...{ kernels, config: file.config, local: remote.base.local, steps, adapters: ADAPTERS },
      blocks: packBlocks(readTexts(await Deno.readTextFile(request.texts), await file.tokenizer()), block),
      train: { learningRate: { peak: PEAK, steps, warmUp: Math.min(3, steps) } },
    };
    const float = await runTuning({ ...setting, steps: 1 }, await ClearProducts.load(kernels, file, "float"));
    const clearPath = join(folder, "clear.safetensors");
    const integers = await kept(
      setting,
      await ClearProducts.load(kernels, file, weights),
      clearPath,
      ({ step, loss }) => {
        log(`${weights} in clear: step ${step + 1} of ${steps}, loss ${loss.toFixed(5)}`);
      },
    );
    const spent = new StepSpending(remote.products.totals);
    const encrypted = await kept(setting, remote.products, join(folder, "encrypted.safetensors"), ({ step, loss }) => {
      const gap = Math.abs(loss / integers.steps[step].loss - 1);
      const what = `encrypted: step ${step + 1} of ${steps}, loss ${loss.toFixed(5)}, gap ${(100 * gap).toFixed(4)} %`;
      log(`${what}, ${spent.step()}`);
    });
    const measured = { ...compared(encrypted, integers, float), ...spent.perStep() };
    await Deno.remove(folder, { recursive: true });
    return measured;
  } finally {
    await Deno.remove(data, { recursive: true });
  }
}

function compared(encrypted: TunedRun, integers: TunedRun, float: TunedRun) {
  return {
    lossGapMax: lossGap(encrypted, integers),
    gradientCosine: gradientCosines(encrypted, float).all,
    gradientCosineIntegers: gradientCosines(encrypted, integers).all,
    integersGradientCosine: gradientCosines(integers, float).all,
  };
}

/** A run with a checkpoint after every step, gone on from where that is there. */
async function kept(
  setting: RunSetting,
  products: LinearProducts,
  path: string,
  onStep: (report: StepReport) => void,
): Promise<TunedRun> {
  const isThere = await Deno.stat(path).then(() => true, () => false);
  const resume = isThere ? { resume: path } : {};
  return await runTuning(setting, products, { checkpoint: { path, every: 1 }, ...resume, onStep });
}

/** Where the seconds of steps went. */
class StepSpending {
  readonly #start = performance.now();
  #steps = 0;
  #last = this.#start;
  constructor(private readonly totals: ProductTotals) {}

  /** Counts a step; says what it took, and what went where in all of them so far. */
  step(): string {
    this.#steps++;
    const now = performance.now();
    const seconds = (now - this.#last) / 1e3;
    this.#last = now;
    const { split } = this.perStep();
    const parts = Object.entries(split).map(([name, value]) => `${name} ${value.toFixed(1)}`);
    return `${seconds.toFixed(1)} s; mean: ${parts.join(", ")}`;
  }

  perStep(): Pick<MeasuredTuning, "secondsPerStep" | "split" | "bytesPerStep"> {
    const { serverMs, wireMs, encryptMs, decryptMs, bytesUp, bytesDown } = this.totals;
    const steps = Math.max(1, this.#steps);
    const secondsPerStep = (this.#last - this.#start) / 1e3 / steps;
    const [server, wire, encryption] = [serverMs, wireMs, encryptMs + decryptMs].map((ms) => ms / 1e3 / steps);
    const split = { server, wire, encryption, model: secondsPerStep - server - wire - encryption };
    return { secondsPerStep, split, bytesPerStep: (bytesUp + bytesDown) / steps };
  }
}

/** A server of the model in this process, and products over its port. */
async function openRemote(backend: Backend, { model, set, block, weights }: TuningRequest, folder: string) {
  const environment = { SOTTO_DATA_DIR: `${folder}/data`, SOTTO_PORT: "0", SOTTO_BASE_MODELS: dirname(model) };
  const server = await startServer(readConfig(environment), backend, { log: QUIET });
  const tenant = await findOrCreateTenant(server.database, "bench");
  const { token } = await createToken(server.database, { tenant: tenant.id, scopes: ["admin"], days: 1 });
  const calls = new SottoClient(server.url, token).fineTuning;
  const registered = await calls.registerBaseModel({ name: "bench", path: basename(model), weights });
  const base = await openBaseModel(calls, registered, folder);
  const session = await calls.createSession({ baseModel: registered.id, parameterSet: set.name, tokensMax: block });
  const { groups, rowScales } = base;
  const products = new EncryptedProducts({ tokens: backend.tokens, calls, session, set, groups, rowScales });
  return { base, products, [Symbol.asyncDispose]: () => server.stop() };
}
