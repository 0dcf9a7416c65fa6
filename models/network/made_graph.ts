/** Makes ONNX files for tests: small graphs written as lists of nodes. */
import { create, toBinary } from "@bufbuild/protobuf";
import { finish } from "../output.ts";
import { decodeOnnx, onnxDescriptor } from "../onnx_schema.ts";
import { evaluateNetwork } from "./evaluate.ts";
import { readNetwork } from "./import.ts";
import { sizeOf } from "./shapes.ts";
import type { NetworkModel } from "./types.ts";

/** A tensor of the file; single precision unless it says otherwise. */
export interface MadeTensor {
  readonly shape: readonly number[];
  readonly values: readonly (number | string)[];
  readonly type?: "float" | "int64" | "string";
}

/** Numbers are integers, lists of numbers lists of integers. */
export type MadeAttribute =
  | number
  | string
  | readonly number[]
  | readonly string[]
  | { readonly float: number }
  | { readonly floats: readonly number[] }
  | { readonly tensor: MadeTensor };

export interface MadeNode {
  readonly op: string;
  /** Names of values or constants; "" for one left out. */
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes?: Readonly<Record<string, MadeAttribute>>;
}

export interface MadeGraph {
  /** With its batch axis; 0 for a size that is open. */
  readonly input: readonly number[];
  readonly nodes: readonly MadeNode[];
  readonly constants?: Readonly<Record<string, MadeTensor>>;
  readonly outputs: readonly string[];
  readonly opset?: number;
}

export function tensor(shape: readonly number[], values: readonly number[]): MadeTensor {
  return { shape, values };
}

export function integers(...values: number[]): MadeTensor {
  return { shape: [values.length], values, type: "int64" };
}

export function node(
  op: string,
  inputs: string,
  outputs: string,
  attributes: Readonly<Record<string, MadeAttribute>> = {},
): MadeNode {
  const names = (text: string) => text === "" ? [] : text.split(" ").map((name) => name === "_" ? "" : name);
  return { op, inputs: names(inputs), outputs: names(outputs), attributes };
}

const encode = (text: string) => new TextEncoder().encode(text);

function tensorMessage(name: string, { shape, values, type = "float" }: MadeTensor) {
  const dims = shape.map(BigInt);
  if (type === "string") return { name, dims, dataType: 8, stringData: values.map((value) => encode(String(value))) };
  if (type === "int64") return { name, dims, dataType: 7, int64Data: values.map((value) => BigInt(value)) };
  return { name, dims, dataType: 1, floatData: values.map(Number) };
}

function attributeMessage(name: string, value: MadeAttribute) {
  if (typeof value === "number") return { name, i: BigInt(value) };
  if (typeof value === "string") return { name, s: encode(value) };
  if ("float" in value) return { name, f: value.float };
  if ("floats" in value) return { name, floats: [...value.floats] };
  if ("tensor" in value) return { name, t: tensorMessage("", value.tensor) };
  if (value.length > 0 && typeof value[0] === "string") {
    return {
      name,
      strings: value.map((text) => encode(String(text))),
    };
  }
  return { name, ints: value.map((number) => BigInt(number)) };
}

/** The file's bytes. */
export function onnxFile({ input, nodes, constants = {}, outputs, opset = 17 }: MadeGraph): Uint8Array {
  const dim = input.map((size) => ({ dimValue: BigInt(size) }));
  const graph = {
    node: nodes.map(({ op, inputs, outputs, attributes = {} }, index) => ({
      input: [...inputs],
      output: [...outputs],
      name: `n${index}`,
      opType: op,
      attribute: Object.entries(attributes).map(([name, value]) => attributeMessage(name, value)),
    })),
    initializer: Object.entries(constants).map(([name, made]) => tensorMessage(name, made)),
    input: [{ name: "x", type: { tensorType: { elemType: 1, shape: { dim } } } }],
    output: outputs.map((name) => ({ name })),
  };
  const model = { producerName: "made", graph, opsetImport: [{ domain: "", version: BigInt(opset) }] };
  return toBinary(onnxDescriptor(), create(onnxDescriptor(), model));
}

/** The network of the file, layers as the file has them unless they are to be folded. */
export function networkOf(graph: MadeGraph, fold = false): NetworkModel {
  return readNetwork(decodeOnnx(onnxFile(graph)), fold);
}

/** A graph in which each node reads what the one before makes; its other inputs are constants. */
export function chainOf(
  input: readonly number[],
  steps: readonly (readonly [op: string, constants?: readonly MadeTensor[], attributes?: MadeNode["attributes"]])[],
  opset?: number,
): MadeGraph {
  const constants: Record<string, MadeTensor> = {};
  const nodes = steps.map(([op, tensors = [], attributes = {}], index) => {
    const names = tensors.map((made, i) => {
      constants[`c${index}_${i}`] = made;
      return `c${index}_${i}`;
    });
    return { op, inputs: [index === 0 ? "x" : `v${index}`, ...names], outputs: [`v${index + 1}`], attributes };
  });
  return { input, nodes, constants, outputs: [`v${steps.length}`], opset };
}

/** What the graph's first output is for a row: scores after their transform. */
export function answerOf(graph: MadeGraph, row: readonly number[], fold = false): readonly number[] {
  const model = networkOf(graph, fold);
  return finish(model.outputs[0].output, evaluateNetwork(model, row)[0]).scores;
}

/** A tensor counting up from `start`. */
export function counting(shape: readonly number[], start = 1): MadeTensor {
  return { shape, values: Array.from({ length: sizeOf(shape) }, (_, i) => start + i) };
}
