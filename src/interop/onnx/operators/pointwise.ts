import { type Attribute, float } from "../graph.js";
import type { Call, Converter, Converters } from "../operator.js";

/** A node of one input, of the same meaning in ONNX. */
const unary =
  (opType: string, attributes?: (call: Call) => Record<string, Attribute>): Converter =>
  (call) =>
    call.node(opType, [call.tensor("self")], attributes?.(call));

/** An argument that is a tensor or a number: the name of either. */
function operand(call: Call, name: string): string {
  const tensor = call.optionalTensor(name);
  return tensor ? call.nameOf(tensor) : call.graph.scalar(call.number(name));
}

/** A node of two inputs, of which the one that libtorch calls so is multiplied by `alpha` first, where that is given. */
const binary =
  (opType: string, inputs = ["self", "other"], scaled = "other"): Converter =>
  (call) => {
    const alpha = call.has("alpha") ? call.number("alpha") : 1;
    const given = inputs.map((name) => {
      const input = operand(call, name);
      return name !== scaled || alpha === 1 ? input : call.node("Mul", [input, call.graph.scalar(alpha)]);
    });
    return call.node(opType, given);
  };

function divide(call: Call): string {
  if (call.call.arguments.rounding_mode !== undefined) throw call.refuse("rounds what it divides");
  return call.node("Div", [operand(call, "self"), operand(call, "other")]);
}

/** Clips to [min, max], of which either may be missing. */
const clip =
  (lowest: string | undefined, highest: string | undefined): Converter =>
  (call) => {
    const bound = (name: string | undefined) =>
      name !== undefined && call.has(name) ? operand(call, name) : undefined;
    return call.node("Clip", [call.tensor("self"), bound(lowest), bound(highest)]);
  };

/** x · f(x). */
const gated =
  (gate: (call: Call) => string): Converter =>
  (call) =>
    call.node("Mul", [call.tensor("self"), gate(call)]);

/** The normal distribution's x · Φ(x), exactly or by tanh. */
function gelu(call: Call): string {
  const { graph } = call;
  const x = call.tensor("self");
  const half = (inner: string) =>
    call.node("Mul", [call.node("Mul", [x, graph.scalar(0.5)]), call.node("Add", [inner, graph.scalar(1)])]);
  if (call.call.arguments.approximate !== "tanh")
    return half(call.node("Erf", [call.node("Mul", [x, graph.scalar(Math.SQRT1_2)])]));
  const cube = call.node("Mul", [call.node("Mul", [x, x]), x]);
  const inner = call.node("Add", [x, call.node("Mul", [cube, graph.scalar(0.044715)])]);
  return half(call.node("Tanh", [call.node("Mul", [inner, graph.scalar(Math.sqrt(2 / Math.PI))])]));
}

function softplus(call: Call): string {
  if (call.number("beta") !== 1) throw call.refuse("applies softplus with a beta other than 1");
  return call.node("Softplus", [call.tensor("self")]);
}

function elu(call: Call): string {
  if (call.number("scale") !== 1 || call.number("input_scale") !== 1)
    throw call.refuse("applies an elu that is scaled");
  return call.node("Elu", [call.tensor("self")], { alpha: float(call.number("alpha")) });
}

const power =
  (exponent: number): Converter =>
  (call) =>
    call.node("Pow", [call.tensor("self"), call.graph.scalar(exponent)]);

/** What treats each element by itself. */
export const pointwise: Converters = {
  add: binary("Add"),
  sub: binary("Sub"),
  rsub: binary("Sub", ["other", "self"], "self"),
  mul: binary("Mul"),
  div: divide,
  minimum: binary("Min"),
  maximum: binary("Max"),
  pow: (call) => call.node("Pow", [operand(call, "self"), operand(call, "exponent")]),
  square: power(2),
  rsqrt: (call) => call.node("Reciprocal", [call.node("Sqrt", [call.tensor("self")])]),
  relu: unary("Relu"),
  relu6: (call) => call.node("Clip", [call.tensor("self"), call.graph.scalar(0), call.graph.scalar(6)]),
  hardtanh: clip("min_val", "max_val"),
  clamp: clip("min", "max"),
  clamp_min: clip("min", undefined),
  clamp_max: clip(undefined, "max"),
  sigmoid: unary("Sigmoid"),
  tanh: unary("Tanh"),
  leaky_relu: unary("LeakyRelu", (call) => ({ alpha: float(call.number("negative_slope")) })),
  elu,
  gelu,
  silu: gated((call) => call.node("Sigmoid", [call.tensor("self")])),
  mish: gated((call) => call.node("Tanh", [call.node("Softplus", [call.tensor("self")])])),
  softplus,
  hardswish: unary("HardSwish"),
  hardsigmoid: unary("HardSigmoid", () => ({ alpha: float(1 / 6), beta: float(0.5) })),
  exp: unary("Exp"),
  log: unary("Log"),
  sqrt: unary("Sqrt"),
  reciprocal: unary("Reciprocal"),
  abs: unary("Abs"),
  neg: unary("Neg"),
  sign: unary("Sign"),
  floor: unary("Floor"),
  ceil: unary("Ceil"),
  round: unary("Round"),
  sin: unary("Sin"),
  cos: unary("Cos"),
  erf: unary("Erf"),
};
