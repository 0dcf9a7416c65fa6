/** Typed reading of an ONNX node's attributes. */
import { decoding, refuseModel } from "./refuse.ts";
import { type OnnxAttribute, type OnnxNode, type OnnxTensor, TENSOR_DOUBLE, TENSOR_FLOAT } from "./onnx_schema.ts";

/** Numbers, and the precision in which the file holds them. */
export interface Numbers {
  readonly values: readonly number[];
  readonly double: boolean;
}

/** The attributes of one node; what is absent reads as empty. */
export class Attributes {
  readonly #byName: Map<string, OnnxAttribute>;
  constructor(readonly node: OnnxNode) {
    this.#byName = new Map(node.attribute.map((attribute) => [attribute.name, attribute]));
  }

  /** How messages name the node. */
  get label(): string {
    return nodeLabel(this.node);
  }

  has(name: string): boolean {
    return this.#byName.has(name);
  }

  tensor(name: string): OnnxTensor | undefined {
    return this.#byName.get(name)?.t;
  }

  float(name: string, absent: number): number {
    const attribute = this.#byName.get(name);
    return attribute ? attribute.f : absent;
  }

  int(name: string, absent: number): number {
    const attribute = this.#byName.get(name);
    return attribute ? Number(attribute.i) : absent;
  }

  ints(name: string): number[] {
    return (this.#byName.get(name)?.ints ?? []).map(Number);
  }

  string(name: string, absent: string): string {
    const attribute = this.#byName.get(name);
    return attribute ? text(attribute.s) : absent;
  }

  strings(name: string): string[] {
    return (this.#byName.get(name)?.strings ?? []).map(text);
  }

  floats(name: string): readonly number[] {
    return this.#byName.get(name)?.floats ?? [];
  }

  /** The list of single-precision numbers, or the tensor that replaces it. */
  numbers(name: string): Numbers {
    const tensor = this.#byName.get(`${name}_as_tensor`)?.t;
    if (!tensor) return { values: this.floats(name), double: false };
    return { values: tensorValues(tensor, this.label), double: tensor.dataType === TENSOR_DOUBLE };
  }

  /** Class labels: whichever of the two lists is there. */
  labels(integers: string, texts: string): (string | number)[] {
    const words = this.strings(texts);
    return words.length > 0 ? words : this.ints(integers);
  }
}

/** `TreeEnsembleClassifier (node "name")`. */
export function nodeLabel(node: OnnxNode): string {
  return node.name ? `${node.opType} (node "${node.name}")` : node.opType;
}

function text(bytes: Uint8Array): string {
  return decoding("an ONNX model with texts in UTF-8", () => new TextDecoder("utf-8", { fatal: true }).decode(bytes));
}

/** The numbers of a float or double tensor. */
export function tensorValues(tensor: OnnxTensor, where: string): number[] {
  if (tensor.dataType !== TENSOR_FLOAT && tensor.dataType !== TENSOR_DOUBLE) {
    refuseModel(`${where} has a tensor of data type ${tensor.dataType}; only float and double are supported.`);
  }
  const double = tensor.dataType === TENSOR_DOUBLE;
  if (tensor.rawData.length === 0) return [...(double ? tensor.doubleData : tensor.floatData)];
  const { buffer, byteOffset, byteLength } = tensor.rawData;
  const view = new DataView(buffer, byteOffset, byteLength);
  const width = double ? 8 : 4;
  return Array.from(
    { length: Math.floor(byteLength / width) },
    (_, i) => double ? view.getFloat64(i * width, true) : view.getFloat32(i * width, true),
  );
}
