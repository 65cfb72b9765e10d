import { writeFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { checkStudy, loadStudy } from "./study-file.js";
import { tinyStudy, writeStudy } from "./testing/tiny-study.js";

describe("a study file", () => {
  it("makes a recipe of each arm, by whole keys and by dotted ones", async () => {
    const { arms, file } = await loadStudy(writeStudy().path);
    expect(arms.map(({ name }) => name)).toEqual(["strict", "tolerant", "softer"]);
    expect(arms[0]!.recipe).toMatchObject({ model: "resnet8", patriarch: { method: "strict" }, epochs: 2 });
    expect(arms[2]!.recipe.student).toMatchObject({
      method: "distillation",
      temperature: 2,
      hardWeight: 0.5,
    });
    expect(file.kind).toBe("study");
  });

  it("may name a recipe as its base, and a number of seeds", async () => {
    const base = "quickstart";
    const { arms, file } = await loadStudy(
      writeStudy({ base, seeds: 3, arms: { strict: { patriarch: "strict" } } }).path,
    );
    expect(file.seeds).toEqual([0, 1, 2]);
    expect(file.reference).toBe("strict");
    expect(arms[0]!.recipe.data.name).toBe("fashion-mnist");
  });

  it("makes arms of the points of a grid", () => {
    const { arms } = checkStudy({
      ...tinyStudy,
      grid: { "patriarch.k": [2, 3], "patriarch.primaryScore": [0.7, 0.9] },
    });
    expect(arms.slice(3).map(({ name }) => name)).toEqual([
      "k=2,primaryScore=0.7",
      "k=2,primaryScore=0.9",
      "k=3,primaryScore=0.7",
      "k=3,primaryScore=0.9",
    ]);
    expect(arms[4]!.recipe.patriarch).toMatchObject({ k: 2, primaryScore: 0.9 });
    expect(arms[4]!.at).toEqual({ "patriarch.k": 2, "patriarch.primaryScore": 0.9 });
  });
});

describe("a mistake in a study file", () => {
  const arms = { ...tinyStudy.arms, wrong: { patriarch: "labelsmoothing" } };
  it.each([
    [
      { arms },
      /tiny\.yaml:\d+: arms\.wrong: patriarch: must be one of "strict", .* given "labelsmoothing"; did you mean "label-smoothing"\?/,
    ],
    [
      { arms: { one: { seed: 3 } }, reference: "one" },
      /arms\.one: an arm cannot change seed: seeds are listed once/,
    ],
    [{ seeds: [1, 2, 1] }, /:\d+: seeds: 1 is given twice: a seed counts once, so leave the second one out/],
    [{ reference: "plain" }, /reference: there is no arm "plain"; the arms are strict, tolerant, softer/],
    [{ arms: {} }, /arms: there are none: name at least one/],
    [{ arms: { "../x": {} }, reference: "../x" }, /arms\.\.\.\/x: an arm's name is made of letters, digits/],
    [{ base: "nonsense" }, /base: nonsense: neither a recipe nor a file/],
    [{ base: { ...tinyStudy.base, seed: 4 } }, /the base recipe has a seed: list it in `seeds` instead/],
    [
      { kind: "search", base: { ...tinyStudy.base, data: "synthetic" } },
      /settings are chosen on held-out images: give data a `heldOut`/,
    ],
    [{ calibrate: { like: "tolerent", arms: {} } }, /calibrate: there is no arm "tolerent"/],
    [{ seed: [1] }, /: unknown key "seed"; did you mean "seeds"\?/],
  ])("%o is a sentence that names file, line and remedy", async (change, message) => {
    const { path } = writeStudy({ ...tinyStudy, ...change });
    await expect(loadStudy(path)).rejects.toThrow(message);
    await expect(loadStudy(path)).rejects.toThrow(path);
  });

  it("in its YAML is named with its line", async () => {
    const { path } = writeStudy();
    writeFileSync(path, "base: {\n  a: [1,\n");
    await expect(loadStudy(path)).rejects.toThrow(/tiny\.yaml:\d/);
  });
});
