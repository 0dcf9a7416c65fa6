/** Header, digest and whole files of layout version 1: see `docs/files.md`. */
import { Buffer } from "node:buffer";
import { createHash } from "node:crypto";
import { SottoError } from "../errors.ts";

/** Kinds in the order of their numbers, from 1. */
const KINDS = [
  "secret_key",
  "evaluation_keys",
  "public_key",
  "encrypted_rows",
  "encrypted_answers",
  "lookup_keys",
  "training_keys",
  "training_batch",
  "training_weights",
] as const;
export type FileKind = typeof KINDS[number];

export const HEADER_BYTES = 128;
export const DIGEST_BYTES = 32;
export const ID_BYTES = 32;
export const FORMAT_VERSION = 1;
/** Flag of a secret key file whose payload is sealed with a passphrase. */
export const FLAG_SEALED = 1;
/** Flag of a training batch that was encrypted with the public key. */
export const FLAG_PUBLIC = 1;
/** Flag of training weights that their owner encrypted afresh: seeded input records instead of a state. */
export const FLAG_FRESH = 1;
/** Flags of a lookup key file: its setting. */
export const LOOKUP_SETTINGS = [1, 2, 3] as const;

const MAGIC = [0x53, 0x4f, 0x54, 0x54, 0x4f, 0x00, 0x1a, 0x0a];
const NAME_BYTES = 32;
const AT = {
  version: 8,
  kind: 10,
  count: 12,
  bytes: 16,
  rows: 20,
  bits: 24,
  flags: 26,
  reserved: 28,
  name: 32,
  key: 64,
  model: 96,
};

/** The first 128 bytes of a file. */
export interface Header {
  readonly kind: FileKind;
  readonly recordCount: number;
  readonly recordBytes: number;
  /** Data rows in the payload; 0 for keys. */
  readonly rowCount: number;
  readonly coefficientBits: number;
  /** 0, or `FLAG_SEALED` for a sealed secret key, or the setting (1, 2 or 3) of lookup keys. */
  readonly flags: number;
  readonly parameterSet: string;
  /** 32 bytes: identifies the key pair. */
  readonly keyId: Uint8Array;
  /** 32 bytes; zero for keys. */
  readonly modelId: Uint8Array;
}

/** What the reader of a file demands of its header; what is left out is not checked. */
export interface Expected {
  /** One kind, or any of several. */
  readonly kind?: FileKind | readonly FileKind[];
  readonly parameterSet?: string;
  /** Largest length of the whole file in bytes. */
  readonly maxBytes?: number;
}

export interface DecodedFile {
  readonly header: Header;
  /** A view into the bytes given, not a copy. */
  readonly payload: Uint8Array;
  /** SHA-256 of header and payload as 64 hex digits: the identity of the file. */
  readonly digest: string;
}

/**
 * The 128 bytes of a header.
 * @throws SottoError `malformed_file` when a field does not fit
 */
export function encodeHeader(header: Header): Uint8Array {
  const bytes = new Uint8Array(HEADER_BYTES);
  const view = new DataView(bytes.buffer);
  checkFields(header);
  bytes.set(MAGIC);
  view.setUint16(AT.version, FORMAT_VERSION, true);
  view.setUint16(AT.kind, KINDS.indexOf(header.kind) + 1, true);
  view.setUint32(AT.count, header.recordCount, true);
  view.setUint32(AT.bytes, header.recordBytes, true);
  view.setUint32(AT.rows, header.rowCount, true);
  view.setUint16(AT.bits, header.coefficientBits, true);
  view.setUint16(AT.flags, header.flags, true);
  bytes.set(new TextEncoder().encode(header.parameterSet), AT.name);
  bytes.set(header.keyId, AT.key);
  bytes.set(header.modelId, AT.model);
  return bytes;
}

/**
 * Reads and checks the first 128 bytes of a file.
 * @throws SottoError `malformed_file`, `unsupported_version`, `wrong_file_kind`, `wrong_parameter_set` or `body_too_large`
 */
export function decodeHeader(bytes: Uint8Array, expected: Expected = {}): Header {
  if (bytes.length < HEADER_BYTES) malformed(`it has ${bytes.length} bytes, a header alone has ${HEADER_BYTES}`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, HEADER_BYTES);
  if (MAGIC.some((byte, i) => bytes[i] !== byte)) malformed("it does not begin as a Sotto file does");
  const version = view.getUint16(AT.version, true);
  if (version !== FORMAT_VERSION) {
    throw new SottoError("unsupported_version", `the file has format version ${version}; this Sotto reads version 1`);
  }
  const kind = KINDS[view.getUint16(AT.kind, true) - 1];
  if (kind === undefined) malformed(`its kind ${view.getUint16(AT.kind, true)} is unknown`);
  if (view.getUint32(AT.reserved, true) !== 0) malformed("its reserved bytes are not zero");
  const header = readFields(bytes, view, kind);
  checkFields(header);
  checkExpected(header, expected);
  return header;
}

function readFields(bytes: Uint8Array, view: DataView, kind: FileKind): Header {
  return {
    kind,
    recordCount: view.getUint32(AT.count, true),
    recordBytes: view.getUint32(AT.bytes, true),
    rowCount: view.getUint32(AT.rows, true),
    coefficientBits: view.getUint16(AT.bits, true),
    flags: view.getUint16(AT.flags, true),
    parameterSet: readName(bytes.subarray(AT.name, AT.name + NAME_BYTES)),
    keyId: bytes.slice(AT.key, AT.key + ID_BYTES),
    modelId: bytes.slice(AT.model, AT.model + ID_BYTES),
  };
}

function readName(bytes: Uint8Array): string {
  const zero = bytes.indexOf(0);
  const end = zero < 0 ? NAME_BYTES : zero;
  if (bytes.subarray(end).some((byte) => byte !== 0)) {
    malformed("the name of its parameter set is not padded with zeros");
  }
  return String.fromCharCode(...bytes.subarray(0, end));
}

function checkFields(header: Header): void {
  const isKey = /_keys?$/.test(header.kind);
  for (const field of ["recordCount", "recordBytes", "rowCount"] as const) {
    const value = header[field];
    if (!Number.isInteger(value) || value < 0 || value > 0xffffffff) malformed(`${field} ${value} is no 32-bit number`);
  }
  if (!/^[\x21-\x7e]{1,32}$/.test(header.parameterSet)) malformed("the name of its parameter set is no ASCII name");
  if (!(header.coefficientBits >= 1 && header.coefficientBits <= 64)) malformed("its coefficient bits are not 1 to 64");
  if (!flagsOf(header.kind).includes(header.flags)) malformed("its flags are unknown");
  if (header.keyId.length !== ID_BYTES || header.modelId.length !== ID_BYTES) malformed("an id has not 32 bytes");
  if (isKey && (header.rowCount !== 0 || header.modelId.some((byte) => byte !== 0))) {
    malformed("a key file names rows or a model");
  }
  if (exactLength(header) > BigInt(Number.MAX_SAFE_INTEGER)) {
    malformed("its record numbers multiply to an impossible length");
  }
}

function flagsOf(kind: FileKind): readonly number[] {
  if (kind === "lookup_keys") return LOOKUP_SETTINGS;
  if (kind === "training_batch") return [0, FLAG_PUBLIC];
  if (kind === "training_weights") return [0, FLAG_FRESH];
  return kind === "secret_key" ? [0, FLAG_SEALED] : [0];
}

function checkExpected(header: Header, expected: Expected): void {
  const kinds = [expected.kind ?? header.kind].flat();
  if (!kinds.includes(header.kind)) {
    const wanted = kinds.map(words).join(" or ");
    throw new SottoError("wrong_file_kind", `the file holds ${words(header.kind)}, expected ${wanted}`);
  }
  if (expected.parameterSet !== undefined && header.parameterSet !== expected.parameterSet) {
    throw new SottoError(
      "wrong_parameter_set",
      `the file was made with parameter set ${header.parameterSet}, expected ${expected.parameterSet}; make new keys`,
    );
  }
  const length = expectedLength(header);
  if (expected.maxBytes !== undefined && length > expected.maxBytes) {
    throw new SottoError("body_too_large", `the file announces ${length} bytes, the limit is ${expected.maxBytes}`);
  }
}

function words(kind: FileKind): string {
  return kind.replaceAll("_", " ");
}

function exactLength(header: Header): bigint {
  return BigInt(HEADER_BYTES + DIGEST_BYTES) + BigInt(header.recordCount) * BigInt(header.recordBytes);
}

/** Length in bytes of the whole file that the header announces; exact, below 2^53 for every header that decodes. */
export function expectedLength(header: Header): number {
  return Number(exactLength(header));
}

/**
 * Header, payload and digest as one array.
 * @throws SottoError `malformed_file` when the payload has not the announced length
 */
export function encodeFile(header: Header, payload: Uint8Array): Uint8Array {
  const head = encodeHeader(header);
  const length = expectedLength(header);
  if (payload.length !== length - HEADER_BYTES - DIGEST_BYTES) {
    malformed(`its payload has ${payload.length} bytes, its header announces ${length - HEADER_BYTES - DIGEST_BYTES}`);
  }
  const file = new Uint8Array(length);
  file.set(head);
  file.set(payload, HEADER_BYTES);
  const body = file.subarray(0, length - DIGEST_BYTES);
  file.set(createHash("sha256").update(body).digest(), body.length);
  return file;
}

/**
 * Checks a whole file: header, length, digest.
 * @throws SottoError of `decodeHeader`, or `malformed_file` for a wrong length, `digest_mismatch` for changed bytes
 */
export function decodeFile(bytes: Uint8Array, expected: Expected = {}): DecodedFile {
  const header = decodeHeader(bytes, expected);
  const length = expectedLength(header);
  if (bytes.length !== length) malformed(`it has ${bytes.length} bytes, its header announces ${length}`);
  const body = bytes.subarray(0, length - DIGEST_BYTES);
  const digest = createHash("sha256").update(body).digest();
  requireDigest(digest, bytes.subarray(length - DIGEST_BYTES));
  return { header, payload: body.subarray(HEADER_BYTES), digest: digest.toString("hex") };
}

/** @throws SottoError `digest_mismatch` */
export function requireDigest(computed: Uint8Array, trailer: Uint8Array): void {
  if (Buffer.compare(computed, trailer) !== 0) {
    throw new SottoError(
      "digest_mismatch",
      "the file was changed or damaged: its digest does not match; send it again",
    );
  }
}

/** @throws SottoError `malformed_file` */
export function malformed(reason: string): never {
  throw new SottoError("malformed_file", `the file is not a valid Sotto file: ${reason}`);
}
