/** Reads the tensors of an ONNX file. Source: TensorProto of onnx.proto. */
import { IMPORT_ELEMENTS_MAX } from "../limits.ts";
import type { OnnxTensor } from "../onnx_schema.ts";
import { decoding, refuseModel } from "../refuse.ts";
import { sizeOf } from "./shapes.ts";
import type { Constant, Texts } from "./value.ts";

interface ElementType {
  readonly bytes: number;
  readonly integer: boolean;
  /** One element of `rawData`. */
  read(view: DataView, at: number): number;
  /** The elements where there is no `rawData`. */
  list(tensor: OnnxTensor): ArrayLike<number>;
}

const integers = (tensor: OnnxTensor) => tensor.int32Data;
const halves = (decode: (bits: number) => number) => (tensor: OnnxTensor) => tensor.int32Data.map(decode);

const FLOAT: ElementType = {
  bytes: 4,
  integer: false,
  read: (view, at) => view.getFloat32(at, true),
  list: (tensor) => tensor.floatData,
};
const DOUBLE: ElementType = {
  bytes: 8,
  integer: false,
  read: (view, at) => view.getFloat64(at, true),
  list: (tensor) => tensor.doubleData,
};
const INT64: ElementType = {
  bytes: 8,
  integer: true,
  read: (view, at) => Number(view.getBigInt64(at, true)),
  list: (tensor) => tensor.int64Data.map(Number),
};

/** By TensorProto.DataType. */
const TYPES: Readonly<Record<number, ElementType>> = {
  1: FLOAT,
  2: { bytes: 1, integer: true, read: (view, at) => view.getUint8(at), list: integers },
  3: { bytes: 1, integer: true, read: (view, at) => view.getInt8(at), list: integers },
  4: { bytes: 2, integer: true, read: (view, at) => view.getUint16(at, true), list: integers },
  5: { bytes: 2, integer: true, read: (view, at) => view.getInt16(at, true), list: integers },
  6: { bytes: 4, integer: true, read: (view, at) => view.getInt32(at, true), list: integers },
  7: INT64,
  9: { bytes: 1, integer: true, read: (view, at) => view.getUint8(at), list: integers },
  10: { bytes: 2, integer: false, read: (view, at) => half(view.getUint16(at, true)), list: halves(half) },
  11: DOUBLE,
  12: { bytes: 4, integer: true, read: (view, at) => view.getUint32(at, true), list: (t) => t.uint64Data.map(Number) },
  13: {
    bytes: 8,
    integer: true,
    read: (view, at) => Number(view.getBigUint64(at, true)),
    list: (tensor) => tensor.uint64Data.map(Number),
  },
  16: { bytes: 2, integer: false, read: (view, at) => brain(view.getUint16(at, true)), list: halves(brain) },
};
const STRING = 8;

/** The value of a half-precision number, from its bits. */
function half(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  if (exponent === 31) return fraction ? NaN : sign * Infinity;
  return sign * (exponent === 0 ? fraction * 2 ** -24 : (1 + fraction / 1024) * 2 ** (exponent - 15));
}

/** The value of a bfloat16 number, from its bits. */
function brain(bits: number): number {
  const view = new DataView(new ArrayBuffer(4));
  view.setUint16(0, bits);
  return view.getFloat32(0);
}

/** True for element types of numbers. */
export function isNumeric(dataType: number): boolean {
  return TYPES[dataType] !== undefined;
}

/** True for element types of integers and truth values. */
export function isInteger(dataType: number): boolean {
  return TYPES[dataType]?.integer ?? false;
}

/**
 * The values of a tensor.
 * @param where how messages name it
 * @throws SottoError `model_refused` for external data, an element type that Sotto does not read, or a wrong length
 */
export function readTensor(tensor: OnnxTensor, where: string): Constant | Texts {
  if (tensor.dataLocation !== 0) {
    refuseModel(`${where} keeps its values in another file; save the model with its weights inside, in one file.`);
  }
  const shape = tensor.dims.map(Number);
  const size = sizeOf(shape);
  if (shape.some((dimension) => dimension < 0) || !(size <= IMPORT_ELEMENTS_MAX)) {
    refuseModel(`${where} has the shape [${shape.slice(0, 8).join(", ")}], which is not one of a tensor that fits.`);
  }
  if (tensor.dataType === STRING) return readTexts(tensor, shape, where);
  const type = TYPES[tensor.dataType] ??
    refuseModel(`${where} has the element type ${tensor.dataType}; export the model with float32 weights.`);
  const raw = tensor.rawData;
  const list = raw.length > 0 ? undefined : type.list(tensor);
  const found = list ? list.length : raw.length / type.bytes;
  if (found !== size) refuseModel(`${where} has ${found} elements, and its shape [${shape.join(", ")}] says ${size}.`);
  const values = type.integer || type === DOUBLE ? new Float64Array(size) : new Float32Array(size);
  if (list) values.set(list);
  else fill(values, raw, type);
  return { kind: "constant", shape, values, integer: type.integer };
}

function fill(values: Float32Array | Float64Array, raw: Uint8Array, type: ElementType): void {
  const view = new DataView(raw.buffer, raw.byteOffset, raw.byteLength);
  for (let i = 0; i < values.length; i++) values[i] = type.read(view, i * type.bytes);
}

function readTexts(tensor: OnnxTensor, shape: number[], where: string): Texts {
  if (tensor.stringData.length !== sizeOf(shape)) {
    refuseModel(`${where} has ${tensor.stringData.length} texts, and its shape says ${sizeOf(shape)}.`);
  }
  const decoder = new TextDecoder("utf-8", { fatal: true });
  const values = decoding("an ONNX model with texts in UTF-8", () => tensor.stringData.map((t) => decoder.decode(t)));
  return { kind: "texts", shape, values };
}
