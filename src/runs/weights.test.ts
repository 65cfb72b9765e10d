import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import * as torch from "../torch/index.js";
import { settled } from "../torch/testing/settled.js";
import { lyceumVersion } from "./environment.js";
import { readWeights, type WeightsDescription, writeWeights } from "./weights.js";

const folder = mkdtempSync(join(tmpdir(), "lyceum-weights-"));
afterAll(() => rmSync(folder, { recursive: true }));
const path = join(folder, "weights.safetensors");

const description: WeightsDescription = {
  lyceum: lyceumVersion(),
  model: "resnet8",
  construction: "3 stages of one block; “option A” shortcuts",
  generation: 2,
  role: "student",
  classNames: ["Katze", "犬", "__proto__"],
  channels: 3,
  height: 24,
  width: 32,
  mean: [0.1, 0.2, 0.30000000000000004],
  std: [1, 0.5, 1e-7],
};

it("gives back the tensors and what was said of them, the doubles to the bit", () => {
  const w = torch.tensor([[1, 2, 3]]);
  writeWeights(path, { "fc.weight": w }, description);
  const found = readWeights(path);
  expect(found.description).toEqual(description);
  expect(found.tensors["fc.weight"]!.tolist()).toEqual([[1, 2, 3]]);
  const { construction, ...without } = description;
  writeWeights(path, { w }, without);
  expect(readWeights(path).description).toEqual(without);
});

it("keeps the metadata as text that other programs read, with the keys of docs/predict.md", () => {
  writeWeights(path, { w: torch.tensor([1]) }, description);
  expect(torch.loadSafetensors(path).metadata).toMatchObject({
    format: "lyceum-weights",
    formatVersion: "1",
    generation: "2",
    height: "24",
    classNames: '["Katze","犬","__proto__"]',
    mean: "[0.1,0.2,0.30000000000000004]",
    resize: "exact",
    colour: "rgb",
  });
});

it("never writes what it would not read", () => {
  const wrong = { ...description, std: [1, 0, 1] };
  const file = join(folder, "never.safetensors");
  expect(() => writeWeights(file, { w: torch.tensor([1]) }, wrong)).toThrow(`${file}: metadata std.1: `);
  expect(() => readWeights(file)).toThrow("ENOENT");
});

describe("forged metadata are refused by file and key, and leave no tensors behind", () => {
  const forge = (changes: Record<string, string | undefined>) => {
    writeWeights(path, { w: torch.tensor([1]) }, description);
    const { metadata } = torch.loadSafetensors(path);
    const all = Object.entries({ ...metadata, ...changes }).filter(([, text]) => text !== undefined);
    torch.saveSafetensors(path, { w: torch.tensor([1]) }, Object.fromEntries(all) as Record<string, string>);
  };

  it.each([
    ["its metadata do not say how to use the network", { format: undefined }],
    ["its metadata do not say how to use the network", { format: "pt" }],
    [
      "is in format 2, written by Lyceum 99.0.0, and this version, Lyceum",
      { formatVersion: "2", lyceum: "99.0.0" },
    ],
    ["is in format unknown, written by Lyceum", { formatVersion: undefined }],
    ["metadata height: ", { height: undefined }],
    ["metadata height: ", { height: "0" }],
    ["metadata height: must be a whole number", { height: "1e9" }],
    ["metadata height: 3 x 999999 x 999999 is more than", { height: "999999", width: "999999" }],
    ["metadata width: must be a whole number", { width: "-3" }],
    ["metadata width: must be a whole number", { width: " 3" }],
    ["metadata mean: must hold 1 numbers", { channels: "1" }],
    ["metadata channels: ", { channels: "4097" }],
    ["metadata colour: must be rgb for 3 channels, is grey", { colour: "grey" }],
    ["metadata resize: ", { resize: "crop" }],
    ["metadata mean: ", { mean: "[NaN,0,0]" }],
    ["metadata mean.0: ", { mean: "[null,0,0]" }],
    ["metadata mean.0: ", { mean: "[1e999,0,0]" }],
    ["metadata std: must hold 3 numbers", { std: "[1,1]" }],
    ["metadata std.1: ", { std: "[1,-1,1]" }],
    ["metadata std: ", { std: '{"length":3}' }],
    ["metadata classNames: ", { classNames: "cat,dog" }],
    ["metadata classNames: ", { classNames: '["one"]' }],
    ["metadata classNames.1: ", { classNames: '["one",2]' }],
    ["metadata classNames", { classNames: `${"[".repeat(1e5)}${"]".repeat(1e5)}` }],
    ["metadata classNames: ", { classNames: JSON.stringify(Array(100_001).fill("x")) }],
    ["metadata generation: ", { generation: "99999" }],
    ["metadata role: ", { role: "teacher" }],
    ["metadata model: ", { model: "" }],
    ["metadata construction: ", { construction: "x".repeat(20_001) }],
  ])("%s", (problem, changes) => {
    forge(changes);
    const before = settled().tensors;
    expect(() => readWeights(path)).toThrow(`${path}: ${problem}`);
    expect(settled().tensors).toBe(before);
  });
});

it("refuses a file that is no safetensors file", () => {
  writeFileSync(path, "not a weights file at all");
  expect(() => readWeights(path)).toThrow(path);
});
