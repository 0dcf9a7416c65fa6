/** Concrete ML on the same kinds of models, in a virtual environment of its own. */
import { fileURLToPath } from "node:url";
import { type Figures, parseFigures, runProgram } from "../programs.ts";

const SCRIPT = fileURLToPath(new URL("concrete_ml/measure.py", import.meta.url));
const REQUIREMENTS = fileURLToPath(new URL("concrete_ml/requirements.txt", import.meta.url));
const ENVIRONMENT = fileURLToPath(new URL("../../build/peers/concrete_ml/", import.meta.url));
const PYTHON = `${ENVIRONMENT}bin/python`;
const missing = "install Python 3.11, or run without --peers";

/** As it is called in results. */
export const CONCRETE_ML = "concrete-ml 1.9.0";

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
