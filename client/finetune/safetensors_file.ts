/** Writes the safetensors format: a little-endian 64-bit length, a JSON header padded with spaces to a multiple of 8, then the arrays in order. */
import type { Floats } from "../../circuits/finetune/float_kernels.ts";

export interface NamedTensor {
  readonly name: string;
  /** Outermost dimension first. */
  readonly shape: readonly number[];
  /** Written in single precision. */
  readonly values: Floats;
}

/** The bytes of a file with these tensors, sorted by name. `metadata`: texts, such as `{format: "pt"}`. */
export function encodeSafetensors(
  tensors: readonly NamedTensor[],
  metadata: Readonly<Record<string, string>> = {},
): Uint8Array<ArrayBuffer> {
  const sorted = [...tensors].sort((x, y) => x.name < y.name ? -1 : 1);
  const entries: Record<string, unknown> = { __metadata__: metadata };
  let end = 0;
  for (const { name, shape, values } of sorted) {
    entries[name] = { dtype: "F32", shape, data_offsets: [end, end + 4 * values.length] };
    end += 4 * values.length;
  }
  const text = new TextEncoder().encode(JSON.stringify(entries));
  const start = 8 + Math.ceil(text.length / 8) * 8;
  const bytes = new Uint8Array(start + end).fill(0x20, 8, start);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(start - 8), true);
  bytes.set(text, 8);
  writeValues(bytes, start, sorted);
  return bytes;
}

function writeValues(bytes: Uint8Array<ArrayBuffer>, start: number, tensors: readonly NamedTensor[]): void {
  const view = new DataView(bytes.buffer);
  let at = start;
  for (const { values } of tensors) {
    for (let i = 0; i < values.length; i++, at += 4) view.setFloat32(at, values[i], true);
  }
}
