import { describe, expect, it } from "vitest";
import * as torch from "../torch/index.js";
import { settled } from "../torch/testing/settled.js";
import { createModel, findFits, fitOf, isExact, models, type Shapes } from "./index.js";

function shapesOf(name: string, { classes = 7, channels = 3 } = {}): Map<string, readonly number[]> {
  return torch.scope(() => {
    const model = createModel(name, { classes, channels, generator: new torch.Generator(0) });
    return new Map(Object.entries(model.stateDict()).map(([key, { shape }]) => [key, shape]));
  });
}
const named = (name: string) => models.find((model) => model.name === name)!;

describe("tensors and networks", () => {
  it.each([
    ["resnet8", { classes: 3, channels: 1 }],
    ["wrn-16-2", { classes: 7, channels: 3 }],
    ["preact-resnet18", { classes: 2, channels: 4 }],
  ])("those of %s fit it alone, for their own classes and channels", (model, size) => {
    const fits = findFits(models, shapesOf(model, size));
    expect(fits).toEqual([{ model, ...size, missing: [], unexpected: [], misshaped: [] }]);
  });

  it("counts of batches may be missing", () => {
    const shapes = shapesOf("resnet8");
    for (const name of shapes.keys()) if (name.endsWith("num_batches_tracked")) shapes.delete(name);
    expect(isExact(fitOf(named("resnet8"), shapes))).toBe(true);
  });

  it("what does not fit is named", () => {
    const shapes = new Map<string, readonly number[]>(shapesOf("resnet8"));
    shapes.delete("conv1.weight");
    shapes.set("bn1.bias", [5]);
    shapes.set("head.weight", [9, 9]);
    expect(findFits([named("resnet8")], shapes)).toMatchObject([
      {
        missing: ["conv1.weight"],
        unexpected: ["head.weight"],
        misshaped: expect.arrayContaining(["bn1.bias"]),
      },
    ]);
  });

  it("sizes of a forged file make no network of any size", () => {
    const before = settled().tensors;
    const forged: Shapes = new Map([
      ["w", [2 ** 40, 2 ** 40]],
      ["c", [1, 2 ** 40, 1, 1]],
    ]);
    expect(fitOf(named("resnet8"), forged)).toMatchObject({ classes: 1000, channels: 3 });
    expect(settled().tensors).toBe(before);
  });
});
