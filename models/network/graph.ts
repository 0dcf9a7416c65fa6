/** Walks an ONNX graph from its outputs back to its input, and gives every name its value. */
import { IMPORT_ELEMENTS_MAX, LAYERS_MAX } from "../limits.ts";
import { nodeLabel } from "../onnx_attributes.ts";
import type { OnnxGraph, OnnxNode, OnnxTensor, OnnxValue } from "../onnx_schema.ts";
import { refuseModel } from "../refuse.ts";
import { Layers, layerShape } from "./layers.ts";
import { insteadOf, OPERATORS } from "./operators/mod.ts";
import { sizeOf } from "./shapes.ts";
import { Step } from "./step.ts";
import { isNumeric, readTensor } from "./tensors.ts";
import type { Value } from "./value.ts";

/** The graph's outputs as values over the layers. */
export interface Walked {
  readonly layers: Layers;
  readonly outputs: readonly { readonly name: string; readonly value: Value }[];
}

/** Nodes of a graph include constants, so there may be more of them than layers. */
const NODES_MAX = 10 * LAYERS_MAX;

/** @throws SottoError `model_refused` */
export function walkGraph(graph: OnnxGraph, opset: number): Walked {
  if (graph.node.length > NODES_MAX) refuseModel(`The graph has more than ${NODES_MAX} nodes; use a smaller network.`);
  if (graph.output.length === 0) refuseModel("The graph has no output; export the model again.");
  const input = inputOf(graph);
  const shape = inputShapeOf(input);
  const layers = new Layers(sizeOf(shape), layerShape(shape));
  layers.checkShape(shape, `The input "${input.name}"`);
  const values = new Map<string, Value>([[input.name, { kind: "view", shape, tensor: 0 }]]);
  const tensors = new Map(graph.initializer.map((tensor) => [tensor.name, tensor]));
  for (const node of nodesInOrder(graph, new Set([...tensors.keys(), input.name]))) {
    run(node, (name) => valueOf(name, values, tensors, layers), layers, opset).forEach((value, index) => {
      const name = node.output[index];
      if (name) values.set(name, value);
    });
  }
  const outputs = graph.output.map(({ name }) => ({ name, value: valueOf(name, values, tensors, layers) }));
  return { layers, outputs };
}

function run(node: OnnxNode, value: (name: string) => Value, layers: Layers, opset: number): readonly Value[] {
  const operator = OPERATORS.get(node.opType) ??
    refuseModel(`The operator ${nodeLabel(node)} is not supported: ${insteadOf(node.opType)}.`);
  const result = operator(new Step(node, node.input.map((name) => name ? value(name) : undefined), layers, opset));
  return Array.isArray(result) ? result : [result as Value];
}

/** A name's value; weights of the file are read when something needs them. */
function valueOf(name: string, values: Map<string, Value>, tensors: Map<string, OnnxTensor>, layers: Layers): Value {
  const known = values.get(name);
  if (known) return known;
  const tensor = tensors.get(name) ?? refuseModel(`Nothing in the graph makes "${name}", which is needed.`);
  const value = readTensor(tensor, `The tensor "${name}"`);
  layers.reserve(value.values.length, `the tensor "${name}"`);
  values.set(name, value);
  return value;
}

function inputOf(graph: OnnxGraph): OnnxValue {
  const constants = new Set(graph.initializer.map((tensor) => tensor.name));
  const inputs = graph.input.filter((value) => !constants.has(value.name));
  if (inputs.length === 1) return inputs[0];
  const names = inputs.slice(0, 8).map((value) => `"${value.name}"`).join(", ") || "none";
  return refuseModel(`A network needs one input for all features, and the graph has: ${names}; export it with one.`);
}

/** The input's shape with a batch of one. */
function inputShapeOf({ name, type }: OnnxValue): number[] {
  const tensor = type?.tensorType;
  if (!tensor || !isNumeric(tensor.elemType)) refuseModel(`The input "${name}" is not a tensor of numbers.`);
  const dims = (tensor.shape?.dim ?? []).map(({ dimValue }) => Number(dimValue));
  if (dims.length < 2) {
    refuseModel(`The input "${name}" has ${dims.length} axes; export the model with a batch axis before the features.`);
  }
  const [batch, ...rest] = dims;
  if (batch > 1) {
    refuseModel(
      `The input "${name}" has a fixed batch of ${batch}; export the model with a batch of one, or of any size.`,
    );
  }
  const open = rest.findIndex((size) => !(size > 0));
  if (open >= 0) {
    refuseModel(
      `The input "${name}" does not say how large its axis ${open + 1} is; export the model with a fixed size.`,
    );
  }
  if (!(sizeOf(rest) <= IMPORT_ELEMENTS_MAX)) refuseModel(`The input "${name}" is too large; use a smaller one.`);
  return [1, ...rest];
}

/** The nodes that the outputs need, each after those that it reads from. */
function nodesInOrder(graph: OnnxGraph, given: ReadonlySet<string>): OnnxNode[] {
  const makers = makersOf(graph, given);
  const order: OnnxNode[] = [];
  const state = new Map<OnnxNode, "open" | "done">();
  const stack = makersIn(graph.output.map(({ name }) => name), makers);
  while (stack.length > 0) {
    const node = stack[stack.length - 1];
    if (state.get(node) === undefined) {
      state.set(node, "open");
      const needed = makersIn(node.input, makers).filter((maker) => state.get(maker) !== "done");
      const cycle = needed.find((maker) => state.get(maker) === "open");
      if (cycle) refuseModel(`The graph has a cycle through ${nodeLabel(cycle)}.`);
      stack.push(...needed);
    } else {
      stack.pop();
      if (state.get(node) === "open") order.push(node);
      state.set(node, "done");
    }
  }
  return order;
}

function makersIn(names: readonly string[], makers: ReadonlyMap<string, OnnxNode>): OnnxNode[] {
  return names.flatMap((name) => makers.get(name) ?? []).reverse();
}

function makersOf(graph: OnnxGraph, given: ReadonlySet<string>): Map<string, OnnxNode> {
  const makers = new Map<string, OnnxNode>();
  for (const node of graph.node) {
    for (const name of node.output) {
      if (!name) continue;
      if (makers.has(name) || given.has(name)) refuseModel(`The graph makes "${name}" twice; export the model again.`);
      makers.set(name, node);
    }
  }
  return makers;
}
