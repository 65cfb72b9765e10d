import { float } from "../graph.js";
import type { Call, Converters } from "../operator.js";

/** A weight of a norm; one that it does not have is the same number for each of `count`. */
function weightOr(call: Call, name: string, count: number, value: number): string {
  const given = call.optionalTensor(name);
  return given ? call.nameOf(given) : call.graph.constant(name, [count], new Float32Array(count).fill(value));
}

function batchNorm(call: Call): string {
  if (call.flag("training"))
    throw call.refuse("normalises by the batch's own statistics: put the network into evaluation mode");
  const input = call.tensor("input");
  const channels = input.shape[1] as number;
  const parts = [
    weightOr(call, "weight", channels, 1),
    weightOr(call, "bias", channels, 0),
    call.tensor("running_mean"),
    call.tensor("running_var"),
  ];
  return call.node("BatchNormalization", [input, ...parts], { epsilon: float(call.number("eps")) });
}

function layerNorm(call: Call): string {
  const shape = call.numbers("normalized_shape");
  const weight = call.optionalTensor("weight");
  const ones = () => {
    const count = shape.reduce((product, size) => product * size, 1);
    return call.graph.constant("ones", shape, new Float32Array(count).fill(1));
  };
  return call.node(
    "LayerNormalization",
    [call.tensor("input"), weight ?? ones(), call.optionalTensor("bias")],
    {
      axis: -shape.length,
      epsilon: float(call.number("eps")),
    },
  );
}

/** Groups of channels are normalised as ONNX's instances: each group is one channel of an image without rows. */
function groupNorm(call: Call): string {
  const input = call.tensor("input");
  const groups = call.number("num_groups");
  const { graph } = call;
  const constant = (value: number) => graph.constant("group", [groups], new Float32Array(groups).fill(value));
  const grouped = call.node("Reshape", [input, graph.integers([0, groups, -1])]);
  const normal = call.node("InstanceNormalization", [grouped, constant(1), constant(0)], {
    epsilon: float(call.number("eps")),
  });
  let result = call.node("Reshape", [normal, graph.integers([-1, ...(input.shape.slice(1) as number[])])]);
  const perChannel = () => graph.integers([-1, ...input.shape.slice(2).map(() => 1)]);
  for (const [name, operator] of [
    ["weight", "Mul"],
    ["bias", "Add"],
  ] as const) {
    const given = call.optionalTensor(name);
    if (given) result = call.node(operator, [result, call.node("Reshape", [given, perChannel()])]);
  }
  return result;
}

export const normalisation: Converters = {
  batch_norm: batchNorm,
  layer_norm: layerNorm,
  group_norm: groupNorm,
};
