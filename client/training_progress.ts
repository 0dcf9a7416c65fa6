/** How well weights do, on data of the owner: computed here, the server sees no loss. */
import { labelsOf, unitRow } from "../circuits/training/data.ts";
import { qualityOf, scoresOf, type TrainingData, type TrainingSpec, type Weights } from "../circuits/training/mod.ts";

/** One point of a training's course. */
export interface TrainingPoint {
  readonly step: number;
  /** Mean cross-entropy, of one class against the rest where there are several; regressions: half the mean squared error, scaled. */
  readonly loss: number;
  /** Share of right classes; regressions: the coefficient of determination. */
  readonly quality: number;
}

/** What weights after a step do on rows with known targets. */
export function measureWeights(spec: TrainingSpec, weights: Weights, step: number, data: TrainingData): TrainingPoint {
  const losses = data.rows.map((row, i) => {
    const scores = scoresOf(spec, weights, unitRow(spec, row));
    const labels = labelsOf(spec, data.targets[i]);
    return scores.reduce((sum, score, c) => sum + lossOf(spec, score, labels[c]), 0);
  });
  const loss = losses.reduce((sum, value) => sum + value, 0) / losses.length;
  return { step, loss, quality: qualityOf(spec, weights, data) };
}

/** True when none of the last `patience` losses is below the best before them. */
export function hasStalled(losses: readonly number[], patience: number): boolean {
  if (losses.length <= patience) return false;
  return Math.min(...losses.slice(-patience)) >= Math.min(...losses.slice(0, -patience));
}

/** log(1 + e^z) - y z without overflow, or (z - y)^2 / 2. */
function lossOf(spec: TrainingSpec, score: number, label: number): number {
  if (spec.kind === "linear") return (score - label) ** 2 / 2;
  return Math.max(score, 0) + Math.log1p(Math.exp(-Math.abs(score))) - label * score;
}
