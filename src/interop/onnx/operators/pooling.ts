import type { Call, Converters } from "../operator.js";
import { bothSides } from "./products.js";

interface Window {
  kernel: number[];
  strides: number[];
  padding: number[];
}

function windowOf(call: Call): Window {
  const kernel = call.numbers("kernel_size", 2);
  const strides = call.numbers("stride", 2);
  return { kernel, strides: strides.length > 0 ? strides : kernel, padding: call.numbers("padding", 2) };
}

/**
 * Whether windows that reach past the image count.
 *
 * @throws OnnxError where libtorch leaves out a window that ONNX would have, one that begins in the padding behind the image
 */
function ceilMode(call: Call, { kernel, strides, padding }: Window, dilation = [1, 1]): number {
  if (!call.flag("ceil_mode")) return 0;
  for (const [i, size] of call.tensor("self").shape.slice(2).entries()) {
    const reach = (kernel[i]! - 1) * dilation[i]! + 1;
    const count = Math.ceil(((size as number) + 2 * padding[i]! - reach) / strides[i]!) + 1;
    if (count !== call.result.shape[2 + i])
      throw call.refuse("pools with ceil_mode where its last window would begin behind the image");
  }
  return 1;
}

function maxPool(call: Call): string {
  const window = windowOf(call);
  const dilations = call.numbers("dilation", 2);
  return call.node("MaxPool", [call.tensor("self")], {
    kernel_shape: window.kernel,
    strides: window.strides,
    pads: bothSides(window.padding),
    dilations,
    ceil_mode: ceilMode(call, window, dilations),
  });
}

function averagePool(call: Call): string {
  const window = windowOf(call);
  if (call.has("divisor_override")) throw call.refuse("divides its windows' sums by a number of its own");
  const ceil = ceilMode(call, window);
  if (ceil === 1) throw call.refuse("takes means of windows that reach past the image (ceil_mode)");
  return call.node("AveragePool", [call.tensor("self")], {
    kernel_shape: window.kernel,
    strides: window.strides,
    pads: bothSides(window.padding),
    count_include_pad: call.flag("count_include_pad") ? 1 : 0,
  });
}

/**
 * Means over windows that fill the image. Where they overlap, since the sizes do not divide, ONNX has no operator: each
 * direction is then a product with a matrix of the windows' weights.
 */
function adaptiveAveragePool(call: Call): string {
  const input = call.tensor("self");
  const [rows, columns] = input.shape.slice(-2) as [number, number];
  const [rowsOut, columnsOut] = call.result.shape.slice(-2) as [number, number];
  if (rows === rowsOut && columns === columnsOut) return call.nameOf(input);
  if (rowsOut === 1 && columnsOut === 1) return call.node("GlobalAveragePool", [input]);
  if (rows % rowsOut === 0 && columns % columnsOut === 0) {
    const window = [rows / rowsOut, columns / columnsOut];
    return call.node("AveragePool", [input], { kernel_shape: window, strides: window });
  }
  const { graph } = call;
  const left = graph.constant("windows", [rowsOut, rows], windowMeans(rowsOut, rows));
  const right = graph.constant("windows", [columnsOut, columns], windowMeans(columnsOut, columns));
  const turned = call.node("Transpose", [right], { perm: [1, 0] });
  return call.node("MatMul", [call.node("MatMul", [left, input]), turned]);
}

/** The weights [windows, size] of means over windows that fill `size` pixels (libtorch's start_index and end_index). */
function windowMeans(windows: number, size: number): Float32Array {
  const weights = new Float32Array(windows * size);
  for (let i = 0; i < windows; i++) {
    const [start, end] = [Math.floor((i * size) / windows), Math.ceil(((i + 1) * size) / windows)];
    weights.fill(1 / (end - start), i * size + start, i * size + end);
  }
  return weights;
}

export const pooling: Converters = {
  max_pool2d: maxPool,
  avg_pool2d: averagePool,
  adaptive_avg_pool2d: adaptiveAveragePool,
};
