/** What integers and noise do to a network, step by step, on rows in clear. */
import { finish } from "../../models/output.ts";
import type { NetworkDescription } from "../description.ts";
import { type Circuit, type CircuitStep, HALF_RANGE } from "./circuit.ts";
import { runClear } from "./clear.ts";
import { channelCount, multiplyAdds, outputCount, type Program } from "./program.ts";
import { Simulation } from "./simulate.ts";

export type NetworkReport = NetworkDescription["report"];

/** Multiply-adds that a report may take: about ten seconds. */
const REPORT_BUDGET = 4e9;

interface Sums {
  signal: number;
  integer: number;
  simulated: number;
  outOfRange: number;
  count: number;
}

/** Runs at most `rowsMax` rows through the float network, the integer circuit and the simulation. */
export function report(
  program: Program,
  circuit: Circuit,
  rows: readonly ArrayLike<number>[],
  rowsMax: number,
): NetworkReport {
  const work = program.steps.reduce((sum, step) => sum + multiplyAdds(step.sum), 1);
  const used = rows.slice(0, Math.max(1, Math.min(rowsMax, Math.floor(REPORT_BUDGET / (3 * work)))));
  const layers = circuit.steps.map((): Sums => ({ signal: 0, integer: 0, simulated: 0, outOfRange: 0, count: 0 }));
  const scores: Sums = { signal: 0, integer: 0, simulated: 0, outOfRange: 0, count: 0 };
  const traces = new Traces(program, circuit);
  let [integerAgrees, simulatedAgrees] = [0, 0];
  for (const row of used) {
    const { float, integer, simulated } = traces.run(row);
    circuit.steps.forEach((step, i) => addStep(layers[i], step, float.sums[i], integer.sums[i], simulated.sums[i]));
    addScores(scores, float.scores, integer.scores, simulated.scores);
    const label = (values: Float64Array) => finish(program.outputs[0].output, values).label;
    integerAgrees += Number(label(integer.scores) === label(float.scores));
    simulatedAgrees += Number(label(simulated.scores) === label(float.scores));
  }
  const labelled = program.outputs[0].output.task !== "regression";
  return {
    rows: used.length,
    layers: circuit.steps.map((step, i) => layerReport(program, step, i, layers[i])),
    integer_agreement: labelled ? integerAgrees / used.length : null,
    simulated_agreement: labelled ? simulatedAgrees / used.length : null,
    integer_error: relative(scores.integer, scores.signal),
    simulated_error: relative(scores.simulated, scores.signal),
  };
}

interface Trace {
  /** Real sums of each step. */
  readonly sums: Float64Array[];
  /** Of the first output. */
  readonly scores: Float64Array;
}

class Traces {
  readonly #integer: Simulation;
  readonly #simulated: Simulation;
  #sums: Float64Array[] = [];
  constructor(readonly program: Program, readonly circuit: Circuit) {
    const onSums = (step: CircuitStep, sums: Float64Array) => {
      this.#sums.push(realSums(step, sums));
    };
    this.#integer = new Simulation(circuit, { noise: false, onSums });
    this.#simulated = new Simulation(circuit, { onSums });
  }
  run(row: ArrayLike<number>): { float: Trace; integer: Trace; simulated: Trace } {
    const [{ elements }] = this.program.outputs;
    const sums: Float64Array[] = [];
    const values = runClear(this.program, row, (_, step) => sums.push(step));
    const float = { sums, scores: Float64Array.from(elements, (element) => values[element]) };
    return { float, integer: this.#trace(this.#integer, row), simulated: this.#trace(this.#simulated, row) };
  }
  #trace(simulation: Simulation, row: ArrayLike<number>): Trace {
    this.#sums = [];
    const scores = simulation.scores(row).subarray(0, this.program.outputs[0].elements.length);
    return { sums: this.#sums, scores };
  }
}

/** Integers of a step's sums, without the table's offset, in real units. */
export function realSums(step: CircuitStep, sums: Float64Array): Float64Array {
  const channels = channelCount(step.layer);
  const shift = step.lookup === undefined ? 0 : HALF_RANGE;
  return sums.map((sum, i) => (sum - shift) / step.sumScales[i % channels]);
}

function addStep(
  to: Sums,
  step: CircuitStep,
  float: Float64Array,
  integer: Float64Array,
  simulated: Float64Array,
): void {
  const channels = channelCount(step.layer);
  float.forEach((value, i) => {
    to.signal += value * value;
    to.integer += (integer[i] - value) ** 2;
    to.simulated += (simulated[i] - value) ** 2;
    to.outOfRange += Number(Math.abs(value) >= step.ranges[i % channels]);
  });
  to.count += float.length;
}

function addScores(to: Sums, float: Float64Array, integer: Float64Array, simulated: Float64Array): void {
  float.forEach((value, i) => {
    to.signal += value * value;
    to.integer += (integer[i] - value) ** 2;
    to.simulated += (simulated[i] - value) ** 2;
  });
}

function layerReport(program: Program, step: CircuitStep, index: number, sums: Sums): NetworkReport["layers"][number] {
  return {
    name: step.name,
    activation: program.steps[index].activation?.name ?? null,
    setting: step.lookup?.setting ?? null,
    lookups: step.lookup === undefined ? 0 : outputCount(step.layer),
    range: step.ranges.reduce((a, b) => Math.max(a, b), 0),
    integer_error: relative(sums.integer, sums.signal),
    simulated_error: relative(sums.simulated, sums.signal),
    out_of_range: step.lookup === undefined ? 0 : sums.outOfRange / sums.count,
  };
}

function relative(error: number, signal: number): number {
  return signal === 0 ? 0 : Math.sqrt(error / signal);
}
