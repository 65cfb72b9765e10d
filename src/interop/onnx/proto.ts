/**
 * The messages of an ONNX file that Lyceum writes, by the names and numbers of ONNX's public definition (`onnx.proto`,
 * IR version 8), and their encoding by protobufjs.
 */
import { protobuf } from "../../packages.js";

/** The version of the file format: that of ONNX 1.12, the first with {@link OPSET}. */
export const IR_VERSION = 8;
/** The version of the operators. */
export const OPSET = 17;

/** The numbers of element types (`TensorProto.DataType`). */
export const dataTypes = {
  float32: 1,
  uint8: 2,
  int8: 3,
  int32: 6,
  int64: 7,
  bool: 9,
  float64: 11,
} as const;
export type DataType = keyof typeof dataTypes;

export interface OnnxTensor {
  name: string;
  dims: readonly number[];
  dataType: number;
  /** The elements, little-endian. */
  rawData: Uint8Array;
}

/** The numbers of attribute types (`AttributeProto.AttributeType`). */
export const attributeTypes = { float: 1, int: 2, string: 3, tensor: 4, floats: 6, ints: 7 } as const;

export interface OnnxAttribute {
  name: string;
  type: number;
  f?: number;
  i?: number;
  s?: Uint8Array;
  t?: OnnxTensor;
  floats?: readonly number[];
  ints?: readonly number[];
}

export interface OnnxNode {
  name: string;
  opType: string;
  input: readonly string[];
  output: readonly string[];
  attribute: readonly OnnxAttribute[];
}

/** The type of a graph's input or output. */
export interface OnnxValue {
  name: string;
  type: {
    tensorType: {
      elemType: number;
      shape: { dim: readonly ({ dimValue: number } | { dimParam: string })[] };
    };
  };
  docString?: string;
}

export interface OnnxModel {
  irVersion: number;
  producerName: string;
  producerVersion: string;
  docString: string;
  graph: {
    name: string;
    node: readonly OnnxNode[];
    initializer: readonly OnnxTensor[];
    input: readonly OnnxValue[];
    output: readonly OnnxValue[];
  };
  opsetImport: readonly { domain: string; version: number }[];
  metadataProps: readonly { key: string; value: string }[];
}

const field = (id: number, type: string) => ({ id, type });
const list = (id: number, type: string) => ({ id, type, rule: "repeated" });

const definitions = {
  ModelProto: {
    fields: {
      irVersion: field(1, "int64"),
      producerName: field(2, "string"),
      producerVersion: field(3, "string"),
      docString: field(6, "string"),
      graph: field(7, "GraphProto"),
      opsetImport: list(8, "OperatorSetIdProto"),
      metadataProps: list(14, "StringStringEntryProto"),
    },
  },
  OperatorSetIdProto: { fields: { domain: field(1, "string"), version: field(2, "int64") } },
  StringStringEntryProto: { fields: { key: field(1, "string"), value: field(2, "string") } },
  GraphProto: {
    fields: {
      node: list(1, "NodeProto"),
      name: field(2, "string"),
      initializer: list(5, "TensorProto"),
      input: list(11, "ValueInfoProto"),
      output: list(12, "ValueInfoProto"),
    },
  },
  NodeProto: {
    fields: {
      input: list(1, "string"),
      output: list(2, "string"),
      name: field(3, "string"),
      opType: field(4, "string"),
      attribute: list(5, "AttributeProto"),
    },
  },
  AttributeProto: {
    fields: {
      name: field(1, "string"),
      f: field(2, "float"),
      i: field(3, "int64"),
      s: field(4, "bytes"),
      t: field(5, "TensorProto"),
      floats: list(7, "float"),
      ints: list(8, "int64"),
      type: field(20, "int32"),
    },
  },
  TensorProto: {
    fields: {
      dims: list(1, "int64"),
      dataType: field(2, "int32"),
      name: field(8, "string"),
      rawData: field(9, "bytes"),
    },
  },
  ValueInfoProto: {
    fields: { name: field(1, "string"), type: field(2, "TypeProto"), docString: field(3, "string") },
  },
  TypeProto: { fields: { tensorType: field(1, "TensorTypeProto") } },
  TensorTypeProto: { fields: { elemType: field(1, "int32"), shape: field(2, "TensorShapeProto") } },
  TensorShapeProto: { fields: { dim: list(1, "DimensionProto") } },
  DimensionProto: { fields: { dimValue: field(1, "int64"), dimParam: field(2, "string") } },
};

/** The bytes of a file. */
export function encodeModel(model: OnnxModel): Uint8Array {
  const messages = protobuf().Root.fromJSON({ nested: definitions }).resolveAll();
  return messages.lookupType("ModelProto").encode(model).finish();
}
