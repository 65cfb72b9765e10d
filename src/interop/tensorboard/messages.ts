/**
 * The messages of TensorBoard's event files that Lyceum writes, by the names and numbers of TensorFlow's public definitions
 * (`event.proto`, `summary.proto`, `histogram.proto`, `tensor.proto`) and of the hparams plugin's (`plugin_data.proto`, `api.proto`).
 */
import type { IField, IMapField, IType } from "protobufjs/light.js";
import { protobuf } from "../../packages.js";

const field = (id: number, type: string) => ({ id, type });
const list = (id: number, type: string) => ({ id, type, rule: "repeated" });
const message = (fields: Record<string, IField | IMapField>): IType => ({
  fields: fields as IType["fields"],
});

const definitions = {
  Event: message({
    wallTime: field(1, "double"),
    step: field(2, "int64"),
    fileVersion: field(3, "string"),
    summary: field(5, "Summary"),
    sessionLog: field(7, "SessionLog"),
  }),
  SessionLog: message({ status: field(1, "int32") }),
  Summary: message({ value: list(1, "SummaryValue") }),
  SummaryValue: message({
    tag: field(1, "string"),
    simpleValue: field(2, "float"),
    image: field(4, "Image"),
    histo: field(5, "Histogram"),
    tensor: field(8, "Tensor"),
    metadata: field(9, "SummaryMetadata"),
  }),
  SummaryMetadata: message({ pluginData: field(1, "PluginData"), summaryDescription: field(3, "string") }),
  PluginData: message({ pluginName: field(1, "string"), content: field(2, "bytes") }),
  Image: message({
    height: field(1, "int32"),
    width: field(2, "int32"),
    colorspace: field(3, "int32"),
    encodedImageString: field(4, "bytes"),
  }),
  Histogram: message({
    min: field(1, "double"),
    max: field(2, "double"),
    num: field(3, "double"),
    sum: field(4, "double"),
    sumSquares: field(5, "double"),
    bucketLimit: list(6, "double"),
    bucket: list(7, "double"),
  }),
  Tensor: message({
    dtype: field(1, "int32"),
    tensorShape: field(2, "TensorShape"),
    stringVal: list(8, "bytes"),
  }),
  TensorShape: message({ dim: list(2, "Dimension") }),
  Dimension: message({ size: field(1, "int64") }),
  HParamsData: message({
    version: field(1, "int32"),
    experiment: field(2, "Experiment"),
    sessionStartInfo: field(3, "SessionStart"),
    sessionEndInfo: field(4, "SessionEnd"),
  }),
  Experiment: message({
    description: field(1, "string"),
    timeCreatedSecs: field(3, "double"),
    hparamInfos: list(4, "HParamInfo"),
    metricInfos: list(5, "MetricInfo"),
    name: field(6, "string"),
  }),
  HParamInfo: message({ name: field(1, "string"), type: field(4, "int32") }),
  MetricInfo: message({
    name: field(1, "MetricName"),
    displayName: field(3, "string"),
    description: field(4, "string"),
  }),
  MetricName: message({ group: field(1, "string"), tag: field(2, "string") }),
  SessionStart: message({
    hparams: { id: 1, keyType: "string", type: "Value" },
    groupName: field(4, "string"),
    startTimeSecs: field(5, "double"),
  }),
  SessionEnd: message({ status: field(1, "int32"), endTimeSecs: field(2, "double") }),
  Value: {
    oneofs: { kind: { oneof: ["numberValue", "stringValue", "boolValue"] } },
    ...message({
      numberValue: field(2, "double"),
      stringValue: field(3, "string"),
      boolValue: field(4, "bool"),
    }),
  },
};

let root: import("protobufjs/light.js").Root | undefined;

/** The bytes of a message. */
export function encode(name: keyof typeof definitions, content: object): Uint8Array {
  if (!root) {
    root = protobuf().Root.fromJSON({ nested: definitions });
    root.resolveAll();
  }
  return root.lookupType(name).encode(content).finish();
}
