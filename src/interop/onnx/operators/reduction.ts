import type { Call, Converter, Converters } from "../operator.js";

/** The dimensions that are reduced, counted from the first; all where none are named. */
function axesOf(call: Call): number[] {
  const { shape } = call.tensor("self");
  const named = call.has("dim") ? call.numbers("dim") : [];
  const axes = (named.length > 0 ? named : shape.map((_, i) => i)).map((dim) =>
    dim < 0 ? dim + shape.length : dim,
  );
  if (axes.some((axis) => shape[axis] === "N")) throw call.refuse("reduces over the images of a batch");
  return axes;
}

const keeps = (call: Call) => ({ keepdims: call.flag("keepdim") ? 1 : 0 });

const reduce =
  (opType: string): Converter =>
  (call) =>
    call.node(opType, [call.tensor("self")], { axes: axesOf(call), ...keeps(call) });

/** In opset 17 a sum takes its axes as an input, the other reductions as an attribute. */
const sum: Converter = (call) =>
  call.node("ReduceSum", [call.tensor("self"), call.graph.integers(axesOf(call))], keeps(call));

const along =
  (opType: string): Converter =>
  (call) =>
    call.node(opType, [call.tensor("self")], { axis: call.dimension("dim", call.tensor("self")) });

/** What makes one number of several. */
export const reductions: Converters = {
  mean: reduce("ReduceMean"),
  sum,
  amax: reduce("ReduceMax"),
  amin: reduce("ReduceMin"),
  softmax: along("Softmax"),
  log_softmax: along("LogSoftmax"),
};
