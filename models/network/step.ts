/** One node of the graph with the values that it reads: what operators are written against. */
import { Attributes } from "../onnx_attributes.ts";
import type { OnnxNode } from "../onnx_schema.ts";
import { refuseModel } from "../refuse.ts";
import { scaleEach } from "./affine.ts";
import { recognise } from "./curve.ts";
import type { LayerBody, Layers, Origin } from "./layers.ts";
import { type Shape, sizeOf } from "./shapes.ts";
import type { ActivationFunction, TensorIndex } from "./types.ts";
import { type Constant, type Curve, type Value, type View, zerosLike } from "./value.ts";

/** What an operator makes of a node: the values of its outputs, absent ones at the end left out. */
export type Operator = (step: Step) => Value | readonly Value[];

export class Step {
  readonly attributes: Attributes;
  constructor(
    readonly node: OnnxNode,
    readonly inputs: readonly (Value | undefined)[],
    readonly layers: Layers,
    /** Version of the default operator set. */
    readonly opset: number,
  ) {
    this.attributes = new Attributes(node);
  }

  get label(): string {
    return this.attributes.label;
  }

  /** @throws SottoError `model_refused`; the message starts with the node's name */
  refuse(problem: string): never {
    return refuseModel(`${this.label} ${problem}`);
  }

  value(index: number): Value {
    return this.inputs[index] ?? this.refuse(`lacks its input ${index}; export the model again.`);
  }

  has(index: number): boolean {
    return this.inputs[index] !== undefined;
  }

  constant(index: number): Constant {
    const value = this.value(index);
    if (value.kind === "constant") return value;
    return this.refuse(`needs a constant of the file as its input ${index}; export the model with fixed weights.`);
  }

  /** A tensor of the network without pending padding. */
  view(index: number): View {
    const view = this.paddedView(index);
    return view.padding ? this.refuse("follows a Pad; only convolutions and average pools take padding.") : view;
  }

  paddedView(index: number): View {
    return this.viewOf(this.value(index), index);
  }

  viewOf(value: Value, index: number): View {
    if (value.kind === "view") return value;
    if (value.kind === "curve") return this.layerOf(value);
    if (value.kind === "scores" || value.kind === "choice") {
      return this.refuse(`follows ${value.label}, which is supported only at the end of a network.`);
    }
    return this.refuse(`needs a tensor of the network as its input ${index}, and it is a constant of the file.`);
  }

  /** A list of integers that newer operator sets give as an input and older ones as an attribute. */
  integers(attribute: string, index: number): number[] | undefined {
    if (this.has(index)) return Array.from(this.constant(index).values);
    return this.attributes.has(attribute) ? this.attributes.ints(attribute) : undefined;
  }

  /** The same for one number. */
  number(attribute: string, index: number, absent: number): number {
    if (!this.has(index)) return this.attributes.float(attribute, absent);
    const { values } = this.constant(index);
    return values.length === 1 ? values[0] : this.refuse(`needs one number as its input ${index}.`);
  }

  /** An axis, counted from the front. */
  axis(axis: number, rank: number): number {
    const front = axis < 0 ? axis + rank : axis;
    return Number.isInteger(front) && front >= 0 && front < rank
      ? front
      : this.refuse(`names the axis ${axis} of a tensor with ${rank} axes.`);
  }

  add(body: LayerBody, origin?: Origin): TensorIndex {
    return this.layers.add(this.label, this.node.name || this.node.opType, body, origin);
  }

  /** Announces an array about to be made. */
  reserve(shape: Shape): void {
    this.layers.reserve(sizeOf(shape), this.label);
  }

  /** The activation layer for a formula, where it is a known function. */
  layerOf(curve: Curve): View {
    const activation = recognise(curve.apply);
    if (!activation) {
      return this.refuse(
        `reads the result of ${curve.label}, which is not part of an activation function that networks have.`,
      );
    }
    const view = this.#activated(curve, activation);
    return curve.factors ? scaleEach(this, view, curve.factors, zerosLike(curve.factors)) : view;
  }

  #activated(curve: Curve, activation: ActivationFunction): View {
    const root = this.layers.wholeOf(curve.root, curve.label);
    const shape = this.layers.shapeOf(root.tensor);
    const body: LayerBody = { kind: "activation", inputs: [root.tensor], shape, activation };
    return {
      ...root,
      tensor: this.layers.add(curve.label, activation.name, body, { from: root.tensor, apply: curve.apply }),
    };
  }
}
