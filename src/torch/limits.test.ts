import { expect, it } from "vitest";
import { full, hasOperator, mseLoss, nllLoss, op, tensor, zeros } from "./index.js";

const image = () => zeros([1, 2, 4, 4]);

it.each([1e-5, 2e-190, 1e300, Number.NaN, Number.POSITIVE_INFINITY, -1])(
  "refuses a scale of %s, by which libtorch would reach out of the image",
  (scale) => {
    const call = () => op("aten::upsample_bilinear2d", image(), [1, 1], false, scale, undefined);
    expect(call).toThrow(/aten::upsample_bilinear2d.*'scales_h' \(float\?\) must be 0.001 to 1e\+06, got/);
    const list = () => op("aten::upsample_nearest2d.vec", image(), undefined, [2, scale]);
    expect(list).toThrow(/'scale_factors' .* must be 0.001/);
  },
);

it("lets usual scales and none pass", () => {
  expect(op("aten::upsample_nearest2d", image(), [8, 8], 2, undefined).shape).toEqual([1, 2, 8, 8]);
  expect(op("aten::upsample_nearest2d.vec", image(), undefined, [2, 0.5]).shape).toEqual([1, 2, 8, 2]);
});

it.each([-1, 3, 2n ** 62n])(
  "refuses a reduction of %s, whose gradient libtorch would read from nowhere",
  (reduction) => {
    const [logits, labels] = [zeros([2, 3]), zeros([2], { dtype: "int64" })];
    expect(() => nllLoss(logits, labels, undefined, reduction as number)).toThrow(
      /'reduction' \(int\) must be at/,
    );
    expect(() => mseLoss(logits, logits, reduction as number)).toThrow(/'reduction' \(int\) must be at/);
  },
);

it("refuses a dimension of the multivariate gamma function for which libtorch makes a table of gigabytes", () => {
  const values = full([2, 3], 9);
  const names = ["mvlgamma", "special_multigammaln"].filter((name) => hasOperator(`aten::${name}`));
  expect(names.length).toBeGreaterThan(0);
  for (const name of names) {
    expect(() => op(`aten::${name}`, values, 2 ** 31)).toThrow(/'p' \(int\) must be at most 1048576/);
    expect(op(`aten::${name}`, values, 3).shape).toEqual([2, 3]);
  }
});

it("refuses to let a tensor read another's memory as another dtype", () => {
  const set = (dtype: "int64" | "float32") =>
    op("aten::set_.source_Tensor", zeros([2], { dtype }), tensor([1, 2]));
  expect(() => set("int64")).toThrow(/aten::set_.source_Tensor.*the dtype that the tensor has/);
  expect(set("float32").tolist()).toEqual([1, 2]);
});
