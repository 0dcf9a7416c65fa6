/** Fine-tuning: one product, bytes by plan, and steps of a real model over HTTP. */
import { fileURLToPath } from "node:url";
import type { Backend } from "../circuits/mod.ts";
import { SottoError } from "../errors.ts";
import { openBackend } from "../ffi/mod.ts";
import { TOKENS_1024, TOKENS_2048 } from "../params/mod.ts";
import { llama1bBytesPerToken } from "./finetune_plan.ts";
import { measureTuning } from "./measure_finetune.ts";
import { measureProduct } from "./measure_finetune_product.ts";
import { CONCRETE_ML, CONCRETE_ML_EXTENSIONS, measureExtensions, prepareConcreteMl } from "./peers/concrete_ml.ts";
import { figure } from "./programs.ts";
import { type Peer, result } from "./results.ts";
import { MEASURING_CORE, type Run } from "./suite.ts";

const MODEL = fileURLToPath(
  new URL("../build/fixtures/language/SmolLM2-135M-Instruct.Q4_1.gguf", import.meta.url),
);
const TEXTS = fileURLToPath(new URL("../tests/fixtures/language/opticks.jsonl", import.meta.url));
const MAKE_MODEL = ".venv/bin/python tools/fixtures/language_smollm2.py";

const SETS = { tokens1024: TOKENS_1024, tokens2048: TOKENS_2048 };
/** Tokens of short requests. */
const SHORT = [1, 16, 64];
/** A fast wrong answer is worth nothing. */
const ERROR_MAX = { tokens1024: 0.01, tokens2048: 0.001 };

/** What a set is good for: with int10 the gradients are as good as `tokens-2048-q32` lets them be. */
const TUNINGS = [
  { name: "finetune.smollm2", set: TOKENS_1024, weights: "int8", cosineMin: 0.98, onlyFirstStep: false },
  { name: "finetune.smollm2.tokens2048", set: TOKENS_2048, weights: "int10", cosineMin: 0.998, onlyFirstStep: true },
] as const;
const CHECKPOINTS = fileURLToPath(new URL("../build/bench", import.meta.url));

/** Adds `finetune.*`. */
export async function finetuneSuite(run: Run): Promise<void> {
  for (const mode of ["fresh", "cached"] as const) {
    run.add(result(`finetune.llama1b.${mode}.bytes_per_token`, llama1bBytesPerToken(mode), "bytes"));
  }
  const backend = openBackend({ backend: run.backend });
  try {
    await addProducts(run, backend);
    await addTuning(run, backend);
  } finally {
    backend.close();
  }
}

async function addProducts(run: Run, backend: Backend): Promise<void> {
  const runs = run.quick ? 2 : 5;
  const peer = await measurePeer(run);
  for (const [name, set] of Object.entries(SETS) as [keyof typeof SETS, typeof TOKENS_1024][]) {
    run.log(`finetune: a product of 2048 x 2048 with 1,024 tokens, ${set.name}`);
    const product = `finetune.product2048.${name}`;
    const measured = await measureProduct(backend, set, { tokens: 1024, runs });
    run.add(result(`${product}.server_ms_per_token`, measured.serverMsPerToken, "ms", peer("server_ms_per_token")));
    run.add(result(`${product}.client_ms_per_token`, measured.clientMsPerToken, "ms", peer("client_ms_per_token")));
    run.add(result(`${product}.relative_error`, measured.relativeError, "ratio"));
    if (measured.relativeError > ERROR_MAX[name]) throw tooFar(product, measured.relativeError);
    const cached = await measureProduct(backend, set, { tokens: 1024, runs, mode: "cached" });
    run.add(result(`${product}.cached.server_ms_per_token`, cached.serverMsPerToken, "ms"));
    run.add(result(`${product}.cached.client_ms_per_token`, cached.clientMsPerToken, "ms"));
    for (const tokens of SHORT) {
      const short = await measureProduct(backend, set, { tokens, runs });
      run.add(result(`${product}.of${tokens}.server_ms_per_token`, short.serverMsPerToken, "ms"));
      run.add(result(`${product}.of${tokens}.client_ms_per_token`, short.clientMsPerToken, "ms"));
    }
  }
  const { serverMsPerToken, relativeError } = await measureProduct(backend, TOKENS_2048, {
    ...{ tokens: 1024, runs, kind: "int10" },
  });
  run.add(result("finetune.product2048.tokens2048.int10.server_ms_per_token", serverMsPerToken, "ms"));
  run.add(result("finetune.product2048.tokens2048.int10.relative_error", relativeError, "ratio"));
}

/** The peer's product of one token on one core: it has no blocks of tokens. */
async function measurePeer(run: Run): Promise<(name: string) => Peer | undefined> {
  if (!run.peers) return () => undefined;
  run.log(`installing ${CONCRETE_ML}, of which ${CONCRETE_ML_EXTENSIONS} is a part`);
  await prepareConcreteMl();
  const figures = await measureExtensions(MEASURING_CORE);
  return (name) => ({ name: CONCRETE_ML_EXTENSIONS, value: figure(figures, name) });
}

async function addTuning(run: Run, backend: Backend): Promise<void> {
  if (!await Deno.stat(MODEL).then(() => true, () => false)) {
    return run.log(`finetune: smollm2 is left out, its weights are not there: fetch them with ${MAKE_MODEL}`);
  }
  for (const tuning of TUNINGS) await addRun(run, backend, tuning);
}

async function addRun(run: Run, backend: Backend, tuning: (typeof TUNINGS)[number]): Promise<void> {
  const { name, set, weights, cosineMin, onlyFirstStep } = tuning;
  const block = run.quick ? 512 : 1024;
  const steps = run.quick || onlyFirstStep ? 1 : 30;
  run.log(`finetune: smollm2, ${steps} steps of ${block} tokens, ${set.name} with ${weights}, encrypted and in clear`);
  const measured = await measureTuning(backend, {
    ...{ model: MODEL, texts: TEXTS, set, weights, steps, block, log: run.log },
    folder: `${CHECKPOINTS}/${set.name}-${weights}-${steps}x${block}`,
  });
  const { split } = measured;
  const add = (what: string, value: number, unit: string) => run.add(result(`${name}.${what}`, value, unit));
  add("steps", steps, "count");
  add("tokens_per_step", block, "count");
  add("loss_gap_max", measured.lossGapMax, "ratio");
  add("gradient_cosine", measured.gradientCosine, "ratio");
  add("gradient_cosine_integers", measured.gradientCosineIntegers, "ratio");
  add("integers_gradient_cosine", measured.integersGradientCosine, "ratio");
  add("s_per_step", measured.secondsPerStep, "s");
  add("server_s_per_step", split.server, "s");
  add("wire_s_per_step", split.wire, "s");
  add("client_s_per_step", split.encryption + split.model, "s");
  add("encryption_s_per_step", split.encryption, "s");
  add("bytes_per_token", measured.bytesPerStep / block, "bytes");
  if (!(measured.gradientCosine > cosineMin)) throw tooFar(name, measured.gradientCosine);
}

function tooFar(what: string, value: number): SottoError {
  return new SottoError("internal", `${what}: the encrypted run is too far from the clear one: ${value}`);
}
