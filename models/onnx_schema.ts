/** The parts of the ONNX file format (onnx.proto) that the importers use, as a protobuf schema built in memory. */
import { create, createFileRegistry, type DescMessage, fromBinary } from "@bufbuild/protobuf";
import {
  FieldDescriptorProto_Label as Label,
  FieldDescriptorProto_Type as Type,
  FileDescriptorProtoSchema,
} from "@bufbuild/protobuf/wkt";

export interface OnnxModel {
  readonly producerName: string;
  readonly producerVersion: string;
  readonly graph?: OnnxGraph;
  readonly opsetImport: readonly OnnxOpset[];
}
export interface OnnxOpset {
  readonly domain: string;
  readonly version: bigint;
}
export interface OnnxGraph {
  readonly node: readonly OnnxNode[];
  readonly initializer: readonly OnnxTensor[];
  readonly input: readonly OnnxValue[];
  readonly output: readonly OnnxValue[];
}
export interface OnnxNode {
  readonly input: readonly string[];
  readonly output: readonly string[];
  readonly name: string;
  readonly opType: string;
  readonly attribute: readonly OnnxAttribute[];
}
export interface OnnxAttribute {
  readonly name: string;
  readonly f: number;
  readonly i: bigint;
  readonly s: Uint8Array;
  readonly t?: OnnxTensor;
  readonly floats: readonly number[];
  readonly ints: readonly bigint[];
  readonly strings: readonly Uint8Array[];
}
export interface OnnxTensor {
  readonly name: string;
  readonly dims: readonly bigint[];
  readonly dataType: number;
  readonly floatData: readonly number[];
  /** Also holds the shorter integers, and the bits of half-precision numbers. */
  readonly int32Data: readonly number[];
  readonly stringData: readonly Uint8Array[];
  readonly int64Data: readonly bigint[];
  readonly doubleData: readonly number[];
  readonly uint64Data: readonly bigint[];
  readonly rawData: Uint8Array;
  /** 1: the values are in another file. */
  readonly dataLocation: number;
}
export interface OnnxValue {
  readonly name: string;
  readonly type?: {
    readonly tensorType?: {
      readonly elemType: number;
      readonly shape?: { readonly dim: readonly { readonly dimValue: bigint }[] };
    };
  };
}

/** TensorProto.DataType of onnx.proto. */
export const TENSOR_FLOAT = 1;
export const TENSOR_DOUBLE = 11;

type FieldRow = [name: string, number: number, type: string];

/** Fields by message: name, number, type (`[]` for repeated, a message name for a message). */
const MESSAGES: Record<string, FieldRow[]> = {
  ModelProto: [
    ["ir_version", 1, "int64"],
    ["producer_name", 2, "string"],
    ["producer_version", 3, "string"],
    ["graph", 7, "GraphProto"],
    ["opset_import", 8, "OperatorSetIdProto[]"],
  ],
  OperatorSetIdProto: [["domain", 1, "string"], ["version", 2, "int64"]],
  GraphProto: [
    ["node", 1, "NodeProto[]"],
    ["name", 2, "string"],
    ["initializer", 5, "TensorProto[]"],
    ["input", 11, "ValueInfoProto[]"],
    ["output", 12, "ValueInfoProto[]"],
  ],
  NodeProto: [
    ["input", 1, "string[]"],
    ["output", 2, "string[]"],
    ["name", 3, "string"],
    ["op_type", 4, "string"],
    ["attribute", 5, "AttributeProto[]"],
    ["domain", 7, "string"],
  ],
  AttributeProto: [
    ["name", 1, "string"],
    ["f", 2, "float"],
    ["i", 3, "int64"],
    ["s", 4, "bytes"],
    ["t", 5, "TensorProto"],
    ["floats", 7, "float[]"],
    ["ints", 8, "int64[]"],
    ["strings", 9, "bytes[]"],
    ["type", 20, "int32"],
  ],
  TensorProto: [
    ["dims", 1, "int64[]"],
    ["data_type", 2, "int32"],
    ["float_data", 4, "float[]"],
    ["int32_data", 5, "int32[]"],
    ["string_data", 6, "bytes[]"],
    ["int64_data", 7, "int64[]"],
    ["name", 8, "string"],
    ["raw_data", 9, "bytes"],
    ["double_data", 10, "double[]"],
    ["uint64_data", 11, "uint64[]"],
    ["data_location", 14, "int32"],
  ],
  ValueInfoProto: [["name", 1, "string"], ["type", 2, "TypeProto"]],
  TypeProto: [["tensor_type", 1, "TensorTypeProto"]],
  TensorTypeProto: [["elem_type", 1, "int32"], ["shape", 2, "TensorShapeProto"]],
  TensorShapeProto: [["dim", 1, "DimensionProto[]"]],
  DimensionProto: [["dim_value", 1, "int64"]],
};

const SCALARS: Record<string, Type> = {
  string: Type.STRING,
  bytes: Type.BYTES,
  float: Type.FLOAT,
  double: Type.DOUBLE,
  int32: Type.INT32,
  int64: Type.INT64,
  uint64: Type.UINT64,
};

function field([name, number, text]: FieldRow) {
  const base = text.replace("[]", "");
  const label = text.endsWith("[]") ? Label.REPEATED : Label.OPTIONAL;
  const scalar = SCALARS[base];
  return scalar
    ? { name, number, label, type: scalar }
    : { name, number, label, type: Type.MESSAGE, typeName: `.onnx.${base}` };
}

function modelDescriptor(): DescMessage {
  const messageType = Object.entries(MESSAGES).map(([name, rows]) => ({ name, field: rows.map(field) }));
  const file = create(FileDescriptorProtoSchema, {
    name: "onnx.proto",
    package: "onnx",
    syntax: "proto3",
    messageType,
  });
  return createFileRegistry(file, () => undefined).getMessage("onnx.ModelProto")!;
}

let descriptor: DescMessage | undefined;

/** The descriptor of ModelProto, built once. */
export function onnxDescriptor(): DescMessage {
  return descriptor ??= modelDescriptor();
}

/** Decodes a model; throws the library's error for bytes that are not one. */
export function decodeOnnx(bytes: Uint8Array): OnnxModel {
  return fromBinary(onnxDescriptor(), bytes, { readUnknownFields: false }) as unknown as OnnxModel;
}
