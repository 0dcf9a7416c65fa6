/** Importer of ONNX-ML models, as skl2onnx exports scikit-learn trees, forests, boosting, linear models and pipelines. */
import { checkModel, checkWidth } from "./check.ts";
import { readForest } from "./onnx_forest.ts";
import { type OnnxPlan, planGraph } from "./onnx_graph.ts";
import { readLinear } from "./onnx_linear.ts";
import { isNetwork, readNetwork } from "./network/import.ts";
import type { NetworkModel } from "./network/types.ts";
import { decodeOnnx, type OnnxGraph, type OnnxModel } from "./onnx_schema.ts";
import { decoding, refuseFile, refuseModel } from "./refuse.ts";
import type { Feature, Model, Source } from "./types.ts";

/**
 * Reads an ONNX model: one tree ensemble, one linear operator, or a network.
 * @throws SottoError `malformed_file`, `model_refused`
 */
export function importOnnxModel(bytes: Uint8Array): Model | NetworkModel {
  const file = decoding("an ONNX model", () => decodeOnnx(bytes));
  return isNetwork(graphOf(file)) ? readNetwork(file) : readModel(file);
}

/**
 * Reads an ONNX model with one tree ensemble or linear operator.
 * @throws SottoError `malformed_file`, `model_refused`, also for a network, which is not imported without calibration rows
 */
export function importOnnx(bytes: Uint8Array): Model {
  const file = decoding("an ONNX model", () => decodeOnnx(bytes));
  if (isNetwork(graphOf(file))) {
    refuseModel(
      "The file holds a network, and networks need calibration rows; give some of the training rows with it.",
    );
  }
  return readModel(file);
}

function graphOf(file: OnnxModel): OnnxGraph {
  return file.graph ?? refuseFile("This is not an ONNX model: it holds no graph.");
}

function readModel(file: OnnxModel): Model {
  const graph = graphOf(file);
  const plan = planGraph(graph);
  const source = sourceOf(file, plan);
  if (plan.operator === "LinearClassifier" || plan.operator === "LinearRegressor") {
    const linear = readLinear(plan);
    const features = featuresOf(linear.weights[0].length, plan.cast, "refused");
    return checkModel({ kind: "linear", source, features, ...linear });
  }
  const { trees, output, takesMissing, cast } = readForest(plan);
  const width = plan.featureCount ??
    refuseModel(
      "The graph's input does not say how many features it has; export the model with a fixed number of them.",
    );
  return checkModel({
    kind: "forest",
    source,
    features: featuresOf(width, cast, takesMissing ? "nan" : "refused"),
    trees,
    output,
  });
}

function sourceOf(file: OnnxModel, { operator }: OnnxPlan): Source {
  return { format: "onnx", version: `${file.producerName} ${file.producerVersion}`.trim(), objective: operator };
}

/** An ONNX tensor has no feature names. */
function featuresOf(count: number, cast: Feature["cast"], missing: Feature["missing"]): Feature[] {
  checkWidth("features", count);
  return Array.from({ length: count }, (_, index) => ({ name: `f${index}`, cast, missing }));
}
