import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import * as torch from "../../torch/index.js";
import { fromTimm, type State, tables, timmTableOf, toTimm, withCounts } from "./rename.js";

/** By the family: the names and shapes of a network in timm and in torchvision, as fixtures/make_timm.py wrote them. */
const layouts: Record<string, Record<"timm" | "torchvision", Record<string, number[]>>> = JSON.parse(
  readFileSync(new URL("../fixtures/timm.json", import.meta.url), "utf8"),
);

/** Tensors that take no memory: each is one zero, expanded to its shape. */
const stateOf = (layout: Record<string, number[]>): State =>
  Object.fromEntries(Object.entries(layout).map(([name, shape]) => [name, torch.zeros([]).expand(shape)]));
const shapesOf = (state: State) =>
  Object.fromEntries(Object.entries(state).map(([name, { shape }]) => [name, [...shape]]));

describe.each(tables)("timm's names of $family", (table) => {
  const { timm, torchvision } = layouts[table.family]!;

  it("are recognised, and torchvision's are not", () => {
    expect(timmTableOf(Object.keys(timm))).toBe(table);
    expect(timmTableOf(Object.keys(torchvision))).toBeUndefined();
  });

  it("become torchvision's, name by name and shape by shape, and those timm's", () => {
    torch.scope(() => {
      expect(shapesOf(fromTimm(stateOf(timm), table))).toEqual(torchvision);
      expect(shapesOf(toTimm(stateOf(torchvision), table))).toEqual(timm);
    });
  });
});

it("the numbers stay in their places", () => {
  const vgg = tables.find(({ family }) => family === "vgg")!;
  torch.scope(() => {
    const weight = torch.arange(0, 2 * 3 * 49).reshape([2, 147]);
    const there = toTimm({ "classifier.0.weight": weight }, vgg)["pre_logits.fc1.weight"]!;
    expect(there.shape).toEqual([2, 3, 7, 7]);
    // Channel 1, row 2, column 3 of the flattened [3, 7, 7].
    expect(there.select(0, 1).select(0, 1).select(0, 2).select(0, 3).item()).toBe(147 + 49 + 14 + 3);
    expect(fromTimm({ "pre_logits.fc1.weight": there }, vgg)["classifier.0.weight"]!.equal(weight)).toBe(
      true,
    );
  });
});

it("counts of batches are added where they are missing", () => {
  const state = withCounts({ "bn.running_mean": torch.zeros([2]), "bn.weight": torch.zeros([2]) });
  expect(Object.keys(state)).toEqual(["bn.running_mean", "bn.weight", "bn.num_batches_tracked"]);
  expect(state["bn.num_batches_tracked"]).toMatchObject({ shape: [], dtype: "int64" });
  expect(withCounts(state)).toEqual(state);
});
