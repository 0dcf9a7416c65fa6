/** Small networks with seeded weights, for tests. */
import type {
  ActivationFunction,
  NetworkLayer,
  NetworkModel,
  TensorIndex,
  Window,
} from "../../models/network/types.ts";

/** Uniform numbers in [-1, 1), the same for the same seed (Park and Miller's generator). */
export function seededNumbers(seed: number): () => number {
  let state = seed * 2 + 1;
  return () => {
    state = state * 48271 % 2147483647;
    return state / 1073741824 - 1;
  };
}

/** A window with sides and steps alike in both directions. */
export function squareWindow(kernel: number, stride = 1, pad = 0, dilation = 1): Window {
  return {
    kernel: [kernel, kernel],
    strides: [stride, stride],
    dilations: [dilation, dilation],
    pads: [pad, pad, pad, pad],
  };
}

/** Builds a network layer by layer; every method returns the tensor that it made. */
export class NetworkBuilder {
  readonly layers: NetworkLayer[] = [];
  readonly #next: () => number;
  constructor(readonly inputShape: readonly number[], seed = 1) {
    this.#next = seededNumbers(seed);
  }

  dense(input: TensorIndex, rows: number, scale = 1): TensorIndex {
    const columns = size(this.#shape(input));
    const weights = this.#numbers(rows * columns, scale / Math.sqrt(columns));
    return this.#push({ kind: "dense", inputs: [input], shape: [rows], weights, bias: this.#numbers(rows, 0.2) });
  }

  convolution(input: TensorIndex, channels: number, window: Window, groups = 1): TensorIndex {
    const [from] = this.#shape(input);
    const fan = from / groups * size(window.kernel);
    const weights = this.#numbers(channels * fan, 2 / Math.sqrt(fan));
    const shape = [channels, ...this.#windows(input, window)];
    return this.#push({
      kind: "convolution",
      inputs: [input],
      shape,
      window,
      groups,
      weights,
      bias: this.#numbers(channels, 0.2),
    });
  }

  averagePool(input: TensorIndex, window: Window): TensorIndex {
    const shape = [this.#shape(input)[0], ...this.#windows(input, window)];
    return this.#push({ kind: "average_pool", inputs: [input], shape, window, countPadding: true });
  }

  maxPool(input: TensorIndex, window: Window): TensorIndex {
    const shape = [this.#shape(input)[0], ...this.#windows(input, window)];
    return this.#push({ kind: "max_pool", inputs: [input], shape, window });
  }

  add(a: TensorIndex, b: TensorIndex, factors: readonly [number, number] = [1, 1]): TensorIndex {
    return this.#push({ kind: "add", inputs: [a, b], shape: this.#shape(a), factors });
  }

  scale(input: TensorIndex): TensorIndex {
    const shape = this.#shape(input);
    return this.#push({
      kind: "scale",
      inputs: [input],
      shape,
      scale: this.#numbers(shape[0], 2),
      shift: this.#numbers(shape[0], 1),
    });
  }

  select(inputs: readonly TensorIndex[], indices: readonly number[], shape = [indices.length]): TensorIndex {
    return this.#push({ kind: "select", inputs, shape, indices: Uint32Array.from(indices) });
  }

  activation(input: TensorIndex, activation: ActivationFunction = { name: "relu" }): TensorIndex {
    return this.#push({ kind: "activation", inputs: [input], shape: this.#shape(input), activation });
  }

  /** The network with these tensors as outputs, class scores. */
  model(...outputs: TensorIndex[]): NetworkModel {
    const width = size(this.inputShape);
    return {
      kind: "network",
      source: { format: "onnx", version: "made for a test", objective: "network" },
      features: Array.from({ length: width }, (_, i) => ({ name: `f${i}`, cast: "float32", missing: "refused" })),
      inputShape: this.inputShape,
      layers: this.layers,
      outputs: outputs.map((tensor, i) => {
        const scores = size(this.#shape(tensor));
        const labels = Array.from({ length: scores }, (_, label) => label);
        const base = new Array<number>(scores).fill(0);
        return {
          name: `output${i}`,
          tensor,
          output: { task: "multiclass", transform: "softmax", base, labels, threshold: 0 },
        };
      }),
    };
  }

  /** Rows for it, every value in [-1, 1). */
  rows(count: number, seed = 7): number[][] {
    const next = seededNumbers(seed);
    return Array.from({ length: count }, () => Array.from({ length: size(this.inputShape) }, next));
  }

  #push(layer: WithoutName<NetworkLayer>): TensorIndex {
    this.layers.push({ ...layer, name: `${layer.kind} ${this.layers.length}` } as NetworkLayer);
    return this.layers.length;
  }

  #shape(tensor: TensorIndex): readonly number[] {
    return tensor === 0 ? this.inputShape : this.layers[tensor - 1].shape;
  }

  #numbers(count: number, scale: number): Float32Array {
    return Float32Array.from({ length: count }, () => this.#next() * scale);
  }

  #windows(input: TensorIndex, { kernel, strides, dilations, pads }: Window): number[] {
    const [, height, width] = this.#shape(input);
    return [height, width].map((side, axis) => {
      const reach = (kernel[axis] - 1) * dilations[axis] + 1;
      return Math.floor((side + pads[axis] + pads[axis + 2] - reach) / strides[axis]) + 1;
    });
  }
}

type WithoutName<Layer> = Layer extends NetworkLayer ? Omit<Layer, "name"> : never;

function size(shape: readonly number[]): number {
  return shape.reduce((product, side) => product * side, 1);
}

/** Networks that use every layer kind, by name. */
export const TEST_NETWORKS: Record<string, () => { builder: NetworkBuilder; model: NetworkModel }> = {
  "a perceptron with one hidden layer": () => {
    const b = new NetworkBuilder([12]);
    return { builder: b, model: b.model(b.dense(b.activation(b.dense(0, 16)), 3)) };
  },
  "a convolution with stride, padding and groups": () => {
    const b = new NetworkBuilder([2, 6, 6]);
    const first = b.activation(b.convolution(0, 4, squareWindow(3, 1, 1)));
    const second = b.activation(b.convolution(first, 4, squareWindow(3, 2, 1), 2), { name: "tanh" });
    return { builder: b, model: b.model(b.dense(b.averagePool(second, squareWindow(3)), 3)) };
  },
  "a dilated convolution before average pooling": () => {
    const b = new NetworkBuilder([1, 8, 8]);
    const first = b.activation(b.convolution(0, 3, squareWindow(3, 1, 0, 2)), { name: "leaky_relu", alpha: 0.1 });
    return { builder: b, model: b.model(b.dense(b.averagePool(first, squareWindow(2, 2)), 4)) };
  },
  "maximum pooling": () => {
    const b = new NetworkBuilder([1, 6, 6]);
    const first = b.activation(b.convolution(0, 2, squareWindow(3)));
    return { builder: b, model: b.model(b.dense(b.maxPool(first, squareWindow(2, 2)), 3)) };
  },
  "maximum pooling of windows that overlap the padding": () => {
    const b = new NetworkBuilder([2, 5, 5]);
    const first = b.activation(b.convolution(0, 2, squareWindow(3)));
    return { builder: b, model: b.model(b.dense(b.maxPool(first, squareWindow(3, 2, 1)), 3)) };
  },
  "a residual block": () => {
    const b = new NetworkBuilder([2, 5, 5]);
    const first = b.activation(b.convolution(0, 4, squareWindow(3, 1, 1)));
    const second = b.activation(b.convolution(first, 4, squareWindow(3, 1, 1)));
    const sum = b.activation(b.add(b.convolution(second, 4, squareWindow(3, 1, 1)), first));
    return { builder: b, model: b.model(b.dense(b.averagePool(sum, squareWindow(5)), 3)) };
  },
  "two heads, one of them after a sigmoid": () => {
    const b = new NetworkBuilder([10]);
    const trunk = b.activation(b.dense(0, 12), { name: "gelu" });
    const side = b.activation(b.dense(trunk, 6), { name: "sigmoid" });
    return { builder: b, model: b.model(b.dense(trunk, 3), b.dense(side, 2)) };
  },
  "selected and scaled features": () => {
    const b = new NetworkBuilder([8]);
    const first = b.activation(b.dense(b.scale(0), 10), { name: "silu" });
    const both = b.select([first, 0], [0, 17, 3, 11, 5, 6, 10, 2]);
    return { builder: b, model: b.model(b.dense(both, 3)) };
  },
};
