/** Finds the one tree or linear model of an ONNX graph, what lies before it and what lies after it. */
import { Attributes, nodeLabel, tensorValues } from "./onnx_attributes.ts";
import { type OnnxGraph, type OnnxNode, type OnnxValue, TENSOR_DOUBLE, TENSOR_FLOAT } from "./onnx_schema.ts";
import type { Cast } from "./float.ts";
import { refuseModel } from "./refuse.ts";

const CORES = ["TreeEnsembleClassifier", "TreeEnsembleRegressor", "LinearClassifier", "LinearRegressor"] as const;
/** Operators between the input and the core. */
const BEFORE = ["Identity", "Cast", "Scaler", "Add", "Sub", "Mul"];
/** Those of them that scale: alone, or by a constant of the graph (how skl2onnx writes a MinMaxScaler). */
const SCALING = ["Scaler", "Add", "Sub", "Mul"];
/** Operators after the core that leave labels and scores as they are. */
const AFTER = ["Identity", "Cast", "ZipMap", "Reshape", "Normalizer"];

/** A Scaler: (x - offset) * scale, one number a feature or one for all. */
export interface Scaler {
  readonly offset: readonly number[];
  readonly scale: readonly number[];
}

export interface OnnxPlan {
  readonly core: Attributes;
  readonly operator: typeof CORES[number];
  /** In the order in which they apply. */
  readonly scalers: readonly Scaler[];
  /** Scores are divided by the sum of their absolute values. */
  readonly normalised: boolean;
  /** Precision of the tensor that the core reads. */
  readonly cast: Cast;
  /** Features of the input, where its shape says so. */
  readonly featureCount: number | undefined;
}

/** @throws SottoError `model_refused` naming the operator that is not supported */
export function planGraph(graph: OnnxGraph): OnnxPlan {
  const core = coreOf(graph);
  const { input, before } = walkBack(graph, core);
  const known = new Set([core, ...before]);
  const after = graph.node.filter((node) => !known.has(node));
  const stranger = after.find((node) => !AFTER.includes(node.opType));
  if (stranger) refuseModel(`The operator ${nodeLabel(stranger)} beside ${core.opType} is not supported.`);
  return {
    core: new Attributes(core),
    operator: core.opType as OnnxPlan["operator"],
    scalers: before.filter((node) => SCALING.includes(node.opType)).map((node) => scalerOf(graph, node)),
    normalised: after.some((node) => isNormalizer(node)),
    cast: castOf(input, before),
    featureCount: widthOf(input),
  };
}

function coreOf(graph: OnnxGraph): OnnxNode {
  const cores = graph.node.filter((node) => (CORES as readonly string[]).includes(node.opType));
  if (cores.length === 1) return cores[0];
  if (cores.length > 1) {
    refuseModel(`The graph holds ${cores.length} models (${cores.map(nodeLabel).join(", ")}); export one.`);
  }
  const present = [...new Set(graph.node.map((node) => node.opType))].slice(0, 20).join(", ") || "none";
  return refuseModel(`The graph has none of the operators ${CORES.join(", ")}; it has: ${present}.`);
}

function walkBack(graph: OnnxGraph, core: OnnxNode): { input: OnnxValue; before: OnnxNode[] } {
  const producers = new Map(graph.node.flatMap((node) => node.output.map((name) => [name, node] as const)));
  const constants = new Set(graph.initializer.map((tensor) => tensor.name));
  const inputs = graph.input.filter((value) => !constants.has(value.name));
  const before: OnnxNode[] = [];
  let name = core.input[0];
  for (;;) {
    const producer = producers.get(name);
    if (!producer) break;
    if (!BEFORE.includes(producer.opType)) {
      refuseModel(
        `The operator ${nodeLabel(producer)} before ${core.opType} is not supported; export the model without it.`,
      );
    }
    if (before.includes(producer)) refuseModel(`The graph has a cycle through ${nodeLabel(producer)}.`);
    before.unshift(producer);
    name = producer.input[0];
  }
  const input = inputs.find((value) => value.name === name) ??
    refuseModel(`${nodeLabel(core)} does not read an input of the graph.`);
  if (inputs.length > 1) {
    refuseModel(`The graph has ${inputs.length} inputs; export the model with one input for all features.`);
  }
  return { input, before };
}

function scalerOf(graph: OnnxGraph, node: OnnxNode): Scaler {
  if (node.opType === "Scaler") {
    const attributes = new Attributes(node);
    return { offset: attributes.floats("offset"), scale: attributes.floats("scale") };
  }
  const tensor = graph.initializer.find((constant) => constant.name === node.input[1]) ??
    refuseModel(
      `${nodeLabel(node)} before the model does not take a constant of the graph; export the model without it.`,
    );
  const values = tensorValues(tensor, nodeLabel(node));
  if (node.opType === "Mul") return { offset: [0], scale: values };
  return { offset: node.opType === "Sub" ? values : values.map((value) => -value), scale: [1] };
}

function isNormalizer(node: OnnxNode): boolean {
  if (node.opType !== "Normalizer") return false;
  const norm = new Attributes(node).string("norm", "MAX");
  if (norm !== "L1") refuseModel(`${nodeLabel(node)} uses the norm ${norm}; only L1 is supported.`);
  return true;
}

function castOf(input: OnnxValue, before: readonly OnnxNode[]): Cast {
  let type = input.type?.tensorType?.elemType ?? TENSOR_FLOAT;
  for (const node of before) {
    // A Scaler makes single-precision numbers.
    if (node.opType === "Scaler") type = TENSOR_FLOAT;
    if (node.opType !== "Cast") continue;
    const to = new Attributes(node).int("to", 0);
    if (to !== TENSOR_FLOAT && to !== TENSOR_DOUBLE) {
      refuseModel(`${nodeLabel(node)} casts the input to data type ${to}; only float and double are supported.`);
    }
    if (to === TENSOR_DOUBLE && type === TENSOR_FLOAT) continue;
    type = to;
  }
  return type === TENSOR_DOUBLE ? "float64" : "float32";
}

function widthOf(input: OnnxValue): number | undefined {
  const dims = input.type?.tensorType?.shape?.dim ?? [];
  const width = Number(dims[dims.length - 1]?.dimValue ?? 0n);
  return width > 0 ? width : undefined;
}
