/**
 * Safetensors files: eight bytes of header length, a JSON header, the data. A model is one file, or several with an index
 * (`model.safetensors.index.json`) that says which file holds which tensor.
 */
import { z } from "@hono/zod-openapi";
import { decoding, refuseFile, refuseModel } from "../refuse.ts";
import { SAFETENSORS_TYPES } from "./element_types.ts";
import { FileBytes, readText } from "./file_bytes.ts";
import { HEADER_BYTES_MAX, SHARDS_MAX, TENSORS_MAX } from "./limits.ts";
import { checkExtent, FileTensors, type TensorEntry, type TensorSource } from "./tensor_source.ts";

const count = z.number().int().nonnegative();
const tensorSchema = z.object({
  dtype: z.string().max(32),
  shape: z.array(count).max(8),
  data_offsets: z.tuple([count, count]),
});
const headerSchema = z.record(z.string().max(512), z.unknown());
const indexSchema = z.looseObject({ weight_map: z.record(z.string().max(512), z.string().max(255)) });

/** What zod found wrong, in one line. */
function problem(error: z.ZodError): string {
  return error.issues.slice(0, 3).map((issue) => `${issue.path.join(".")}: ${issue.message}`).join("; ");
}

async function readHeader(file: FileBytes): Promise<[Record<string, unknown>, dataStart: number]> {
  const start = await file.read(0, 8);
  const length = Number(new DataView(start.buffer).getBigUint64(0, true));
  if (length > HEADER_BYTES_MAX || length > file.size - 8) {
    refuseFile(`${file.path} announces a header of ${length} bytes; it is not a safetensors file, or not whole.`);
  }
  const text = new TextDecoder().decode(await file.read(8, length));
  const header = headerSchema.safeParse(decoding("a safetensors header", () => JSON.parse(text)));
  if (!header.success) return refuseFile(`${file.path} has a header that is no list of tensors.`);
  return [header.data, 8 + length];
}

function readEntry(file: FileBytes, name: string, value: unknown, dataStart: number): TensorEntry {
  const parsed = tensorSchema.safeParse(value);
  if (!parsed.success) return refuseFile(`${name} in ${file.path} is not described: ${problem(parsed.error)}.`);
  const { dtype, shape, data_offsets: [begin, end] } = parsed.data;
  const offset = dataStart + begin;
  if (!(begin <= end && dataStart + end <= file.size)) {
    refuseFile(`${name} lies beyond the end of ${file.path}; fetch the file again.`);
  }
  const type = SAFETENSORS_TYPES.get(dtype);
  if (!type) return { file, offset, shape, type: dtype };
  const bytes = checkExtent(name, type, shape, offset, dataStart + end);
  if (bytes !== end - begin) {
    refuseFile(`${name} has ${end - begin} bytes in ${file.path}, and its shape says ${bytes}.`);
  }
  return { file, offset, shape, type };
}

async function readEntries(file: FileBytes): Promise<Map<string, TensorEntry>> {
  const [header, dataStart] = await readHeader(file);
  const names = Object.keys(header).filter((name) => name !== "__metadata__");
  if (names.length > TENSORS_MAX) refuseFile(`${file.path} has ${names.length} tensors and may have ${TENSORS_MAX}.`);
  return new Map(names.map((name) => [name, readEntry(file, name, header[name], dataStart)]));
}

/** Opens files and reads their tensors; closes all of them when one is refused. */
async function openFiles(paths: readonly string[]): Promise<[FileBytes[], Map<string, TensorEntry>[]]> {
  const files: FileBytes[] = [];
  try {
    const entries: Map<string, TensorEntry>[] = [];
    for (const path of paths) {
      files.push(await FileBytes.open(path));
      entries.push(await readEntries(files.at(-1)!));
    }
    return [files, entries];
  } catch (error) {
    for (const file of files) file.close();
    throw error;
  }
}

/**
 * Opens one safetensors file.
 * @throws SottoError `file_unreadable`, `malformed_file`
 */
export async function openSafetensors(path: string): Promise<TensorSource> {
  const [files, [entries]] = await openFiles([path]);
  return new FileTensors(entries, files);
}

const metadataSchema = z.record(z.string(), z.string()).default({});

/**
 * The texts that one safetensors file carries beside its tensors.
 * @throws SottoError `file_unreadable`, `malformed_file`
 */
export async function safetensorsMetadata(path: string): Promise<Readonly<Record<string, string>>> {
  using file = await FileBytes.open(path);
  const [header] = await readHeader(file);
  const parsed = metadataSchema.safeParse(header.__metadata__);
  return parsed.success ? parsed.data : refuseFile(`${path} has metadata that are no texts.`);
}

/**
 * Opens the files that an index names. They lie beside it.
 * @throws SottoError `file_unreadable`, `malformed_file`, `model_refused` for an index that names other folders
 */
export async function openSafetensorsIndex(path: string): Promise<TensorSource> {
  const text = await readText(path, HEADER_BYTES_MAX);
  const parsed = indexSchema.safeParse(decoding("a safetensors index", () => JSON.parse(text)));
  if (!parsed.success) return refuseFile(`${path} is no safetensors index: ${problem(parsed.error)}.`);
  const map = Object.entries(parsed.data.weight_map);
  const shards = [...new Set(map.map(([, shard]) => shard))];
  if (shards.length > SHARDS_MAX) refuseModel(`${path} names ${shards.length} files; at most ${SHARDS_MAX} are read.`);
  if (map.length > TENSORS_MAX) refuseModel(`${path} names ${map.length} tensors; at most ${TENSORS_MAX} are read.`);
  const foreign = shards.find((shard) => !/^[\w.-]+$/.test(shard) || shard.startsWith("."));
  if (foreign !== undefined) refuseModel(`${path} names the file "${foreign}"; files lie beside the index.`);
  const folder = path.replace(/[^/]*$/, "");
  const [files, entries] = await openFiles(shards.map((shard) => folder + shard));
  try {
    return new FileTensors(joined(map, shards, entries), files);
  } catch (error) {
    for (const file of files) file.close();
    throw error;
  }
}

function joined(map: [string, string][], shards: string[], entries: Map<string, TensorEntry>[]) {
  const byShard = new Map(shards.map((shard, index) => [shard, entries[index]]));
  return new Map(map.map(([name, shard]) => {
    const entry = byShard.get(shard)?.get(name);
    return [name, entry ?? refuseFile(`${name} is not in ${shard}, where the index places it; fetch the files again.`)];
  }));
}
