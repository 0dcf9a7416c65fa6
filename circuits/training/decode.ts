/** What the owner of the secret key does: reads the weights of a state, and makes a state of weights. */
import { CURRENT } from "../../params/mod.ts";
import type { ClientBackend, SecretKey } from "../backend.ts";
import type { Weights } from "./first_weights.ts";
import { geometryOf, weightPosition } from "./geometry.ts";
import { mlpScales, OPERAND_UNIT } from "./mlp_scales.ts";
import { weightScales } from "./scales.ts";
import { columnCount, scoreCount, type TrainingSpec } from "./spec.ts";
import { stateShape, type TrainingState } from "./state.ts";

const N = CURRENT.ringDegree;
const Q = CURRENT.modulus;
const TORUS = 2 ** 32;

/** Centred integers of the first layer, one row a unit, and of the second layer, one row a score. */
export async function decryptIntegers(
  backend: ClientBackend,
  key: SecretKey,
  spec: TrainingSpec,
  state: TrainingState,
): Promise<{ first: Float64Array[]; second: Float64Array[] }> {
  const geometry = geometryOf(spec);
  const { units } = stateShape(spec);
  const phases = state.weights.map((chunk) => backend.training.phases(key, chunk));
  const first = Array.from(
    { length: units },
    (_, unit) =>
      Float64Array.from({ length: columnCount(spec) }, (_, column) => {
        const { chunk, coefficient } = weightPosition(geometry, column);
        const phase = phases[chunk][unit * N + coefficient];
        return Number(phase > Q / 2n ? phase - Q : phase);
      }),
  );
  if (spec.kind !== "mlp") return { first, second: [] };
  const outputs = await backend.lwePhases(key, state.outputs);
  const [width, scores] = [spec.hidden.width, scoreCount(spec)];
  const second = Array.from({ length: scores }, (_, c) =>
    Float64Array.from(
      { length: width + 1 },
      (_, h) => outputs[h === width ? scores * width + c : c * width + h] | 0,
    ));
  return { first, second };
}

/** The real weights of a state. */
export async function decryptWeights(
  backend: ClientBackend,
  key: SecretKey,
  spec: TrainingSpec,
  state: TrainingState,
): Promise<Weights> {
  return realWeights(spec, await decryptIntegers(backend, key, spec, state), state.step);
}

/** Integers of ciphertexts after `step` steps as real numbers. */
export function realWeights(
  spec: TrainingSpec,
  integers: { readonly first: readonly Float64Array[]; readonly second: readonly Float64Array[] },
  step: number,
): Weights {
  const { weightUnit, decays } = weightScales(spec);
  const decay = decays[step];
  const first = integers.first.map((row) => row.map((integer) => integer / weightUnit * decay));
  if (spec.kind !== "mlp") return { first, second: [] };
  const { outputUnit } = mlpScales(spec);
  const second = integers.second.map((row) =>
    row.map((integer, h) => integer / TORUS / (h === spec.hidden.width ? outputUnit : OPERAND_UNIT) * decay)
  );
  return { first, second };
}
