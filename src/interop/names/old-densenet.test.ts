import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import * as torch from "../../torch/index.js";
import { nameAsTorchvision } from "../weights-file.js";
import { withPresentNames } from "./old-densenet.js";

it("the names of torchvision's older files become those that its DenseNet-121 has now", () => {
  const file = new URL("../../models/fixtures/torchvision/densenet121.json", import.meta.url);
  const names = Object.keys(JSON.parse(readFileSync(file, "utf8")).tensors);
  const nothing = torch.zeros([]);
  const stateOf = (all: string[]) => Object.fromEntries(all.map((name) => [name, nothing]));
  const olds = names.map((name) => name.replace(/(denselayer\d+\.(norm|conv))([12])/, "$1.$3"));
  expect(olds).toContain("features.denseblock4.denselayer16.conv.2.weight");
  expect(Object.keys(withPresentNames(stateOf(olds)))).toEqual(names);
  expect(Object.keys(withPresentNames(stateOf(names)))).toEqual(names);
});

it("other networks' names stay", () => {
  const state = { "features.norm.1.weight": torch.zeros([]), "denselayer1.norm.3.bias": torch.zeros([]) };
  expect(Object.entries(withPresentNames(state))).toEqual(Object.entries(state));
});

it("a file's notes say what was renamed", () => {
  const noted = (name: string) => {
    const file = {
      format: "pytorch" as const,
      tensors: { [name]: torch.zeros([1]) },
      metadata: {},
      notes: [],
    };
    nameAsTorchvision({ ...file, [Symbol.dispose]: () => {} });
    return file.notes;
  };
  expect(noted("denselayer1.norm.1.bias")).toEqual([expect.stringMatching(/older DenseNets/)]);
  expect(noted("denselayer1.norm1.bias")).toEqual([]);
});
