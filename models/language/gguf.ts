/**
 * GGUF files, versions 2 and 3: metadata, a list of tensors, the data. The decoder is our own, since @huggingface/gguf
 * reads a file that ends inside its header as if zeros followed.
 */
import { refuseFile, refuseModel } from "../refuse.ts";
import { ByteCursor, type NumberType } from "./byte_cursor.ts";
import { GGUF_TYPES } from "./element_types.ts";
import { FileBytes } from "./file_bytes.ts";
import { Metadata, type MetadataValue } from "./gguf_metadata.ts";
import { GGUF_HEADER_BYTES_MAX, METADATA_ELEMENTS_MAX, METADATA_ENTRIES_MAX, TENSORS_MAX } from "./limits.ts";
import { checkExtent, FileTensors, type TensorEntry, type TensorSource } from "./tensor_source.ts";

const MAGIC = 0x46554747; // "GGUF"
const TEXT = 8;
const ARRAY = 9;
const TRUTH = 7;
const NUMBERS: Readonly<Record<number, NumberType>> = {
  0: "u8",
  1: "i8",
  2: "u16",
  3: "i16",
  4: "u32",
  5: "i32",
  6: "f32",
  7: "u8",
  10: "u64",
  11: "i64",
  12: "f64",
};

/** An open GGUF file. */
export interface Gguf {
  readonly metadata: Metadata;
  readonly tensors: TensorSource;
}

async function readCounts(cursor: ByteCursor, path: string): Promise<[tensors: number, entries: number]> {
  if (cursor.left < 24 || await cursor.number("u32") !== MAGIC) refuseFile(`${path} is not a GGUF file.`);
  const version = await cursor.number("u32");
  if (version !== 2 && version !== 3) {
    const why = version > 0xffff ? "is big endian" : `has the version ${version}`;
    refuseModel(`${path} ${why}; Sotto reads little-endian GGUF files of version 2 and 3.`);
  }
  return [
    await cursor.count("the number of tensors", TENSORS_MAX),
    await cursor.count("the number of entries", METADATA_ENTRIES_MAX),
  ];
}

async function readArray(cursor: ByteCursor): Promise<MetadataValue> {
  const type = await cursor.number("u32");
  const length = await cursor.count("the length of an array", METADATA_ELEMENTS_MAX);
  if (type === TEXT) {
    const texts: string[] = [];
    for (let index = 0; index < length; index++) texts.push(await cursor.text());
    return texts;
  }
  const numberType = NUMBERS[type] ?? refuseFile(`The metadata have an array of the unknown type ${type}.`);
  const numbers: number[] = [];
  for (let index = 0; index < length; index++) numbers.push(await cursor.number(numberType));
  return numbers;
}

async function readValue(cursor: ByteCursor): Promise<MetadataValue> {
  const type = await cursor.number("u32");
  if (type === TEXT) return await cursor.text();
  if (type === ARRAY) return await readArray(cursor);
  const value = await cursor.number(
    NUMBERS[type] ?? refuseFile(`The metadata have a value of the unknown type ${type}.`),
  );
  return type === TRUTH ? value !== 0 : value;
}

async function readMetadata(cursor: ByteCursor, entries: number): Promise<Metadata> {
  const values = new Map<string, MetadataValue>();
  for (let index = 0; index < entries; index++) {
    const key = await cursor.text();
    if (values.has(key)) refuseFile(`The metadata hold ${key} twice.`);
    values.set(key, await readValue(cursor));
  }
  return new Metadata(values);
}

/** A line of the list of tensors. Dimensions lie innermost first in the file. */
interface Line {
  readonly name: string;
  readonly shape: readonly number[];
  readonly type: number;
  readonly offset: number;
}

async function readLine(cursor: ByteCursor): Promise<Line> {
  const name = await cursor.text();
  const dimensions = await cursor.number("u32");
  if (dimensions > 4) refuseFile(`${name} has ${dimensions} dimensions, and four are the most.`);
  const shape: number[] = [];
  for (let index = 0; index < dimensions; index++) {
    shape.unshift(await cursor.count(`a dimension of ${name}`, Number.MAX_SAFE_INTEGER));
  }
  return { name, shape, type: await cursor.number("u32"), offset: await cursor.number("u64") };
}

async function readLines(cursor: ByteCursor, count: number): Promise<Line[]> {
  const lines: Line[] = [];
  for (let index = 0; index < count; index++) lines.push(await readLine(cursor));
  return lines;
}

function place(
  lines: readonly Line[],
  file: FileBytes,
  dataStart: number,
  alignment: number,
): Map<string, TensorEntry> {
  const entries = new Map<string, TensorEntry>();
  for (const { name, shape, type, offset } of lines) {
    if (entries.has(name)) refuseFile(`${file.path} lists ${name} twice.`);
    if (offset % alignment) refuseFile(`${name} does not lie at a multiple of ${alignment} bytes.`);
    const elementType = GGUF_TYPES.get(type);
    if (elementType) checkExtent(name, elementType, shape, dataStart + offset, file.size);
    entries.set(name, { file, offset: dataStart + offset, shape, type: elementType ?? `ggml type ${type}` });
  }
  return entries;
}

async function readGguf(file: FileBytes): Promise<Gguf> {
  const cursor = new ByteCursor(file, Math.min(file.size, GGUF_HEADER_BYTES_MAX));
  const [tensorCount, entryCount] = await readCounts(cursor, file.path);
  const metadata = await readMetadata(cursor, entryCount);
  const parts = metadata.number("split.count") ?? 1;
  if (parts > 1) refuseModel(`${file.path} is one of ${parts} parts; merge them with llama.cpp's gguf-split first.`);
  const alignment = metadata.number("general.alignment") ?? 32;
  if (!(Number.isInteger(alignment) && alignment >= 1 && alignment <= 1 << 16)) {
    refuseFile(`${file.path} has the alignment ${alignment}, which is none.`);
  }
  const lines = await readLines(cursor, tensorCount);
  const dataStart = Math.ceil(cursor.offset / alignment) * alignment;
  return { metadata, tensors: new FileTensors(place(lines, file, dataStart, alignment), [file]) };
}

/**
 * Opens a GGUF file. Tensors of element types that are not read are listed, and refused by name when they are read.
 * @throws SottoError `file_unreadable`, `malformed_file`, `model_refused` for other versions and split files
 */
export async function openGguf(path: string): Promise<Gguf> {
  const file = await FileBytes.open(path);
  try {
    return await readGguf(file);
  } catch (error) {
    file.close();
    throw error;
  }
}
