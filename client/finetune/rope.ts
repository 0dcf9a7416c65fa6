/**
 * Rotary position embedding (Su et al. 2021) in the layout of Hugging Face's Llama: component i of a head turns together with component
 * i + headSize / 2, by the angle position * frequency_i.
 */
import type { Floats } from "../../circuits/finetune/float_kernels.ts";

/** cos and sin of position * frequency, headSize / 2 a position. */
export interface RotationTable {
  readonly cos: Float64Array;
  readonly sin: Float64Array;
  readonly half: number;
}

/** positions: one a token, within its sequence. */
export function rotationTable(positions: Uint32Array, frequencies: Float64Array): RotationTable {
  const half = frequencies.length;
  const angles = new Float64Array(positions.length * half);
  for (let i = 0; i < angles.length; i++) angles[i] = positions[Math.floor(i / half)] * frequencies[i % half];
  return { cos: angles.map(Math.cos), sin: angles.map(Math.sin), half };
}

/** Turns every head of every token in place; direction -1 turns back, which is the gradient. x: tokens x heads x headSize. */
export function rotate(x: Floats, table: RotationTable, direction: 1 | -1 = 1): void {
  const { cos, sin, half } = table;
  const tokens = cos.length / half;
  const width = tokens === 0 ? 0 : x.length / tokens;
  for (let token = 0; token < tokens; token++) {
    for (let at = token * width; at < (token + 1) * width; at += 2 * half) {
      for (let i = 0; i < half; i++) {
        const [c, s] = [cos[token * half + i], direction * sin[token * half + i]];
        const [first, second] = [x[at + i], x[at + half + i]];
        x[at + i] = first * c - second * s;
        x[at + half + i] = second * c + first * s;
      }
    }
  }
}
