import { afterAll, describe, expect, it } from "vitest";
import { Loader, makeSynthetic } from "../data/index.js";
import { models } from "../models/index.js";
import * as nn from "../nn/index.js";
import * as torch from "../torch/index.js";
import { collectFeatures } from "./feature-set.js";
import { featuresOf } from "./features-of.js";
import { isFoldedAway } from "./layer.js";

const { train } = makeSynthetic({ classes: 4, size: 16, trainCount: 10, testCount: 4 });
const normalisation = { mean: [0.5, 0.5, 0.5], std: [0.25, 0.25, 0.25] };
const loader = new Loader(train, { batchSize: 4, ...normalisation });

function make(name: string): nn.Module {
  const { create } = models.find((model) => model.name === name)!;
  const generator = new torch.Generator(3);
  const model = create({ classes: 4, channels: 3, height: 16, width: 16, generator });
  // Statistics and scales as after some training, so that no layer is the identity.
  torch.noGrad(() => {
    for (const [name, tensor] of [...model.namedParameters(), ...model.namedBuffers()]) {
      const random = torch.rand([...tensor.shape], { generator });
      if (name.endsWith("running_var") || /(bn|norm)\d?\.weight$/.test(name)) tensor.copy_(random.add(0.5));
      if (name.endsWith("running_mean") || /(bn|norm)\d?\.bias$/.test(name)) tensor.copy_(random.sub(0.5));
    }
  });
  return model.to({ memoryFormat: "channelsLast" }).eval().requiresGrad_(false);
}

const near = (a: torch.Tensor, b: torch.Tensor) =>
  expect(a.sub(b).abs().max().item()).toBeLessThan(2e-5 * b.abs().max().item());

describe.each([
  [
    "resnet8",
    [
      "conv1",
      "bn1",
      "relu",
      "layer1",
      "layer1.0",
      "layer2.0.bn1",
      "layer2.0.conv2",
      "layer3.0.bn2",
      "pool",
      undefined,
    ],
  ],
  ["resnet18", ["bn1", "layer1.1", "layer2.0.downsample.1", "avgpool", undefined]],
  [
    "densenet-bc-40-12",
    [
      "features.conv0",
      "features.denseblock1",
      "features.denseblock2.denselayer3",
      "features.denseblock3.denselayer1.norm2",
      "features.transition1.norm",
      "features.norm5",
      "features",
      undefined,
    ],
  ],
  ["resnet50", ["layer2.1.bn2", "layer3", undefined]],
] as const)("the features of %s", (name, layers) => {
  const model = make(name);
  const folded = nn.foldBatchNorm(make(name));
  afterAll(() => {
    nn.setKernels("fast");
    model.dispose();
    folded.dispose();
  });

  it.each(layers)("at %s are those of the plain composition, folded or not", async (layer) => {
    nn.setKernels("libtorch");
    const { features: expected } = await collectFeatures(model, loader, { layer });
    nn.setKernels("fast");
    const { features, labels } = await collectFeatures(model, loader, { layer });
    expect(features.shape[0]).toBe(10);
    expect([...labels]).toEqual([...train.labels]);
    near(features, expected);
    if (layer === undefined || !isFoldedAway(model, layer)) {
      near((await collectFeatures(folded, loader, { layer })).features, expected);
    }
  });
});

it("the last layer of a network are its logits, and watching changes nothing", async () => {
  const model = make("resnet8");
  const predict = () => torch.scope(() => torch.noGrad(() => model.forward(images)));
  const batch = (await loader.epoch(0).next()).value!;
  const { images } = batch;
  const before = predict();
  const { features } = await collectFeatures(model, loader, { layer: "fc" });
  near(features.narrow(0, 0, 4), before);
  expect(predict().equal(before)).toBe(true);
  expect(Object.keys(model.namedModules().get("fc")!)).not.toContain("forward");
  batch.dispose();
});

it("a batch norm's features are its own, without the sum and the ReLU that follow it in the same pass", async () => {
  const model = make("resnet8");
  const { features } = await collectFeatures(model, loader, { layer: "layer1.0.bn2" });
  expect(features.min().item()).toBeLessThan(0);
});

it("pixels are averaged, or kept on request", async () => {
  const model = make("resnet8");
  const { features } = await collectFeatures(model, loader, { layer: "layer2" });
  const { features: flat } = await collectFeatures(model, loader, { layer: "layer2", spatial: "flatten" });
  expect([features.shape, flat.shape]).toEqual([
    [10, 32],
    [10, 32 * 8 * 8],
  ]);
  near(flat.reshape([10, 32, 64]).mean([2]), features);
});

it("gives one batch at a time, and keeps none", async () => {
  const model = make("resnet8");
  const collect = async () => {
    let most = 0;
    const before = torch.memoryStats().tensors;
    for await (using batch of featuresOf(model, loader)) {
      most = Math.max(most, torch.memoryStats().tensors - before);
      expect(batch.features.shape[1]).toBe(64);
    }
    return [most, torch.memoryStats().tensors - before];
  };
  await collect();
  const [most, left] = await collect();
  // Features, and images and labels of two batches.
  expect(most).toBeLessThanOrEqual(8);
  expect(left).toBeLessThanOrEqual(0);
});

it("stops where it is left, and where the signal says so, with the network as it was", async () => {
  const model = make("resnet8").train();
  for await (using batch of featuresOf(model, loader)) {
    expect(batch.indices.length).toBe(4);
    break;
  }
  expect(model.training).toBe(true);
  const controller = new AbortController();
  const aborted = async () => {
    for await (using _ of featuresOf(model, loader, { signal: controller.signal })) controller.abort();
  };
  await expect(aborted()).rejects.toThrow("aborted");
  expect(model.training).toBe(true);
  expect(Object.hasOwn(model.namedModules().get("fc")!, "forward")).toBe(false);
});

describe("layers that have no features", () => {
  class Twice extends nn.Module {
    readonly conv = new nn.Conv2d(3, 3, 1, { generator: new torch.Generator(0) });
    readonly unused = new nn.ReLU();
    override forward(x: torch.Tensor) {
      return this.conv.forward(this.conv.forward(x)).mean([2, 3]);
    }
  }
  const collect = (model: nn.Module, layer?: string) => collectFeatures(model, loader, { layer });

  it("are refused with what to do", async () => {
    const model = make("resnet8");
    await expect(collect(model, "layer9.0")).rejects.toThrow(/no layer "layer9.0"; did you mean "layer\d.0"/);
    await expect(collect(model, "zzzzzzzzzzzz")).rejects.toThrow("it has conv1, bn1, relu");
    await expect(collect(model, "")).rejects.toThrow("no layer");
    await expect(collect(new Twice())).rejects.toThrow("name a layer (--layer)");
    await expect(collect(new Twice(), "conv")).rejects.toThrow("applies it 2 times");
    await expect(collect(new Twice(), "unused")).rejects.toThrow("does not apply it");
    nn.foldBatchNorm(model);
    await expect(collect(model, "conv1")).rejects.toThrow("was folded into the batch norm");
  });
});
