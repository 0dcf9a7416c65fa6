/** Server time and answers of one tree model in mode `score`, where the server sums the leaf values itself. */
import type { Backend, ScoreDescription } from "../circuits/mod.ts";
import { NETWORK_INPUT_SCALE } from "../circuits/network/mod.ts";
import { planScore } from "../circuits/score.ts";
import { decodeScoreAnswers, encodeScoreRows, scoreAnswerLayout } from "../circuits/score_rows.ts";
import { SottoError } from "../errors.ts";
import { evaluate, finish, predict } from "../models/mod.ts";
import { CURRENT } from "../params/mod.ts";
import type { LoadedModel } from "./bench_models.ts";
import { NetworkKeys } from "./network_keys.ts";
import { type CircuitTimes, runCircuit, type Timing } from "./run_circuit.ts";

/** What one tree model comes to in mode `score`. */
export interface MeasuredScore extends CircuitTimes {
  readonly plan: ScoreDescription["plan"];
  /** Share of rows with the label of the model in clear. */
  readonly agreement: number;
}

/**
 * Plans the model, evaluates all rows encrypted and compares their labels.
 * @throws SottoError `internal` for a model that is no forest
 */
export async function measureScore(
  backend: Backend,
  { model, rows }: LoadedModel,
  timing: Timing,
): Promise<MeasuredScore> {
  if (model.kind !== "forest") throw new SottoError("internal", "mode score is measured on tree models");
  const { description, circuit } = planScore(model, await backend.networkCosts(), {
    parameterSet: backend.parameterSet,
  });
  using keys = new NetworkKeys(backend);
  const records = await backend.encrypt(keys.secret, encodeScoreRows(description, rows), {
    ciphertextCount: rows.length * description.ciphertexts_per_row,
    stride: CURRENT.ringDegree,
    scale: NETWORK_INPUT_SCALE,
    bits: description.input_bits,
  });
  const ring = await keys.ring(description.capabilities);
  const compiled = { backend, circuit, answerBits: description.answer_bits };
  const { answers, ...times } = await runCircuit(compiled, ring, { records, rowCount: rows.length }, timing);
  const shape = { ...scoreAnswerLayout(description), recordCount: rows.length, scale: 1n };
  const scores = decodeScoreAnswers(description, await backend.decrypt(keys.secret, answers, shape));
  const width = description.scales.length;
  const same = rows.filter((row, r) => {
    const { label } = finish(description.output, scores.subarray(r * width, (r + 1) * width));
    return label === predict(model, evaluate(model, row).margins).label;
  });
  return { ...times, plan: description.plan, agreement: same.length / rows.length };
}
