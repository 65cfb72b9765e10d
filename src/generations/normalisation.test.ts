import { expect, it } from "vitest";
import { createModel } from "../models/index.js";
import { foldBatchNorm } from "../nn/index.js";
import * as torch from "../torch/index.js";
import { settled } from "../torch/testing/settled.js";
import { isSameNormalisation, Renormalised, seeing } from "./normalisation.js";

const images = { mean: [0.5, 0.4, 0.3], std: [0.2, 0.3, 0.25] };
const wanted = { mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] };

/** Bytes as fractions of 255, [4, 3, 12, 12], normalised. */
function batch(
  { mean, std }: { mean: number[]; std: number[] },
  dtype: torch.DType = "float64",
): torch.Tensor {
  const generator = new torch.Generator(3);
  const bytes = torch.randint(0, 256, [4, 3, 12, 12], { generator, dtype: "int64" }).to({ dtype: "float64" });
  const column = (values: number[]) => torch.tensor(values, { dtype: "float64", shape: [3, 1, 1] });
  return bytes.div(255).sub(column(mean)).div(column(std)).to({ dtype });
}

function network(dtype: torch.DType) {
  return createModel("resnet8", { classes: 5, channels: 3, generator: new torch.Generator(1) })
    .to({ dtype, memoryFormat: "channelsLast" })
    .eval();
}

it("a network behind the change answers for its own normalisation, at padded borders too", () => {
  torch.noGrad(() => {
    const model = network("float64");
    const expected = model.forward(batch(wanted));
    const found = new Renormalised(model, images, wanted).forward(batch(images));
    // Numbers of about 1 through some twenty layers in float64.
    expect(found.sub(expected).abs().amax().item()).toBeLessThan(1e-12 * expected.abs().amax().item());
    const unchanged = model.forward(batch(images));
    expect(unchanged.sub(expected).abs().amax().item()).toBeGreaterThan(1e-3);
  });
});

it("folds as the network does, and keeps to 16 bits", () => {
  torch.noGrad(() => {
    const expected = network("float64").forward(batch(wanted));
    const frozen = foldBatchNorm(seeing(network("float32"), images, wanted));
    const off = frozen.forward(batch(images, "float32")).to({ dtype: "float64" }).sub(expected);
    const alone = foldBatchNorm(network("float32")).forward(batch(wanted, "float32"));
    const rounding = alone.to({ dtype: "float64" }).sub(expected).abs().amax().item();
    expect(rounding).toBeGreaterThan(0);
    expect(off.abs().amax().item()).toBeLessThan(16 * rounding);
    let seen: torch.DType | undefined;
    const watched = network("float32");
    watched.forward = (x) => {
      seen = x.dtype;
      return x;
    };
    new Renormalised(watched, images, wanted).forward(batch(images, "bfloat16"));
    expect(seen).toBe("bfloat16");
  });
});

it("nothing is put before a network whose images are normalised as it wants", () => {
  const model = network("float32");
  expect(seeing(model, images, undefined)).toBe(model);
  expect(seeing(model, images, { mean: [0.5, 0.4, 0.3 + 1e-12], std: images.std })).toBe(model);
  expect(isSameNormalisation(images, wanted)).toBe(false);
  expect(isSameNormalisation(images, { mean: [0.5], std: [0.2] })).toBe(false);
});

it("its state is the network's alone, and goes with it", () => {
  const before = settled().tensors;
  const model = network("float32");
  const changed = new Renormalised(model, images, wanted);
  torch.scope(() => {
    const names = Object.keys(model.stateDict()).map((name) => `network.${name}`);
    expect(Object.keys(changed.stateDict())).toEqual(names);
  });
  changed.dispose();
  expect(settled().tensors).toBe(before);
});
