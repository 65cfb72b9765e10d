import { expect, it } from "vitest";
import { op, tensor, zeros } from "./index.js";

const image = () => zeros([1, 2, 4, 4]);

it.each([1e-5, 2e-190, 1e300, Number.NaN, Number.POSITIVE_INFINITY, -1])(
  "refuses a scale of %s, by which libtorch would reach out of the image",
  (scale) => {
    const call = () => op("aten::upsample_bilinear2d", image(), [1, 1], false, scale, undefined);
    expect(call).toThrow(/aten::upsample_bilinear2d: scales_h must be 0.001 to 1000000, got/);
    const list = () => op("aten::upsample_nearest2d.vec", image(), undefined, [2, scale]);
    expect(list).toThrow(/scale_factors must be/);
  },
);

it("lets usual scales and none pass", () => {
  expect(op("aten::upsample_nearest2d", image(), [8, 8], 2, undefined).shape).toEqual([1, 2, 8, 8]);
  expect(op("aten::upsample_nearest2d.vec", image(), undefined, [2, 0.5]).shape).toEqual([1, 2, 8, 2]);
});

it("refuses to let a tensor read another's memory as another dtype", () => {
  const floats = tensor([1, 2]);
  expect(() => op("aten::set_.source_Tensor", zeros([2], { dtype: "int64" }), floats)).toThrow(
    /aten::set_.source_Tensor: source must be int64 as self is, got float32/,
  );
  expect(op("aten::set_.source_Tensor", zeros([2]), floats).tolist()).toEqual([1, 2]);
});
