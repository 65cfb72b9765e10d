import type { Module } from "../../nn/index.js";
import { Graph } from "./graph.js";
import { addNetwork } from "./network.js";
import { dataTypes, encodeModel, IR_VERSION, type OnnxValue, OPSET } from "./proto.js";
import { roundWeights } from "./round-weights.js";

export interface OnnxOptions {
  /** The images that the networks take. */
  size: { channels: number; height: number; width: number };
  /** The number of classes. */
  classes: number;
  /**
   * How images are normalised. Where it is given, the graph does it: its input `pixels` is uint8, as image files store them.
   * Else its input `images` is float32 and normalised already. Either is [N, channels, height, width], N open.
   */
  normalise?: { mean: readonly number[]; std: readonly number[] } | undefined;
  /** Whether the output is `probabilities` instead of `logits`, both float32 [N, classes]. Default: only an ensemble's is. */
  softmax?: boolean | undefined;
  /** What several networks average, as `analysis.ensembleLogits` does: their softmax, or their logits. Default: "softmax". */
  mean?: "softmax" | "logits" | undefined;
  /** How much each of several networks counts. Default: all the same. */
  weights?: readonly number[] | undefined;
  /**
   * Whether weights of convolutions and linear layers are rounded to int8, with a scale for each output channel: a quarter of the
   * bytes, and slightly other answers. Default: false.
   */
  int8?: boolean | undefined;
  /** What stands before the names of each network's weights, where there are several. */
  names?: readonly string[] | undefined;
  /** For people: what the networks are. */
  description?: string | undefined;
  /** The program's version. */
  version: string;
  /** Properties of the file, such as the classes' names. */
  metadata?: Readonly<Record<string, string>> | undefined;
}

/** Protocol buffers hold no more in one message. */
const MOST_BYTES = 2 ** 31 - 1;

/**
 * Writes networks as one ONNX graph (opset 17). What each computes is found by letting it answer; the graph holds what it did
 * for batches of any size. Batch norm is folded where it is in the networks that are given (`foldBatchNorm`).
 *
 * @param models networks in evaluation mode, whose weights are not changed; several are an ensemble
 * @returns the file's bytes
 * @throws OnnxError naming the layer which computes what has no counterpart here, or which depends on the values of images or on
 *   their number; RangeError when a network is in training mode, or the file would be larger than 2 GiB
 */
export function exportOnnx(models: readonly Module[], options: OnnxOptions): Uint8Array {
  const { size, classes, normalise, names = [], description = "", version, metadata = {} } = options;
  const { int8 = false } = options;
  for (const model of models) {
    if ([...model.namedModules().values()].some(({ training }) => training))
      throw new RangeError("a network in training mode cannot be written as ONNX: call eval() first");
  }
  const graph = new Graph();
  const input = graph.name(normalise ? "pixels" : "images");
  const output = isSoft(options, models.length) ? "probabilities" : "logits";
  graph.name(output);
  const images = normalise ? addNormalisation(graph, input, normalise) : input;
  const logits = models.map((model, i) => {
    const prefix = models.length > 1 ? `${names[i] ?? `network-${i}`}.` : "";
    return addNetwork(graph, model, {
      input: images,
      size: [size.channels, size.height, size.width],
      prefix,
    });
  });
  graph.nodes.push({
    name: output,
    opType: "Identity",
    input: [addAnswer(graph, logits, options)],
    output: [output],
    attribute: [],
  });
  if (int8) roundWeights(graph);
  const bytes = graph.initializers.reduce((sum, { rawData }) => sum + rawData.length, 0);
  if (bytes > MOST_BYTES)
    throw new RangeError(
      `${Math.round(bytes / 2 ** 20)} MiB of weights do not fit into an ONNX file, which holds 2 GiB`,
    );
  return encodeModel({
    irVersion: IR_VERSION,
    producerName: "lyceum",
    producerVersion: version,
    docString: int8 ? `${description}${description && "; "}weights rounded to int8` : description,
    graph: {
      name: "lyceum",
      node: graph.nodes,
      initializer: graph.initializers,
      input: [value(input, normalise ? "uint8" : "float32", [size.channels, size.height, size.width])],
      output: [value(output, "float32", [classes])],
    },
    opsetImport: [{ domain: "", version: OPSET }],
    metadataProps: Object.entries(metadata).map(([key, value]) => ({ key, value })),
  });
}

const isSoft = ({ softmax }: OnnxOptions, count: number) => softmax ?? count > 1;

/** The name and type of an input or output, whose first size is left open. */
function value(name: string, dtype: "uint8" | "float32", sizes: readonly number[]): OnnxValue {
  const dim = [{ dimParam: "N" }, ...sizes.map((dimValue) => ({ dimValue }))];
  return { name, type: { tensorType: { elemType: dataTypes[dtype], shape: { dim } } } };
}

/** Bytes to what networks take: (byte / 255 - mean) / std. */
function addNormalisation(
  graph: Graph,
  pixels: string,
  { mean, std }: NonNullable<OnnxOptions["normalise"]>,
): string {
  const perChannel = (name: string, values: readonly number[]) =>
    graph.constant(name, [1, values.length, 1, 1], Float32Array.from(values));
  const floats = graph.node("Cast", [pixels], { to: dataTypes.float32 });
  const centred = graph.node("Sub", [
    floats,
    perChannel(
      "mean",
      mean.map((each) => 255 * each),
    ),
  ]);
  return graph.node("Div", [
    centred,
    perChannel(
      "std",
      std.map((each) => 255 * each),
    ),
  ]);
}

/** The answer of one network, or of an ensemble. @returns its name */
function addAnswer(graph: Graph, logits: readonly string[], options: OnnxOptions): string {
  const soft = isSoft(options, logits.length);
  const softmax = (name: string) => graph.node("Softmax", [name], { axis: 1 });
  if (logits.length === 1) return soft ? softmax(logits[0]!) : logits[0]!;
  const given = options.weights ?? logits.map(() => 1);
  const total = given.reduce((sum, weight) => sum + weight, 0);
  const averagesLogits = options.mean === "logits";
  const parts = logits.map((name, i) =>
    graph.node("Mul", [averagesLogits ? name : softmax(name), graph.scalar(given[i]! / total)]),
  );
  const mean = graph.node("Sum", parts);
  if (soft) return averagesLogits ? softmax(mean) : mean;
  return averagesLogits ? mean : graph.node("Log", [mean]);
}
