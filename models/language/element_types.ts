/**
 * Element types of stored weights, and their decoding to single precision. Block formats are those of ggml: a block of
 * elements shares a scale (and a minimum). Every product below is exact in single precision, so results equal ggml's
 * reference decoder bit for bit.
 */

/** How elements lie in a file. `elements` share a block of `bytes`. */
export interface ElementType {
  readonly name: string;
  readonly elements: number;
  readonly bytes: number;
  /** Writes the elements of all blocks of `view` to `out`. */
  readonly decode: (view: DataView, out: Float32Array) => void;
}

type Block = (view: DataView, at: number, out: Float32Array, first: number) => void;

/** A type of which one block is decoded at a time. */
function blocks(name: string, elements: number, bytes: number, block: Block): ElementType {
  const decode = (view: DataView, out: Float32Array) => {
    for (let at = 0, first = 0; at + bytes <= view.byteLength; at += bytes, first += elements) {
      block(view, at, out, first);
    }
  };
  return { name, elements, bytes, decode };
}

const half = (view: DataView, at: number) => view.getFloat16(at, true);
const brainBits = new Uint32Array(1);
const brainValue = new Float32Array(brainBits.buffer);

function brain(bits: number): number {
  brainBits[0] = bits << 16;
  return brainValue[0];
}

const F64 = blocks("F64", 1, 8, (view, at, out, first) => out[first] = view.getFloat64(at, true));
const F32 = blocks("F32", 1, 4, (view, at, out, first) => out[first] = view.getFloat32(at, true));
const F16 = blocks("F16", 1, 2, (view, at, out, first) => out[first] = half(view, at));
const BF16 = blocks("BF16", 1, 2, (view, at, out, first) => out[first] = brain(view.getUint16(at, true)));

/** d q: a scale, 32 signed bytes. */
const Q8_0 = blocks("Q8_0", 32, 34, (view, at, out, first) => {
  const scale = half(view, at);
  for (let index = 0; index < 32; index++) out[first + index] = scale * view.getInt8(at + 2 + index);
});

/** d (q - 8): a scale, 16 bytes with element i below and element i + 16 above. */
const Q4_0 = blocks("Q4_0", 32, 18, (view, at, out, first) => {
  const scale = half(view, at);
  for (let index = 0; index < 16; index++) {
    const pair = view.getUint8(at + 2 + index);
    out[first + index] = scale * ((pair & 15) - 8);
    out[first + 16 + index] = scale * ((pair >> 4) - 8);
  }
});

/** d q + m: a scale, a minimum, 16 bytes of pairs. */
const Q4_1 = blocks("Q4_1", 32, 20, (view, at, out, first) => {
  const scale = half(view, at);
  const minimum = half(view, at + 2);
  for (let index = 0; index < 16; index++) {
    const pair = view.getUint8(at + 4 + index);
    out[first + index] = scale * (pair & 15) + minimum;
    out[first + 16 + index] = scale * (pair >> 4) + minimum;
  }
});

/** d (q - 16): a scale, 32 fifth bits, 16 bytes of pairs. */
const Q5_0 = blocks("Q5_0", 32, 22, (view, at, out, first) => {
  const scale = half(view, at);
  const high = view.getUint32(at + 2, true);
  for (let index = 0; index < 16; index++) {
    const pair = view.getUint8(at + 6 + index);
    out[first + index] = scale * ((pair & 15 | (high >>> index & 1) << 4) - 16);
    out[first + 16 + index] = scale * ((pair >> 4 | (high >>> index + 16 & 1) << 4) - 16);
  }
});

/** d q + m: a scale, a minimum, 32 fifth bits, 16 bytes of pairs. */
const Q5_1 = blocks("Q5_1", 32, 24, (view, at, out, first) => {
  const scale = half(view, at);
  const minimum = half(view, at + 2);
  const high = view.getUint32(at + 4, true);
  for (let index = 0; index < 16; index++) {
    const pair = view.getUint8(at + 8 + index);
    out[first + index] = scale * (pair & 15 | (high >>> index & 1) << 4) + minimum;
    out[first + 16 + index] = scale * (pair >> 4 | (high >>> index + 16 & 1) << 4) + minimum;
  }
});

/** Scale and minimum, six bits each, of group `group` of eight: bytes 0..3 and 4..7, upper bits and bytes 8..11. */
function sixBits(view: DataView, at: number, group: number): [scale: number, minimum: number] {
  const byte = (index: number) => view.getUint8(at + index);
  if (group < 4) return [byte(group) & 63, byte(group + 4) & 63];
  const low = byte(group + 4);
  return [low & 15 | byte(group - 4) >> 6 << 4, low >> 4 | byte(group) >> 6 << 4];
}

/** d s q - m t in eight groups of 32; 64 elements share 32 bytes of pairs. */
const Q4_K = blocks("Q4_K", 256, 144, (view, at, out, first) => {
  const scale = half(view, at);
  const minimum = half(view, at + 2);
  for (let group = 0; group < 8; group++) {
    const [groupScale, groupMinimum] = sixBits(view, at + 4, group);
    const shift = group % 2 * 4;
    for (let index = 0; index < 32; index++) {
      const q = view.getUint8(at + 16 + (group >> 1) * 32 + index) >> shift & 15;
      out[first + group * 32 + index] = scale * groupScale * q - minimum * groupMinimum;
    }
  }
});

/** As Q4_K, with a fifth bit from 32 bytes: bit `group` of byte `index`. */
const Q5_K = blocks("Q5_K", 256, 176, (view, at, out, first) => {
  const scale = half(view, at);
  const minimum = half(view, at + 2);
  for (let group = 0; group < 8; group++) {
    const [groupScale, groupMinimum] = sixBits(view, at + 4, group);
    const shift = group % 2 * 4;
    for (let index = 0; index < 32; index++) {
      const low = view.getUint8(at + 48 + (group >> 1) * 32 + index) >> shift & 15;
      const q = low | (view.getUint8(at + 16 + index) >> group & 1) << 4;
      out[first + group * 32 + index] = scale * groupScale * q - minimum * groupMinimum;
    }
  }
});

/** d s (q - 32) in sixteen groups of 16: 128 bytes of lower halves, 64 bytes of upper pairs, 16 scales, d. */
const Q6_K = blocks("Q6_K", 256, 210, (view, at, out, first) => {
  const scale = half(view, at + 208);
  for (let index = 0; index < 256; index++) {
    const part = index >> 7;
    const inner = index & 127;
    const low = view.getUint8(at + part * 64 + (inner & 63)) >> (inner >> 6) * 4 & 15;
    const high = view.getUint8(at + 128 + part * 32 + (inner & 31)) >> (inner >> 5) * 2 & 3;
    out[first + index] = scale * view.getInt8(at + 192 + (index >> 4)) * ((low | high << 4) - 32);
  }
});

/** Element types of safetensors files, by their name there. */
export const SAFETENSORS_TYPES: ReadonlyMap<string, ElementType> = new Map(
  [F64, F32, F16, BF16].map((type) => [type.name, type]),
);

/** Element types of GGUF files, by their number there (ggml's `ggml_type`). */
export const GGUF_TYPES: ReadonlyMap<number, ElementType> = new Map([
  [0, F32],
  [1, F16],
  [2, Q4_0],
  [3, Q4_1],
  [6, Q5_0],
  [7, Q5_1],
  [8, Q8_0],
  [12, Q4_K],
  [13, Q5_K],
  [14, Q6_K],
  [28, F64],
  [30, BF16],
]);
