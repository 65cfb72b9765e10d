import { describe, expect, it } from "vitest";
import { zod } from "../packages.js";
import { defaultAugment, defineDataset } from "./define.js";
import { datasetNamed, datasets } from "./sets/index.js";

describe("defaultAugment", () => {
  it.each([
    ["fashion-mnist", { crop: 4, flip: true }],
    ["mnist", { crop: 4, flip: false }],
    ["cifar10", { crop: 4, flip: true }],
    ["cifar100", { crop: 4, flip: true }],
    ["synthetic", { crop: 4, flip: false }],
  ])("of %s keeps its labels true: %j", (name, augment) => {
    expect(defaultAugment(datasetNamed(name))).toEqual(augment);
  });

  it("crops nothing where that changes labels", () => {
    const definition = { name: "x", summary: "y", augment: { crop: false, flip: true } };
    const made = { make: () => Promise.reject(new Error("not asked for")) };
    expect(defaultAugment(defineDataset({ ...definition, from: made }))).toEqual({ crop: 0, flip: true });
  });
});

describe("Lyceum's data sets", () => {
  it("have names of their own, a summary of one line, and say how many classes they have", () => {
    const names = datasets.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
    const classes = Object.fromEntries(
      datasets.map((set) => [set.name, set.classCount?.({ name: set.name })]),
    );
    expect(classes).toEqual({ "fashion-mnist": 10, mnist: 10, cifar10: 10, cifar100: 100, synthetic: 10 });
    expect(datasetNamed("cifar100").classCount!({ name: "cifar100", labels: "coarse" })).toBe(20);
    for (const { kind, summary } of datasets) {
      expect(kind).toBe("dataset");
      expect(summary).toMatch(/^[^\n]+$/);
    }
  });

  it("describe every option, alike where several sets have it", () => {
    const { z } = zod();
    const described = new Map<string, string | undefined>();
    for (const { options } of datasets) {
      for (const [key, type] of Object.entries(options?.(z) ?? {})) {
        expect(type.description, key).toBeTruthy();
        expect(described.get(key) ?? type.description).toBe(type.description);
        described.set(key, type.description);
      }
    }
    const ofFiles = ["cache", "cacheSide", "damaged", "resize", "size"];
    const ofFolders = [...ofFiles, "testFolder", "testShare"];
    const ofShards = ["train", "test", "classNames"];
    const drawn = ["channels", "classes", "labels", "noise", "size", "testCount", "trainCount"];
    expect([...described.keys()].sort()).toEqual([...new Set([...ofFolders, ...ofShards, ...drawn].sort())]);
  });
});
