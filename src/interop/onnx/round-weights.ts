import type { Graph } from "./graph.js";
import { attributeTypes, dataTypes, type OnnxNode, type OnnxTensor } from "./proto.js";

/**
 * Stores the weights of convolutions and linear layers as int8, a quarter of their bytes: whole numbers from -127 to 127 with a scale
 * for each output channel, from which the graph makes float32 again (ONNX's DequantizeLinear, symmetric, as its documentation of
 * quantisation has it). Nothing else is rounded: activations, biases and sums stay float32.
 */
export function roundWeights(graph: Graph): void {
  const weights = new Set(graph.nodes.flatMap(weightOf));
  for (const tensor of graph.initializers.splice(0)) {
    if (!weights.has(tensor.name) || tensor.dataType !== dataTypes.float32) {
      graph.initializers.push(tensor);
      continue;
    }
    const { values, scales } = roundChannels(floatsOf(tensor), tensor.dims[0]!);
    const stored = graph.name(`${tensor.name}.int8`);
    graph.initializers.push({
      name: stored,
      dims: tensor.dims,
      dataType: dataTypes.int8,
      rawData: new Uint8Array(values.buffer),
    });
    const scale = graph.constant(`${tensor.name}.scale`, [scales.length], scales);
    // The weights keep their name, so that whatever uses them need not be changed. Nodes stand in the order of their use.
    graph.nodes.unshift({
      name: graph.name(`${tensor.name}/DequantizeLinear`),
      opType: "DequantizeLinear",
      input: [stored, scale],
      output: [tensor.name],
      attribute: [{ name: "axis", type: attributeTypes.int, i: 0 }],
    });
  }
}

/** The weights of a node whose first dimension is that of its output channels. */
function weightOf({ opType, input, attribute }: OnnxNode): string[] {
  const isTransposed = attribute.some(({ name, i }) => name === "transB" && i === 1);
  return opType === "Conv" || (opType === "Gemm" && isTransposed) ? [input[1]!] : [];
}

/** A tensor's elements, which ONNX stores as little-endian bytes at any address. */
const floatsOf = ({ rawData }: OnnxTensor) => new Float32Array(rawData.slice().buffer);

/** Rounds each channel's numbers to 127 steps on either side of 0, the largest of them to 127 or -127. */
export function roundChannels(floats: Float32Array, channels: number) {
  const values = new Int8Array(floats.length);
  const scales = new Float32Array(channels);
  const each = channels === 0 ? 0 : floats.length / channels;
  for (let channel = 0; channel < channels; channel++) {
    const start = channel * each;
    let largest = 0;
    for (let i = start; i < start + each; i++) largest = Math.max(largest, Math.abs(floats[i]!));
    // A channel of zeros has any scale but 0.
    const scale = Math.fround(largest / 127) || 1;
    scales[channel] = scale;
    for (let i = start; i < start + each; i++) {
      const rounded = Math.round(floats[i]! / scale);
      values[i] = Math.max(-127, Math.min(127, rounded));
    }
  }
  return { values, scales };
}
