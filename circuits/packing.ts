/** Bytes of `count` coefficients of `bits` bits each, without gaps, padded to a whole byte. */
export function packedBytes(count: number, bits: number): number {
  return Math.ceil(count * bits / 8);
}

const HALF_BITS = 25;
const HALF = 2 ** HALF_BITS;

/** Packs values in [0, 2^bits), bits <= 50, least significant bit first; returns `packedBytes(values.length, bits)` bytes. */
export function packBits(values: ArrayLike<number>, bits: number): Uint8Array {
  const out = new Uint8Array(packedBytes(values.length, bits));
  let held = 0, heldBits = 0, at = 0;
  const put = (part: number, partBits: number) => {
    held += part * 2 ** heldBits;
    heldBits += partBits;
    for (; heldBits >= 8; heldBits -= 8) {
      out[at++] = held % 256;
      held = Math.floor(held / 256);
    }
  };
  for (let i = 0; i < values.length; i++) {
    put(values[i] % HALF, Math.min(bits, HALF_BITS));
    if (bits > HALF_BITS) put(Math.floor(values[i] / HALF), bits - HALF_BITS);
  }
  if (heldBits > 0) out[at] = held;
  return out;
}

/** The inverse of `packBits`: `count` values of `bits` bits each. */
export function unpackBits(bytes: Uint8Array, count: number, bits: number): Float64Array {
  const out = new Float64Array(count);
  let held = 0, heldBits = 0, at = 0;
  const take = (partBits: number) => {
    for (; heldBits < partBits; heldBits += 8) held += bytes[at++] * 2 ** heldBits;
    const part = held % 2 ** partBits;
    held = Math.floor(held / 2 ** partBits);
    heldBits -= partBits;
    return part;
  };
  for (let i = 0; i < count; i++) {
    const low = take(Math.min(bits, HALF_BITS));
    out[i] = bits > HALF_BITS ? low + take(bits - HALF_BITS) * HALF : low;
  }
  return out;
}
