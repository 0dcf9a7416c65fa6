/** Every exported network: imported, planned, and simulated with the noise of encryption on its held-out rows. */
import assert from "node:assert/strict";
import { Simulation } from "../circuits/network/mod.ts";
import { planNetwork, selfCheckNetwork } from "../circuits/network/mod.ts";
import { plainBackend } from "../circuits/plain.ts";
import { readCalibration } from "../models/calibration.ts";
import { importNetwork } from "../models/network/mod.ts";
import { finish } from "../models/output.ts";

interface NetworkCase {
  readonly name: string;
  readonly task: "binary" | "multiclass" | "regression";
  readonly float_accuracy: number | null;
}

const FOLDER = new URL("fixtures/networks/", import.meta.url);
const cases: NetworkCase[] = JSON.parse(await Deno.readTextFile(new URL("cases.json", FOLDER)));
const costs = await plainBackend().networkCosts();

const rowsOf = async (file: string) => readCalibration(await Deno.readFile(new URL(file, FOLDER)));

/** Scores after the final transform, as onnxruntime gives them. */
async function expectedScores(name: string): Promise<number[][]> {
  const [, ...lines] = (await Deno.readTextFile(new URL(`${name}_expected.csv`, FOLDER))).trim().split("\n");
  return lines.map((line) => line.split(",").slice(1).map(Number));
}

/** Share of trained networks' labels that noise may turn, and error of scores of random ones, relative to their size. */
const LABELS_TURNED = 0.03;
const SCORE_ERROR = 0.1;

for (const { name, task, float_accuracy } of cases) {
  Deno.test(`${name} imports, plans and keeps its predictions under the noise of encryption`, async () => {
    const model = importNetwork(await Deno.readFile(new URL(`${name}.onnx`, FOLDER)));
    const calibration = await rowsOf(`${name}_calibration.csv`);
    selfCheckNetwork(model, calibration);
    const { circuit, description } = planNetwork(model, calibration, costs);
    assert.ok(description.report.simulated_error < SCORE_ERROR, `error ${description.report.simulated_error}`);
    if (float_accuracy === null || task === "regression") return;
    const [rows, expected] = [await rowsOf(`${name}_rows.csv`), await expectedScores(name)];
    const simulation = new Simulation(circuit);
    const { output } = model.outputs[0];
    const turned = rows.filter((row, r) => {
      const scores = simulation.scores(row).subarray(0, output.base.length);
      const label = (values: ArrayLike<number>) =>
        task === "binary"
          ? Number(values[values.length - 1] > 0.5)
          : Array.from(values).indexOf(Math.max(...Array.from(values)));
      return label(finish(output, scores).scores) !== label(expected[r]);
    });
    assert.ok(turned.length <= LABELS_TURNED * rows.length, `${turned.length} of ${rows.length} labels turned`);
  });
}
