import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { settled } from "../../torch/testing/settled.js";
import { readWeightsFile } from "../index.js";

const folder = new URL("../fixtures/", import.meta.url).pathname;

/** A tensor as PyTorch wrote it, its values in float64. */
interface Expected {
  dtype: string;
  shape: number[];
  values: number[];
}

/** By the name of the file, and of the tensor in it: what fixtures/make.py read in PyTorch. */
const good: Record<string, Record<string, Expected>> = JSON.parse(readFileSync(`${folder}good.json`, "utf8"));

describe("what torch.save wrote", () => {
  it.each(Object.keys(good))("%s is read to the bit", async (name) => {
    using file = await readWeightsFile(`${folder}good/${name}`);
    expect(file.format).toBe("pytorch");
    expect(Object.keys(file.tensors)).toEqual(Object.keys(good[name]!));
    for (const [key, { dtype, shape, values }] of Object.entries(good[name]!)) {
      const tensor = file.tensors[key]!;
      expect(tensor.shape, key).toEqual(shape);
      expect(tensor.dtype, key).toBe(dtype === "int16" || dtype === "int8" ? "int32" : dtype);
      expect([...(tensor.to({ dtype: "float64" }).toTypedArray() as Float64Array)], key).toEqual(values);
    }
  });

  it("says what it left out of a checkpoint, and renamed", async () => {
    using file = await readWeightsFile(`${folder}good/checkpoint.pt`);
    expect(file.notes).toEqual([
      'the state dict stands under "state_dict"; left out: epoch, arch, best, optimizer, milestones, shape, dtype, device, ' +
        "large, negative, …",
      'every name began with "module.", which is left out',
    ]);
  });

  it("leaves no tensors behind when the file is disposed of", async () => {
    const before = settled().tensors;
    (await readWeightsFile(`${folder}good/many.pt`))[Symbol.dispose]();
    expect(settled().tensors).toBe(before);
  });
});

it("reads safetensors files too, by their content", async () => {
  await expect(readWeightsFile(`${folder}nowhere.pt`)).rejects.toThrow("nowhere.pt: there is no such file");
  await expect(readWeightsFile(folder)).rejects.toThrow("fixtures/: is no regular file");
});
