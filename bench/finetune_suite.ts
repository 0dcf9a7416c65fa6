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
const ERROR_MAX = { tokens1024: 0.02, tokens2048: 0.002 };
const COSINE_MIN = 0.98;

/** Adds `finetune.*`. */
export async function finetuneSuite(run: Run): Promise<void> {
  for (const mode of ["fresh", "cached"] as const) {
    run.add(result(`finetune.llama1b.${mode}.bytes_per_token`, llama1bBytesPerToken(mode), "bytes"));
  }
  const backend = openBackend();
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
  const [steps, block] = run.quick ? [1, 512] : [30, 1024];
  run.log(`finetune: smollm2, ${steps} steps of ${block} tokens, encrypted and in clear`);
  const measured = await measureTuning(backend, { model: MODEL, texts: TEXTS, set: TOKENS_1024, steps, block });
  const { totals } = measured;
  const add = (what: string, value: number, unit: string, peer?: Peer) =>
    run.add(result(`finetune.smollm2.${what}`, value, unit, peer));
  add("steps", steps, "count");
  add("tokens_per_step", block, "count");
  add("loss_gap_max", measured.lossGapMax, "ratio");
  add("gradient_cosine", measured.gradientCosine, "ratio");
  add("gradient_cosine_int8", measured.gradientCosineInt8, "ratio");
  add("int8_gradient_cosine", measured.int8GradientCosine, "ratio");
  add("s_per_step", measured.secondsPerStep, "s");
  add("server_s_per_step", totals.serverMs / 1e3 / steps, "s");
  add("wire_s_per_step", totals.wireMs / 1e3 / steps, "s");
  add("encryption_s_per_step", (totals.encryptMs + totals.decryptMs) / 1e3 / steps, "s");
  add("bytes_per_token", (totals.bytesUp + totals.bytesDown) / steps / block, "bytes");
  if (!(measured.gradientCosine > COSINE_MIN)) throw tooFar("finetune.smollm2", measured.gradientCosine);
}

function tooFar(what: string, value: number): SottoError {
  return new SottoError("internal", `${what}: the encrypted run is too far from the clear one: ${value}`);
}
