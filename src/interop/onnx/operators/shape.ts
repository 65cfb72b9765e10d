import type { FollowedTensor } from "../follow.js";
import type { Call, Converter, Converters } from "../operator.js";

/** The input itself, of which nothing changes but where it lies in memory. */
const same =
  (name: string): Converter =>
  (call) =>
    call.nameOf(call.tensor(name));

function dropout(call: Call): string {
  if (call.flag("train")) throw call.refuse("drops activations: put the network into evaluation mode");
  return call.nameOf(call.tensor("input"));
}

/** The result's shape as ONNX's Reshape takes it. The size that is the number of images is left open. */
function reshape(call: Call): string {
  const { shape } = call.result;
  if (shape.filter((size) => size === "N").length > 1)
    throw call.refuse("gives a tensor of which more than one size is the number of images");
  const sizes = shape.map((size) => (size === "N" ? -1 : size));
  // 0 would stand for the input's size.
  if (sizes.includes(0)) throw call.refuse("gives a tensor without elements");
  return call.node("Reshape", [call.tensor("self"), call.graph.integers(sizes)]);
}

const transpose =
  (order: (call: Call, input: FollowedTensor) => number[]): Converter =>
  (call) => {
    const input = call.tensor("self");
    return call.node("Transpose", [input], { perm: order(call, input) });
  };

const counted = (dims: readonly number[], { shape }: FollowedTensor) =>
  dims.map((dim) => (dim < 0 ? dim + shape.length : dim));

function swapped(call: Call, input: FollowedTensor): number[] {
  const order = input.shape.map((_, i) => i);
  const [one, two] = [call.dimension("dim0", input), call.dimension("dim1", input)];
  order[one] = two;
  order[two] = one;
  return order;
}

function expand(call: Call): string {
  const input = call.tensor("self");
  const missing = call.result.shape.length - input.shape.length;
  const sizes = call.result.shape.map((size, i) => {
    if (size !== "N") return size;
    if (input.shape[i - missing] === "N") return 1;
    throw call.refuse("repeats a tensor for each image");
  });
  return call.node("Expand", [input, call.graph.integers(sizes)]);
}

function concatenate(call: Call): string {
  return call.node("Concat", call.tensors("tensors"), { axis: call.dimension("dim", call.result) });
}

function stack(call: Call): string {
  const axis = call.dimension("dim", call.result);
  const parts = call
    .tensors("tensors")
    .map((each) => call.node("Unsqueeze", [each, call.graph.integers([axis])]));
  return call.node("Concat", parts, { axis });
}

/** Cuts [start, end) out of a dimension. */
function cut(call: Call, axis: number, start: number, end: number, step = 1): string {
  if (call.tensor("self").shape[axis] === "N") throw call.refuse("takes some of the images");
  const list = (value: number) => call.graph.integers([value]);
  return call.node("Slice", [call.tensor("self"), list(start), list(end), list(axis), list(step)]);
}

function slice(call: Call): string {
  const input = call.tensor("self");
  const axis = call.dimension("dim", input);
  const [start, end] = ["start", "end"].map((name) => (call.has(name) ? call.number(name) : undefined));
  const step = call.number("step");
  // All of a dimension, which libtorch says with the largest of its whole numbers or with nothing.
  if ((start ?? 0) === 0 && (end ?? Infinity) > 2 ** 31 && step === 1) return call.nameOf(input);
  return cut(call, axis, start ?? 0, Math.min(end ?? Infinity, 2 ** 31 - 1), step);
}

function narrow(call: Call): string {
  const axis = call.dimension("dim", call.tensor("self"));
  const start = call.number("start");
  return cut(call, axis, start, start + call.number("length"));
}

function select(call: Call): string {
  const input = call.tensor("self");
  const axis = call.dimension("dim", input);
  if (input.shape[axis] === "N") throw call.refuse("takes one of the images");
  const index = call.graph.constant("index", [], BigInt64Array.of(BigInt(call.number("index"))));
  return call.node("Gather", [input, index], { axis });
}

/** Cuts a dimension into the parts that the results are. */
function parts(call: Call): string[] {
  const axis = call.dimension("dim", call.tensor("self"));
  let start = 0;
  return call.call.results.map(({ shape }) => {
    const end = start + (shape[axis] as number);
    const name = cut(call, axis, start, end);
    start = end;
    return name;
  });
}

/** Pads with a number. libtorch lists the pixels before and behind each dimension, beginning with the last. */
function pad(call: Call): string {
  const input = call.tensor("self");
  const given = call.numbers("pad");
  const [before, behind] = [input.shape.map(() => 0), input.shape.map(() => 0)];
  for (let i = 0; i < given.length / 2; i++) {
    before[input.shape.length - 1 - i] = given[2 * i]!;
    behind[input.shape.length - 1 - i] = given[2 * i + 1]!;
  }
  const value = call.graph.scalar(call.has("value") ? call.number("value") : 0);
  return call.node("Pad", [input, call.graph.integers([...before, ...behind]), value]);
}

/** What moves elements and changes none. */
export const shapes: Converters = {
  contiguous: same("self"),
  clone: same("self"),
  detach: same("self"),
  alias: same("self"),
  to: same("self"),
  _to_copy: same("self"),
  dropout,
  feature_dropout: dropout,
  reshape,
  view: reshape,
  _unsafe_view: reshape,
  flatten: reshape,
  unflatten: reshape,
  squeeze: reshape,
  unsqueeze: reshape,
  permute: transpose((call, input) => counted(call.numbers("dims"), input)),
  transpose: transpose(swapped),
  t: transpose((_, { shape }) => (shape.length === 2 ? [1, 0] : shape.map((_, i) => i))),
  expand,
  cat: concatenate,
  stack,
  slice,
  narrow,
  select,
  chunk: parts,
  split: parts,
  split_with_sizes: parts,
  constant_pad_nd: pad,
};
