/** Concrete ML on the same kinds of models, in a virtual environment of its own. */
import { fileURLToPath } from "node:url";
import { type Figures, parseFigures, runProgram } from "../programs.ts";

const SCRIPT = fileURLToPath(new URL("concrete_ml/measure.py", import.meta.url));
const TRAINING_SCRIPT = fileURLToPath(new URL("concrete_ml/train.py", import.meta.url));
const PRODUCT = fileURLToPath(new URL("concrete_ml/product.py", import.meta.url));
const REQUIREMENTS = fileURLToPath(new URL("concrete_ml/requirements.txt", import.meta.url));
const ENVIRONMENT = fileURLToPath(new URL("../../build/peers/concrete_ml/", import.meta.url));
const PYTHON = `${ENVIRONMENT}bin/python`;
const missing = "install Python 3.11, or run without --peers";

/** As it is called in results. */
export const CONCRETE_ML = "concrete-ml 1.9.0";
/** Its private product of matrices. */
export const CONCRETE_ML_EXTENSIONS = "concrete-ml-extensions";

/** Makes the virtual environment, or brings it to the pinned versions. */
export async function prepareConcreteMl(): Promise<void> {
  await runProgram("python3.11", ["-m", "venv", ENVIRONMENT], { missing });
  await runProgram(PYTHON, ["-m", "pip", "install", "--quiet", "-r", REQUIREMENTS], { missing });
}

/** One model on one thread: the figures of `measure.py`; `run_ms` is the server's time a row. */
export async function measureConcreteMl(model: string, rowCount: number, core: number): Promise<Figures> {
  const env = { RAYON_NUM_THREADS: "1", OMP_NUM_THREADS: "1" };
  return parseFigures(await runProgram(PYTHON, [SCRIPT, model, "--rows", String(rowCount)], { core, env, missing }));
}

/** One iteration of encrypted training on as many threads: the figures of `train.py`. */
export async function measureConcreteMlTraining(threads: number): Promise<Figures> {
  const env = { RAYON_NUM_THREADS: String(threads), OMP_NUM_THREADS: String(threads) };
  return parseFigures(await runProgram(PYTHON, [TRAINING_SCRIPT], { env, missing }));
}

/** One 2048 x 2048 product of one encrypted token on one thread: the figures of `product.py`. */
export async function measureExtensions(core: number): Promise<Figures> {
  const env = { RAYON_NUM_THREADS: "1", OMP_NUM_THREADS: "1" };
  return parseFigures(await runProgram(PYTHON, [PRODUCT], { core, env, missing }));
}
