/** Which operators a function calls, and what becomes of its tensors. */
import { expect, it } from "vitest";
import * as torch from "./index.js";

const x = () => torch.keep(torch.ones([2, 3]));

it("notes operators on what depends on the inputs, with the schema's names and defaults", () => {
  using input = x();
  using weight = torch.keep(torch.ones([4, 3]));
  const place = () => "here";
  using trace = torch.trace([input], () => torch.linear(input, weight).add(1).relu_(), { place });
  expect(trace.calls.map(({ operator }) => operator)).toEqual(["aten::linear", "aten::add", "aten::relu_"]);
  const [linear, add, relu] = trace.calls;
  expect(linear!.arguments).toMatchObject({
    input: trace.inputs[0],
    weight: trace.find(weight),
    bias: undefined,
  });
  expect(add!.arguments).toMatchObject({ self: linear!.results[0], other: 1, alpha: 1 });
  // What is written over in place is another tensor from then on.
  expect(relu!.arguments.self).toBe(add!.results[0]);
  expect(relu!.results[0]).not.toBe(add!.results[0]);
  expect(trace.outputs).toEqual([relu!.results[0]]);
  expect(trace.outputs[0]).toMatchObject({ shape: [2, 4], dtype: "float32", isConstant: false });
  expect(trace.calls.every((call) => call.place === "here")).toBe(true);
});

it("computes what is made of constants alone, and reads it", () => {
  using input = x();
  using weight = torch.keep(torch.tensor([1, 2, 3]));
  using trace = torch.trace([input], () => input.mul(weight.mul(2).add(torch.tensor([0, 0, 1]))));
  expect(trace.calls.map(({ operator }) => operator)).toEqual(["aten::mul"]);
  const constant = trace.calls[0]!.arguments.other as torch.TracedTensor;
  expect(constant.isConstant).toBe(true);
  expect([...trace.read(constant)]).toEqual([2, 4, 7]);
  expect(() => trace.read(trace.inputs[0]!)).toThrow(/only constants can be read/);
});

it("reads a constant as it was before it was written over", () => {
  using input = x();
  using trace = torch.trace([input], () => torch.zeros([2, 3]).add_(input).mul(2));
  const add = trace.calls[0]!;
  expect(add.operator).toBe("aten::add_");
  expect([...trace.read(add.arguments.self as torch.TracedTensor)]).toEqual([0, 0, 0, 0, 0, 0]);
});

it.each<[string, (x: torch.Tensor) => torch.Tensor, RegExp]>([
  ["a value that is read", (x) => x.mul(x.sum().item()), /^aten::item reads the values of a tensor/],
  ["elements that are read", (x) => x.mul(x.toTypedArray()[0] as number), /^reads the values of a tensor/],
  ["a comparison", (x) => (torch.op("aten::equal", x, x) ? x : x.neg()), /^aten::equal reads the values/],
  [
    "a view of what is written over",
    (x) => {
      const y = x.mul(2);
      const view = y.slice(1, 0, 1);
      y.zero_();
      return view.add(1);
    },
    /view of a tensor that was written over/,
  ],
  [
    "work in the background",
    (x) => {
      torch.opAsync("aten::relu", x).catch(() => {});
      return x.mul(torch.op("aten::item", x));
    },
    /reads the values/,
  ],
])("refuses %s, with its place", (_, body, message) => {
  using input = x();
  const run = () => torch.trace([input], () => body(input), { place: () => "a.b" });
  expect(run).toThrow(
    expect.objectContaining({ name: "TraceError", place: "a.b", message: expect.stringMatching(message) }),
  );
});

it("may write through the very tensor whose view was made, if the view is not used again", () => {
  using input = x();
  using trace = torch.trace([input], () => {
    const y = input.mul(2);
    y.slice(1, 0, 1);
    return y.relu_();
  });
  expect(trace.calls.map(({ operator }) => operator)).toEqual(["aten::mul", "aten::slice", "aten::relu_"]);
});

it("leaves everything as it was, also where the function throws, and frees what was made", () => {
  using input = x();
  const { tensors } = torch.memoryStats();
  for (let i = 0; i < 3; i++) {
    const throwing = () => {
      input.mul(2).add(1);
      throw new Error("mine");
    };
    expect(() => torch.trace([input], throwing)).toThrow("mine");
    torch.trace([input], () => input.mul(2).add(3))[Symbol.dispose]();
  }
  expect(torch.memoryStats().tensors).toBe(tensors);
  expect(torch.scope(() => input.mul(2).sum().item())).toBe(12);
});
