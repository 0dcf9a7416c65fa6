/** A trained model as a plain ONNX file: what the importers of `models/` and every ONNX runtime read. */
import { create, toBinary } from "@bufbuild/protobuf";
import { onnxDescriptor, TENSOR_FLOAT } from "../../models/onnx_schema.ts";
import type { Weights } from "./first_weights.ts";
import { affineOf, type LinearSpec, type MlpSpec, type TrainingSpec } from "./spec.ts";

/** AttributeProto.AttributeType of onnx.proto. */
const TYPES = { f: 1, i: 2, s: 3, floats: 6, ints: 7, strings: 8 } as const;
const INT64 = 7;
const STRING = 8;
const IR_VERSION = 10n;
const OPSETS = [{ domain: "ai.onnx.ml", version: 1n }, { domain: "", version: 21n }];
const ML = "ai.onnx.ml";

type Values = { [K in keyof typeof TYPES]?: unknown };

/**
 * Regressions: Scaler, then LinearClassifier or LinearRegressor. Networks: Gemm, Sigmoid or Relu, Gemm, Sigmoid, the scaling folded in.
 * Training clips features to [-1, 1]; the file does not. Classes of networks are 0, 1, ... in the specification's order.
 */
export function trainedOnnx(spec: TrainingSpec, weights: Weights): Uint8Array {
  const graph = spec.kind === "mlp" ? networkGraph(spec, weights) : linearGraph(spec, weights);
  const input = value("rows", TENSOR_FLOAT, [0, spec.features.length]);
  const model = {
    irVersion: IR_VERSION,
    producerName: "sotto",
    opsetImport: OPSETS,
    graph: { name: "trained", input: [input], ...graph },
  };
  const descriptor = onnxDescriptor();
  return toBinary(descriptor, create(descriptor, model as never));
}

function linearGraph(spec: LinearSpec, weights: Weights) {
  const affine = spec.features.map((feature) => affineOf(feature, spec.clip));
  const scaler = node("Scaler", ["rows"], ["units"], ML, {
    offset: { floats: affine.map(({ gain, shift }) => -shift / gain) },
    scale: { floats: affine.map(({ gain }) => gain) },
  });
  const rows = weights.first.map((row) => [...row]);
  if (spec.kind === "linear") {
    const { gain, shift } = affineOf(spec.target, spec.clip);
    const [row] = rows;
    const regressor = node("LinearRegressor", ["units"], ["value"], ML, {
      coefficients: { floats: row.slice(0, -1).map((w) => w / gain) },
      intercepts: { floats: [(row[row.length - 1] - shift) / gain] },
    });
    return { node: [scaler, regressor], output: [value("value", TENSOR_FLOAT, [0, 1])] };
  }
  const scores = rows.length === 1 ? [rows[0].map((w) => -w), rows[0]] : rows;
  const words = spec.classes.some((name) => typeof name === "string");
  const labels: Record<string, Values> = words
    ? { classlabels_strings: { strings: spec.classes.map((name) => new TextEncoder().encode(String(name))) } }
    : { classlabels_ints: { ints: spec.classes.map((name) => BigInt(name)) } };
  const classifier = node("LinearClassifier", ["units"], ["label", "scores"], ML, {
    ...labels,
    coefficients: { floats: scores.flatMap((row) => row.slice(0, -1)) },
    intercepts: { floats: scores.map((row) => row[row.length - 1]) },
    multi_class: { i: BigInt(rows.length > 1) },
    post_transform: { s: new TextEncoder().encode("LOGISTIC") },
  });
  const shares = rows.length > 1
    ? node("Normalizer", ["scores"], ["probabilities"], ML, { norm: { s: new TextEncoder().encode("L1") } })
    : node("Identity", ["scores"], ["probabilities"], "", {});
  const output = [
    value("label", words ? STRING : INT64, [0]),
    value("probabilities", TENSOR_FLOAT, [0, spec.classes.length]),
  ];
  return { node: [scaler, classifier, shares], output };
}

function networkGraph(spec: MlpSpec, weights: Weights) {
  const affine = spec.features.map((feature) => affineOf(feature, spec.clip));
  const first = weights.first.map((row) => {
    const gains = affine.map(({ gain }, f) => row[f] * gain);
    return [...gains, affine.reduce((sum, { shift }, f) => sum + row[f] * shift, row[row.length - 1])];
  });
  const second = weights.second.map((row) => [...row]);
  const hidden = spec.hidden.activation === "relu" ? "Relu" : "Sigmoid";
  const transposed = { transB: { i: 1n } };
  return {
    node: [
      node("Gemm", ["rows", "first_weights", "first_bias"], ["sums"], "", transposed),
      node(hidden, ["sums"], ["hidden"], "", {}),
      node("Gemm", ["hidden", "second_weights", "second_bias"], ["scores"], "", transposed),
      node("Sigmoid", ["scores"], ["probabilities"], "", {}),
    ],
    initializer: [...layer("first", first), ...layer("second", second)],
    output: [value("probabilities", TENSOR_FLOAT, [0, second.length])],
  };
}

/** Weights and bias of a dense layer; the bias is each row's last number. */
function layer(name: string, rows: readonly (readonly number[])[]) {
  const tensor = (part: string, dims: number[], floatData: number[]) => ({
    name: `${name}_${part}`,
    dims: dims.map(BigInt),
    dataType: TENSOR_FLOAT,
    floatData,
  });
  const columns = rows[0].length - 1;
  return [
    tensor("weights", [rows.length, columns], rows.flatMap((row) => row.slice(0, -1))),
    tensor("bias", [rows.length], rows.map((row) => row[columns])),
  ];
}

function node(opType: string, input: string[], output: string[], domain: string, attributes: Record<string, Values>) {
  const attribute = Object.entries(attributes).map(([name, values]) => ({
    name,
    type: TYPES[Object.keys(values)[0] as keyof typeof TYPES],
    ...values,
  }));
  return { opType, input, output, domain, name: `${opType}_${output[0]}`, attribute };
}

/** A tensor of the graph; a size of 0 is open. */
function value(name: string, elemType: number, dims: readonly number[]) {
  return { name, type: { tensorType: { elemType, shape: { dim: dims.map((size) => ({ dimValue: BigInt(size) })) } } } };
}
