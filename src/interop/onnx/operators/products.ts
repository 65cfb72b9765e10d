import { float } from "../graph.js";
import type { Call, Converters } from "../operator.js";

/** Padding of both sides of each dimension: ONNX lists all beginnings, then all ends. */
export const bothSides = (padding: readonly number[]) => [...padding, ...padding];

function conv2d(call: Call): string {
  const weight = call.tensor("weight");
  return call.node("Conv", [call.tensor("input"), weight, call.optionalTensor("bias")], {
    kernel_shape: weight.shape.slice(2) as number[],
    strides: call.numbers("stride", 2),
    pads: bothSides(call.numbers("padding", 2)),
    dilations: call.numbers("dilation", 2),
    group: call.number("groups"),
  });
}

/** x · weightᵀ + bias. */
function linear(call: Call): string {
  const [input, weight, bias] = [call.tensor("input"), call.tensor("weight"), call.optionalTensor("bias")];
  if (input.shape.length === 2) return call.node("Gemm", [input, weight, bias], { transB: 1 });
  const product = call.node("MatMul", [input, call.node("Transpose", [weight], { perm: [1, 0] })]);
  return bias ? call.node("Add", [product, bias]) : product;
}

const product = (second: string) => (call: Call) =>
  call.node("MatMul", [call.tensor("self"), call.tensor(second)]);

function addmm(call: Call): string {
  return call.node("Gemm", [call.tensor("mat1"), call.tensor("mat2"), call.tensor("self")], {
    alpha: float(call.number("alpha")),
    beta: float(call.number("beta")),
  });
}

/** Convolutions and products of matrices. */
export const products: Converters = {
  conv2d,
  linear,
  matmul: product("other"),
  mm: product("mat2"),
  bmm: product("mat2"),
  addmm,
};
