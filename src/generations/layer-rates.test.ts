import { describe, expect, it } from "vitest";
import { createModel } from "../models/index.js";
import { type Module, withoutInitialisation } from "../nn/index.js";
import * as torch from "../torch/index.js";
import { headOf } from "./head.js";
import { rateGroups } from "./layer-rates.js";
import { Renormalised } from "./normalisation.js";

const make = (name: string) =>
  withoutInitialisation(() =>
    createModel(name, { classes: 7, channels: 3, generator: new torch.Generator(0) }),
  );
const groupsOf = (model: Module, rates: { headRate: number; decay: number }) =>
  rateGroups(model, headOf(model, 7)!, rates).map(({ parts, factor }): [string[], number] => [parts, factor]);

describe("layer-wise rates", () => {
  it("fall from the classifier to the first layer", () => {
    expect(groupsOf(make("resnet18"), { headRate: 10, decay: 0.5 })).toEqual([
      [["conv1"], 0.0625],
      [["layer1"], 0.125],
      [["layer2"], 0.25],
      [["layer3"], 0.5],
      [["layer4"], 1],
      [["fc"], 10],
    ]);
  });

  it("take networks apart that are features and a classifier", () => {
    expect(groupsOf(make("densenet-bc-40-12"), { headRate: 2, decay: 0.5 })).toEqual([
      [["features.conv0"], 2 ** -5],
      [["features.denseblock1"], 2 ** -4],
      [["features.transition1"], 2 ** -3],
      [["features.denseblock2"], 2 ** -2],
      [["features.transition2"], 2 ** -1],
      [["features.denseblock3"], 1],
      [["classifier"], 2],
    ]);
  });

  it("see the layers of features that are numbered", () => {
    const parts = (name: string) =>
      groupsOf(make(name), { headRate: 10, decay: 0.9 }).map(([[path]]) => path);
    const features = [0, 3, 6, 8, 10].map((i) => `features.${i}`);
    expect(parts("alexnet")).toEqual([...features, "classifier.1", "classifier.4", "classifier.6"]);
    const blocks = Array.from({ length: 19 }, (_, i) => `features.${i}`);
    expect(parts("mobilenet-v2")).toEqual([...blocks, "classifier.1"]);
  });

  it("are the same behind a change of the images' normalisation", () => {
    const images = { mean: [0.5, 0.5, 0.5], std: [1, 1, 1] };
    const changed = new Renormalised(make("resnet8"), images, { ...images, std: [2, 2, 2] });
    expect(groupsOf(changed, { headRate: 3, decay: 0.5 })).toEqual([
      [["network.conv1"], 0.125],
      [["network.layer1"], 0.25],
      [["network.layer2"], 0.5],
      [["network.layer3"], 1],
      [["network.fc"], 3],
    ]);
  });

  it.each(["resnet50", "wrn-16-2", "preact-resnet18", "densenet121", "vgg16-bn"])(
    "%s: every parameter is in one group",
    (name) => {
      const model = make(name);
      const groups = rateGroups(model, headOf(model, 7)!, { headRate: 10, decay: 0.8 });
      const all = groups.flatMap(({ parameters }) => parameters);
      expect(all).toHaveLength(model.parameters().length);
      expect(new Set(all)).toEqual(new Set(model.parameters()));
    },
  );

  it("of one rate are one group", () => {
    expect(groupsOf(make("resnet8"), { headRate: 1, decay: 1 })).toEqual([
      [["conv1", "layer1", "layer2", "layer3", "fc"], 1],
    ]);
  });
});

it("a network without a classifier of so many classes has no head", () => {
  expect(headOf(make("resnet8"), 8)).toBeUndefined();
});
