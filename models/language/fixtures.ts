/** For tests: the files of tests/fixtures/language, and changed copies of them. */
import { fileURLToPath } from "node:url";
import { type ErrorCode, isSottoError } from "../../errors.ts";
import assert from "node:assert/strict";

const FOLDER = fileURLToPath(new URL("../../tests/fixtures/language", import.meta.url));

/** The path of a fixture. */
export function fixture(name: string): string {
  return `${FOLDER}/${name}`;
}

/** Runs `use` with the path of a file, or of a folder of files, that is gone afterwards. */
export async function withFiles<T>(
  files: Readonly<Record<string, Uint8Array | string>>,
  use: (folder: string) => Promise<T>,
): Promise<T> {
  const folder = await Deno.makeTempDir();
  try {
    for (const [name, content] of Object.entries(files)) {
      if (typeof content === "string") await Deno.writeTextFile(`${folder}/${name}`, content);
      else await Deno.writeFile(`${folder}/${name}`, content);
    }
    return await use(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** Asserts that something is refused with a code and a part of a message. */
export async function assertRejected(code: ErrorCode, message: string, run: () => Promise<unknown>): Promise<void> {
  await assert.rejects(run, (error) => {
    assert.ok(isSottoError(error), `expected a SottoError and got ${error}`);
    assert.equal(error.code, code);
    assert.ok(error.message.includes(message), error.message);
    return true;
  });
}

/** The bytes of a safetensors file with `header` and `data`. */
export function safetensorsBytes(header: unknown, data: Uint8Array = new Uint8Array()): Uint8Array {
  const text = new TextEncoder().encode(JSON.stringify(header));
  const bytes = new Uint8Array(8 + text.length + data.length);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(text.length), true);
  bytes.set(text, 8);
  bytes.set(data, 8 + text.length);
  return bytes;
}

/** A value of GGUF metadata with its type's number: 4 is a 32-bit count, 7 a truth value, 8 a text. */
export type GgufValue = { readonly type: 4 | 7; readonly value: number } | { readonly type: 8; readonly value: string };

export interface GgufParts {
  readonly version?: number;
  readonly metadata?: readonly (readonly [string, GgufValue])[];
  /** Dimensions innermost first, as in the file. */
  readonly tensors?: readonly {
    readonly name: string;
    readonly dimensions: readonly number[];
    readonly type: number;
    readonly offset: number;
  }[];
  readonly data?: Uint8Array;
}

/** The bytes of a GGUF file with the alignment 32. */
export function ggufBytes(
  { version = 3, metadata = [], tensors = [], data = new Uint8Array() }: GgufParts,
): Uint8Array {
  const bytes: number[] = [];
  const u32 = (value: number) => bytes.push(...new Uint8Array(Uint32Array.of(value).buffer));
  const u64 = (value: number) => bytes.push(...new Uint8Array(BigUint64Array.of(BigInt(value)).buffer));
  const text = (value: string) => {
    const encoded = new TextEncoder().encode(value);
    u64(encoded.length);
    bytes.push(...encoded);
  };
  bytes.push(...new TextEncoder().encode("GGUF"));
  u32(version);
  u64(tensors.length);
  u64(metadata.length);
  for (const [key, { type, value }] of metadata) {
    text(key);
    u32(type);
    if (type === 8) text(value);
    else if (type === 7) bytes.push(value);
    else u32(value);
  }
  for (const { name, dimensions, type, offset } of tensors) {
    text(name);
    u32(dimensions.length);
    dimensions.forEach(u64);
    u32(type);
    u64(offset);
  }
  while (bytes.length % 32) bytes.push(0);
  return new Uint8Array([...bytes, ...data]);
}
