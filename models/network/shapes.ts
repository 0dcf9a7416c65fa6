/** Shapes of ONNX tensors, and which element goes where when one is rearranged. Flat order is row-major throughout. */

export type Shape = readonly number[];

/** The number of elements of a shape. */
export function sizeOf(shape: Shape): number {
  return shape.reduce((product, dimension) => product * dimension, 1);
}

export function sameShape(a: Shape, b: Shape): boolean {
  return a.length === b.length && a.every((dimension, axis) => dimension === b[axis]);
}

/** How far apart neighbours along each axis lie. */
export function stridesOf(shape: Shape): number[] {
  return shape.map((_, axis) => sizeOf(shape.slice(axis + 1)));
}

/** `[0, 1, .., count - 1]`. */
export function range(count: number): number[] {
  return Array.from({ length: count }, (_, index) => index);
}

/**
 * The flat indices of a rearrangement that treats its axes apart.
 * @param offsets one list an axis of the result, outermost first: how much each place on it adds to the index
 */
export function crossIndices(offsets: readonly (readonly number[])[]): Uint32Array {
  let indices = Uint32Array.of(0);
  for (const axis of offsets) {
    const next = new Uint32Array(indices.length * axis.length);
    let at = 0;
    for (const base of indices) {
      for (const offset of axis) next[at++] = base + offset;
    }
    indices = next;
  }
  return indices;
}

/** The indices that keep, of each axis, the places listed for it (in that order, repeats allowed). */
export function pickIndices(shape: Shape, places: readonly (readonly number[])[]): Uint32Array {
  const strides = stridesOf(shape);
  return crossIndices(places.map((list, axis) => list.map((place) => place * strides[axis])));
}

/** Axis a of the result is axis permutation[a] of the source. */
export function transposeIndices(shape: Shape, permutation: readonly number[]): Uint32Array {
  const strides = stridesOf(shape);
  return crossIndices(permutation.map((axis) => range(shape[axis]).map((place) => place * strides[axis])));
}

/** The shape that two tensors have together, or undefined where they do not go together. */
export function broadcastShape(a: Shape, b: Shape): number[] | undefined {
  const rank = Math.max(a.length, b.length);
  const [left, right] = [padded(a, rank), padded(b, rank)];
  const fits = left.every((dimension, axis) => dimension === right[axis] || dimension === 1 || right[axis] === 1);
  return fits ? left.map((dimension, axis) => dimension === 1 ? right[axis] : dimension) : undefined;
}

/** Where each element of the wider shape lies in the narrower one. */
export function broadcastIndices(from: Shape, to: Shape): Uint32Array {
  const source = padded(from, to.length);
  const strides = stridesOf(source);
  return crossIndices(
    to.map((count, axis) => source[axis] === 1 ? new Array(count).fill(0) : range(count).map((i) => i * strides[axis])),
  );
}

function padded(shape: Shape, rank: number): number[] {
  return [...new Array(rank - shape.length).fill(1), ...shape];
}

/** True for `[0, 1, 2, ..]`. */
export function isIdentity(indices: Uint32Array): boolean {
  return indices.every((index, at) => index === at);
}

/** True when every one of `count` elements is there exactly once. */
export function isPermutation(indices: Uint32Array, count: number): boolean {
  if (indices.length !== count) return false;
  const seen = new Uint8Array(count);
  return indices.every((index) => index < count && seen[index]++ === 0);
}

/** A list of one value an element, `values[indices[i]]` at i. */
export function pick<T extends Float32Array | Float64Array | Uint32Array>(values: T, indices: Uint32Array): T {
  const picked = new (values.constructor as new (length: number) => T)(indices.length);
  for (let i = 0; i < indices.length; i++) picked[i] = values[indices[i]];
  return picked;
}
