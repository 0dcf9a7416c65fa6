/** Importer of ONNX networks, as scikit-learn, PyTorch and Keras models are exported. */
import { checkWidth } from "../check.ts";
import { decodeOnnx, type OnnxGraph, type OnnxModel } from "../onnx_schema.ts";
import { decoding, refuseFile } from "../refuse.ts";
import { checkNetwork } from "./check.ts";
import { foldLayers } from "./fold.ts";
import { walkGraph } from "./graph.ts";
import { outputsOf } from "./outputs.ts";
import type { NetworkModel } from "./types.ts";

/**
 * Reads a float network. A row is the input flattened in the order that the file declares, whatever its layout; linear layers
 * are merged where that changes nothing.
 * @throws SottoError `malformed_file`, `model_refused` naming the node, its operator and what to do
 */
export function importNetwork(bytes: Uint8Array): NetworkModel {
  return readNetwork(decoding("an ONNX model", () => decodeOnnx(bytes)));
}

/** Operators that only networks have; any of them makes a graph one. */
const NETWORK_OPERATOR =
  /^(Gemm|MatMul|Conv|ConvTranspose|BatchNormalization|LSTM|GRU|RNN|QLinear.*|.*Integer|.*Attention)$/;
/** Operators of other models, which are read by their own importer. */
const OTHER_MODEL = /^(TreeEnsemble|Linear|SVM).*/;

/** True for a graph that is a network, whether it can be imported or not. */
export function isNetwork(graph: OnnxGraph): boolean {
  const operators = graph.node.map((node) => node.opType);
  return operators.some((name) => NETWORK_OPERATOR.test(name)) && !operators.some((name) => OTHER_MODEL.test(name));
}

/**
 * The same for a decoded file.
 * @param fold false keeps the layers as the file has them
 */
export function readNetwork(file: OnnxModel, fold = true): NetworkModel {
  const graph = file.graph ?? refuseFile("This is not an ONNX model: it holds no graph.");
  const walked = walkGraph(graph, opsetOf(file));
  const outputs = outputsOf(walked);
  const { layers } = walked;
  checkWidth("features", layers.inputSize);
  const model: NetworkModel = {
    kind: "network",
    source: {
      format: "onnx",
      version: `${file.producerName} ${file.producerVersion}`.trim(),
      objective: outputs.map(({ output }) => output.task).join(", "),
    },
    features: Array.from(
      { length: layers.inputSize },
      (_, i) => ({ name: `f${i}`, cast: "float32", missing: "refused" }),
    ),
    inputShape: layers.inputShape,
    layers: layers.layers,
    outputs,
  };
  checkNetwork(model);
  return fold ? checkNetwork({ ...model, ...foldLayers(model.layers, outputs) }) : model;
}

/** Version of the default operator set; without one, a recent one. */
function opsetOf({ opsetImport }: OnnxModel): number {
  const found = opsetImport.find(({ domain }) => domain === "" || domain === "ai.onnx");
  return Number(found?.version ?? 17n);
}
