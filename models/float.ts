/** IEEE 754 neighbours: the values of a precision in order, one integer each. */

/** The precision in which a feature is compared. */
export type Cast = "float32" | "float64";

const view = new DataView(new ArrayBuffer(8));

/** Rounds to the precision, to nearest even. */
export function castTo(cast: Cast, value: number): number {
  return cast === "float32" ? Math.fround(value) : value;
}

/** The position of a value among all values of the precision: 0 for zero, 1 for the smallest positive one, and so on. */
export function toOrder(cast: Cast, value: number): bigint {
  if (cast === "float32") {
    view.setFloat32(0, Math.abs(value));
    const magnitude = BigInt(view.getUint32(0));
    return value < 0 ? -magnitude : magnitude;
  }
  view.setFloat64(0, Math.abs(value));
  const magnitude = view.getBigUint64(0);
  return value < 0 ? -magnitude : magnitude;
}

/** Inverse of `toOrder`. */
export function fromOrder(cast: Cast, order: bigint): number {
  const magnitude = order < 0n ? -order : order;
  if (cast === "float32") view.setUint32(0, Number(magnitude));
  else view.setBigUint64(0, magnitude);
  const value = cast === "float32" ? view.getFloat32(0) : view.getFloat64(0);
  return order < 0n ? -value : value;
}

/** The least value of the precision that is greater; Infinity after the largest finite one. */
export function nextUp(cast: Cast, value: number): number {
  return fromOrder(cast, toOrder(cast, value) + 1n);
}

/** The greatest value of the precision that is less; -Infinity before the least finite one. */
export function nextDown(cast: Cast, value: number): number {
  return fromOrder(cast, toOrder(cast, value) - 1n);
}

/** The largest finite value of each precision; a cell must lie below it (see `readCell`). */
export const LARGEST: Readonly<Record<Cast, number>> = {
  float32: (2 - 2 ** -23) * 2 ** 127,
  float64: Number.MAX_VALUE,
};

/**
 * The least value of the precision that is greater than (`above`) or at least (`at least`) a number; for Infinity, which
 * libraries write where every value that is not missing goes one way, the largest finite one, which no cell reaches.
 */
export function leastValue(cast: Cast, relation: "above" | "at least", value: number): number {
  if (value >= LARGEST[cast]) return LARGEST[cast];
  const rounded = castTo(cast, value) + 0;
  const enough = relation === "above" ? rounded > value : rounded >= value;
  return enough ? rounded : nextUp(cast, rounded);
}
