import { describe, expect, it } from "vitest";
import * as torch from "./index.js";

describe("Tensor", () => {
  it("copies nested arrays and typed arrays in and out", () => {
    const x = torch.tensor([
      [1, 2, 3],
      [4, 5, 6],
    ]);
    expect(x.shape).toEqual([2, 3]);
    expect(x.dtype).toBe("float32");
    expect(x.tolist()).toEqual([
      [1, 2, 3],
      [4, 5, 6],
    ]);
    const source = Int32Array.of(7, 8);
    const y = torch.tensor(source);
    source[0] = 0;
    expect(y.dtype).toBe("int32");
    expect(y.toTypedArray()).toEqual(Int32Array.of(7, 8));
  });

  it.each(torch.dtypes)("carries %s there and back", (dtype) => {
    const x = torch.tensor([0, 1, 1, 0], { dtype });
    expect(x.dtype).toBe(dtype);
    expect(x.tolist()).toEqual([0, 1, 1, 0]);
  });

  it("gives a view's elements in the view's order", () => {
    const x = torch.tensor([
      [1, 2, 3],
      [4, 5, 6],
    ]);
    expect(x.t().tolist()).toEqual([
      [1, 4],
      [2, 5],
      [3, 6],
    ]);
  });

  it("gives no list of more empty rows than fit", () => {
    expect(torch.zeros([3, 0]).tolist()).toEqual([[], [], []]);
    expect(() => torch.zeros([2 ** 40, 0]).tolist()).toThrow(/too many parts/);
  });

  it("gives a bigint only where an int64 does not fit a number", () => {
    expect(torch.tensor(BigInt64Array.of(5n)).item()).toBe(5);
    expect(torch.tensor(BigInt64Array.of(2n ** 60n)).item()).toBe(2n ** 60n);
    expect(
      torch
        .tensor(BigInt64Array.of(2n ** 60n))
        .add(1n)
        .item(),
    ).toBe(2n ** 60n + 1n);
  });

  it("looks into shared memory without a copy, and keeps it alive", () => {
    const data = new Float32Array(new SharedArrayBuffer(16));
    const x = torch.fromBuffer(data, [2, 2]);
    data[3] = 9;
    expect(x.tolist()).toEqual([
      [0, 0],
      [0, 9],
    ]);
    x.fill_(2);
    expect([...data]).toEqual([2, 2, 2, 2]);
    expect(() => torch.fromBuffer(new Float32Array(4))).toThrow(/SharedArrayBuffer/);
  });

  it("refuses ragged arrays, wrong shapes and foreign values", () => {
    expect(() => torch.tensor([[1, 2], [3]])).toThrow(/ragged/);
    expect(() => torch.tensor([1, "2" as unknown as number])).toThrow(/expected a number/);
    expect(() => torch.tensor(new Float32Array(4), { shape: [3] })).toThrow(/shape does not hold/);
    expect(() => torch.tensor(new Float32Array(4), { shape: [-2, -2] })).toThrow(/negative/);
    expect(() => torch.tensor(new Float32Array(0), { shape: [2 ** 40, 2 ** 40] })).toThrow(
      /shape does not hold/,
    );
    expect(() => torch.tensor([1], { dtype: "complex64" as torch.DType })).toThrow(/no dtype complex64/);
  });

  it("names the operator, the argument and the shapes in errors", () => {
    const a = torch.zeros([2, 3]);
    expect(() => a.matmul(torch.zeros([2, 3]))).toThrow(
      /aten::matmul.*\n.*float32\[2, 3\].*float32\[2, 3\]/s,
    );
    expect(() => a.add("one" as unknown as number)).toThrow(/aten::add\.Scalar: argument 'other'.*a string/);
    expect(() => a.matmul({} as torch.Tensor)).toThrow(/aten::matmul: argument 'other' \(Tensor\)/);
    expect(() => a.matmul(undefined as unknown as torch.Tensor)).toThrow(/'other' \(Tensor\) must be given/);
    expect(() => torch.zeros([2 ** 50])).toThrow(/aten::zeros/);
    expect(() => torch.zeros([1.5])).toThrow(/must be an integer, got 1.5/);
    expect(() => torch.zeros([2], { dtype: "float31" as torch.DType })).toThrow(/no dtype/);
    expect(() => torch.zeros([2], { device: "tpu" as torch.Device })).toThrow(/tpu/);
  });

  it("throws when a disposed tensor is used, and forgives a second dispose", () => {
    const x = torch.ones([2]);
    x.dispose();
    x.dispose();
    expect(x.disposed).toBe(true);
    expect(() => x.relu()).toThrow(/aten::relu.*'self'.*disposed/);
    expect(() => x.shape).toThrow(/disposed/);
    expect(String(x)).toBe("tensor(disposed)");
  });

  it("moves to other dtypes and memory formats, and returns itself where nothing changes", () => {
    const x = torch.zeros([2, 3, 4, 4]);
    const last = x.contiguous("channelsLast");
    expect(last.isContiguous("channelsLast")).toBe(true);
    expect(last.to({ dtype: "float64" }).isContiguous("channelsLast")).toBe(true);
    expect(x.to({})).toBe(x);
    expect(x.to({ dtype: "int64" }).dtype).toBe("int64");
  });

  it("picks the overload by its arguments", () => {
    const x = torch.tensor([
      [1, 2],
      [3, 4],
    ]);
    expect(x.sum().item()).toBe(10);
    expect(x.sum([1]).tolist()).toEqual([3, 7]);
    expect(x.sum(0, true).shape).toEqual([1, 2]);
    expect(x.add(1).tolist()).toEqual(x.add(torch.ones([2, 2])).tolist());
    expect(x.add(x, { alpha: 2 }).tolist()).toEqual(x.mul(3).tolist());
    expect(torch.where(x.gt(2), x, 0).tolist()).toEqual([
      [0, 0],
      [3, 4],
    ]);
    const [values, indices] = x.topk(1, 1);
    expect([values.tolist(), indices.tolist()]).toEqual([
      [[2], [4]],
      [[1], [1]],
    ]);
    expect(x.add_(1)).toBe(x);
    const list = [torch.zeros([1]), torch.zeros([1])];
    torch.foreachAdd_(list, 1);
    torch.foreachAdd_(list, [1, 2]);
    torch.foreachAdd_(list, [torch.ones([1]), torch.ones([1])], { alpha: 10 });
    expect(list.map((each) => each.item())).toEqual([12, 13]);
  });
});

describe("printing", () => {
  it.each([
    [torch.tensor([1, 2.5, -3]), "tensor([ 1.0000,  2.5000, -3.0000])"],
    [torch.tensor([[1, 2]]), "tensor([[1., 2.]])"],
    [torch.tensor(3), "tensor(3.)"],
    [torch.tensor([1, 20], { dtype: "int32" }), "tensor([ 1, 20], dtype=int32)"],
    [torch.tensor([1, 0], { dtype: "bool" }), "tensor([ true, false])"],
    [torch.tensor([Number.NaN, 1]), "tensor([nan, 1.])"],
    [torch.tensor([Number.POSITIVE_INFINITY, 1000, -1]), "tensor([  inf, 1000.,   -1.])"],
    [torch.zeros([2, 0]), "tensor([], size=[2, 0])"],
    [torch.zeros([0, 2 ** 31]), "tensor([], size=[0, 2147483648])"],
    [torch.arange(0, 2000), "tensor([   0,    1,    2, ..., 1997, 1998, 1999])"],
    [torch.zeros([1, 1, 2]).requiresGrad_(), "tensor([[[0., 0.]]], requiresGrad=true)"],
    [torch.tensor([1e-6, 1]), "tensor([1.0000e-06, 1.0000e+00])"],
  ])("prints %s", (tensor, expected) => {
    expect(String(tensor)).toBe(expected);
  });
});

describe("torch.op", () => {
  it("takes as many numbers as the schema wants, or one for all", () => {
    const [x, w] = [torch.ones([1, 1, 4, 4]), torch.ones([1, 1, 2, 2])];
    expect(torch.conv2d(x, w, undefined, [2]).shape).toEqual([1, 1, 2, 2]);
    expect(() => torch.conv2d(x, w, undefined, [1, 1, 1])).toThrow(
      /'stride'.*must be one number or 2, got 3/,
    );
    expect(() => torch.conv2d(x, w, undefined, [])).toThrow(/'stride'.*got 0/);
    expect(torch.maxPool2d(x, 2, []).shape).toEqual([1, 1, 2, 2]);
  });

  it("does not look for numbers after the largest", () => {
    const largest = 2n ** 63n - 1n;
    expect(() => torch.op("aten::random_.from", torch.zeros([2]), largest, undefined)).toThrow(
      /'from'.*at most/,
    );
  });

  it("names an integer division that has no result, which would end the process", () => {
    const least = torch.tensor(BigInt64Array.of(-(2n ** 63n)));
    const minusOne = torch.tensor(BigInt64Array.of(-1n));
    if (process.arch === "x64" && process.platform === "linux") {
      expect(() => least.floorDivide(minusOne)).toThrow(/aten::floor_divide.*divided by zero/);
    }
    expect(() => minusOne.remainder(0)).toThrow(/ZeroDivision|divided by zero/);
    expect(torch.tensor([7]).floorDivide(2).item()).toBe(3);
  });

  it("does not offer what libtorch would not survive, nor carry what is not dense", () => {
    expect(() => torch.op("aten::_stack", [], 0)).toThrow(/_stack is not offered: /);
    expect(() => torch.op("quantized::add", 1)).toThrow(/not offered/);
    expect(() => torch.op("aten::to_sparse", torch.ones([2]))).toThrow(/not offered/);
    expect(() => torch.op(5 as unknown as string)).toThrow(/must be text/);
    expect(() => torch.zeros([1], { device: "meta" as torch.Device })).toThrow(/"meta" is no device/);
  });

  it("reaches every operator, takes defaults, returns tuples and written arguments", () => {
    const x = torch.tensor([3, 1, 2]);
    const [values, indices] = torch.op("aten::sort", x);
    expect(values.tolist()).toEqual([1, 2, 3]);
    expect(indices.tolist()).toEqual([1, 2, 0]);
    expect(torch.op("aten::relu_", x)).toBe(x);
    expect(
      torch.op("aten::native_layer_norm", torch.ones([2, 1]), [1], undefined, undefined, 1e-5),
    ).toHaveLength(3);
    expect(torch.op("aten::cat", [x, x], 0).shape).toEqual([6]);
    expect(torch.op("aten::index.Tensor", x, [torch.tensor([0, 0], { dtype: "int64" })]).tolist()).toEqual([
      3, 3,
    ]);
  });

  it("suggests what exists when an operator does not", () => {
    expect(() => torch.op("aten::add.Tenser", 1)).toThrow(/aten::add\.Tensor/);
    expect(() => torch.op("nope", 1)).toThrow(/no operator nope/);
  });

  it("runs in the background, and rejects with what went wrong", async () => {
    const x = torch.ones([64, 64]);
    const y = await torch.opAsync("aten::matmul", x, x);
    expect(y.amax().item()).toBe(64);
    await expect(torch.opAsync("aten::mm", x, torch.ones([3, 3]))).rejects.toThrow(
      /aten::mm.*\n.*float32\[64, 64\]/s,
    );
    await expect(torch.opAsync("aten::mm", x, 3)).rejects.toThrow(/'mat2'/);
  });

  it("lets nobody write to what the background reads", async () => {
    const x = torch.ones([64, 64]);
    const pending = torch.opAsync("aten::matmul", x, x);
    expect(() => x.select(0, 0).add_(1)).toThrow(/aten::add_.*'self'.*in the background/);
    expect(() => torch.op("aten::resize_", x, [5])).toThrow(/in the background/);
    expect(x.add(1).amax().item()).toBe(2);
    expect((await pending).amax().item()).toBe(64);
    expect(x.add_(1).amax().item()).toBe(2);
    await expect(torch.opAsync("aten::add_.Scalar", x, 1)).rejects.toThrow(/writes to its arguments/);
  });
});
