/**
 * The neutral description of a float network: a directed graph of layers in topological order.
 *
 * Tensors have no batch dimension and are channels-first: [features] or [channels, height, width], flattened in that order
 * wherever a layer sees them flat. Layouts of the exporting library are settled by the importer.
 */
import type { Feature, Output, Source } from "../types.ts";

/** Tensor 0 is the network's input, tensor i + 1 the output of layer i. */
export type TensorIndex = number;

interface LayerBase {
  /** Unique; the name of the node in the model file, for messages and reports. */
  readonly name: string;
  readonly inputs: readonly TensorIndex[];
  /** Shape of the output. */
  readonly shape: readonly number[];
}

/** y = W x + b over the flattened input; batch normalisation is folded in. */
export interface DenseLayer extends LayerBase {
  readonly kind: "dense";
  /** rows x columns, row-major. */
  readonly weights: Float32Array;
  readonly bias: Float32Array;
}

/** Geometry of a window over [channels, height, width]: [vertical, horizontal] pairs; pads are [top, left, bottom, right]. */
export interface Window {
  readonly kernel: readonly [number, number];
  readonly strides: readonly [number, number];
  readonly dilations: readonly [number, number];
  readonly pads: readonly [number, number, number, number];
}

/** Cross-correlation, as in ONNX Conv; padding is zero; one-dimensional convolutions have height 1. */
export interface ConvolutionLayer extends LayerBase {
  readonly kind: "convolution";
  readonly window: Window;
  readonly groups: number;
  /** outputs x (inputs / groups) x kernel height x kernel width. */
  readonly weights: Float32Array;
  /** One an output channel. */
  readonly bias: Float32Array;
}

/** The mean over a window; padded cells count as zeros when `countPadding`, and not at all otherwise. */
export interface AveragePoolLayer extends LayerBase {
  readonly kind: "average_pool";
  readonly window: Window;
  readonly countPadding: boolean;
}

/** The largest value of a window; padded cells never win. */
export interface MaxPoolLayer extends LayerBase {
  readonly kind: "max_pool";
  readonly window: Window;
}

/** factors[0] a + factors[1] b, element by element. */
export interface AddLayer extends LayerBase {
  readonly kind: "add";
  readonly factors: readonly [number, number];
}

/** y = scale x + shift, one of each a channel (a feature of a flat tensor): a batch normalisation with nothing to fold into. */
export interface ScaleLayer extends LayerBase {
  readonly kind: "scale";
  readonly scale: Float32Array;
  readonly shift: Float32Array;
}

/** Output i is element indices[i] of the flattened concatenation of the inputs: transposes, slices, concatenations. */
export interface SelectLayer extends LayerBase {
  readonly kind: "select";
  readonly indices: Uint32Array;
}

/** A real function of one variable. */
export type ActivationFunction =
  | {
    readonly name:
      | "identity"
      | "relu"
      | "sigmoid"
      | "tanh"
      | "gelu"
      | "gelu_tanh"
      | "hard_swish"
      | "silu"
      | "softplus"
      | "softsign";
  }
  | { readonly name: "leaky_relu" | "elu"; readonly alpha: number }
  | { readonly name: "hard_sigmoid"; readonly alpha: number; readonly beta: number }
  | { readonly name: "clip"; readonly low: number; readonly high: number };

export interface ActivationLayer extends LayerBase {
  readonly kind: "activation";
  readonly activation: ActivationFunction;
}

export type NetworkLayer =
  | DenseLayer
  | ConvolutionLayer
  | AveragePoolLayer
  | MaxPoolLayer
  | AddLayer
  | ScaleLayer
  | SelectLayer
  | ActivationLayer;

/** A tensor that leaves the network; what comes after it (softmax, arg max, labels) is the client's. */
export interface NetworkOutput {
  readonly name: string;
  readonly tensor: TensorIndex;
  /** One score an element of the tensor. */
  readonly output: Output;
}

export interface NetworkModel {
  readonly kind: "network";
  readonly source: Source;
  /** One an element of the flattened input. */
  readonly features: readonly Feature[];
  readonly inputShape: readonly number[];
  readonly layers: readonly NetworkLayer[];
  /** At least one; the first is the one whose labels a prediction file shows. */
  readonly outputs: readonly NetworkOutput[];
}
