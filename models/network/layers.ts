/** The layers of a network while it is imported, and how views become tensors that layers read. */
import { IMPORT_ELEMENTS_MAX, LAYERS_MAX, TENSOR_ELEMENTS_MAX } from "../limits.ts";
import { refuseModel } from "../refuse.ts";
import { isIdentity, isPermutation, pick, sameShape, type Shape, sizeOf } from "./shapes.ts";
import type { NetworkLayer, TensorIndex } from "./types.ts";
import type { Constant, View } from "./value.ts";

/** What one tensor is of another, element by element: tensor = apply(from). */
export interface Origin {
  readonly from: TensorIndex;
  readonly apply: (x: number) => number;
}

/** A view times one number a channel. */
export interface Factored {
  readonly view: View;
  readonly factors: Constant;
}

/** A layer without what `add` gives it. */
export type LayerBody = NetworkLayer extends infer L ? L extends NetworkLayer ? Omit<L, "name"> : never : never;

/** Shape without the batch axis, as layers see it: [features] or [channels, height, width]. */
export function layerShape(shape: Shape): number[] {
  const inner = shape[0] === 1 ? shape.slice(1) : [...shape];
  if (inner.length === 2) return [inner[0], 1, inner[1]];
  return inner.length === 3 ? inner : [sizeOf(inner)];
}

/** Collects layers; every allocation is announced to it first. */
export class Layers {
  readonly layers: NetworkLayer[] = [];
  #inputShape: Shape;
  /** Something reads the input in the shape above. */
  #inputSettled = false;
  #elements = 0;
  readonly #names = new Set<string>();
  readonly #factored = new Map<TensorIndex, Factored>();
  readonly #origins = new Map<TensorIndex, Origin>();

  constructor(readonly inputSize: number, inputShape: Shape) {
    this.#inputShape = inputShape;
  }

  get inputShape(): Shape {
    return this.#inputShape;
  }

  /** Shape of a tensor. */
  shapeOf(tensor: TensorIndex): Shape {
    return tensor === 0 ? this.#inputShape : this.layers[tensor - 1].shape;
  }

  origin(tensor: TensorIndex): Origin | undefined {
    return this.#origins.get(tensor);
  }

  /** What the tensor is a multiple of, where that was noted. */
  factored(tensor: TensorIndex): Factored | undefined {
    return this.#factored.get(tensor);
  }

  noteFactored(tensor: TensorIndex, factored: Factored): void {
    this.#factored.set(tensor, factored);
  }

  /** @throws SottoError `model_refused` when the import would make too many elements in all */
  reserve(elements: number, label: string): void {
    this.#elements += elements;
    if (!(this.#elements <= IMPORT_ELEMENTS_MAX)) {
      refuseModel(
        `Up to ${label} the network's tensors have more than ${IMPORT_ELEMENTS_MAX} elements; use smaller ones.`,
      );
    }
  }

  /** @throws SottoError `model_refused` for a tensor that is empty or too large */
  checkShape(shape: Shape, label: string): void {
    const size = sizeOf(shape);
    const sound = shape.length <= 8 && shape.every((dimension) => Number.isInteger(dimension) && dimension > 0);
    if (!sound || size > TENSOR_ELEMENTS_MAX) {
      refuseModel(
        `${label} makes a tensor of shape [${shape.slice(0, 8).join(", ")}]; ` +
          `tensors need from 1 to ${TENSOR_ELEMENTS_MAX} elements.`,
      );
    }
    this.reserve(size, label);
  }

  /** Adds a layer, named after its node. */
  add(label: string, name: string, body: LayerBody, origin?: Origin): TensorIndex {
    if (this.layers.length >= LAYERS_MAX) {
      refuseModel(`The network has more than ${LAYERS_MAX} layers; use a smaller one.`);
    }
    this.checkShape(body.shape, label);
    this.layers.push({ ...body, name: this.#uniqueName(name) } as NetworkLayer);
    if (origin) this.#origins.set(this.layers.length, origin);
    return this.layers.length;
  }

  /** The view rearranged further: element i of the result is element indices[i] of the view. */
  rearrange(view: View, shape: Shape, indices?: Uint32Array): View {
    const order = !indices ? view.order : view.order ? pick(view.order, indices) : indices;
    const plain = !order || (order.length === sizeOf(this.shapeOf(view.tensor)) && isIdentity(order));
    return { kind: "view", shape, tensor: view.tensor, ...(plain ? {} : { order }) };
  }

  /** A tensor with the view's elements, in order and in a shape of as many. */
  tensorOf(view: View, shape: Shape, label: string): TensorIndex {
    const settled = this.#settle(view, shape);
    if (settled !== undefined) return settled;
    const size = sizeOf(this.shapeOf(view.tensor));
    this.reserve(size, label);
    const indices = view.order ?? Uint32Array.from({ length: size }, (_, i) => i);
    return this.add(label, "select", { kind: "select", inputs: [view.tensor], shape, indices });
  }

  /** A tensor with the view's elements in order, for readers that see it flat. */
  flatTensorOf(view: View, label: string): TensorIndex {
    return this.tensorOf(view, view.order ? [view.order.length] : this.shapeOf(view.tensor), label);
  }

  /** A view of every element of its tensor exactly once. */
  wholeOf(view: View, label: string): View {
    if (!view.order || isPermutation(view.order, sizeOf(this.shapeOf(view.tensor)))) {
      if (view.tensor === 0) this.#inputSettled = true;
      return view;
    }
    return { kind: "view", shape: view.shape, tensor: this.tensorOf(view, layerShape(view.shape), label) };
  }

  /** The tensor itself where no layer is needed; the first reader of the input says what its shape is. */
  #settle(view: View, shape: Shape): TensorIndex | undefined {
    if (view.order) return undefined;
    if (view.tensor === 0 && !this.#inputSettled) {
      this.#inputShape = shape;
      this.#inputSettled = true;
    }
    return sameShape(this.shapeOf(view.tensor), shape) ? view.tensor : undefined;
  }

  #uniqueName(name: string): string {
    let unique = name;
    for (let count = 2; this.#names.has(unique); count++) unique = `${name} ${count}`;
    this.#names.add(unique);
    return unique;
  }
}
