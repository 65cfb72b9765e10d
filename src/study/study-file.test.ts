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

/** A study that calibrates the arm "tolerant", with something of that changed. */
const calibrateBy = (change: object) => ({
  calibrate: {
    like: "strict",
    arms: { tolerant: { key: "patriarch.primaryScore", range: [0.5, 0.9], ...change } },
  },
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
    [
      { claim: { arm: "tolernt" } },
      /claim: there is no arm "tolernt"; the arms are strict, tolerant, softer/,
    ],
    [{ claim: { arm: "softer", over: ["softer"] } }, /claim\.over: softer cannot be better than itself/],
    [{ claim: "softer" }, /claim: must be a mapping of arm and, unless it is all others, over/],
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
    [{ seed: [1] }, /: seed: unknown key; did you mean "seeds"\?/],
    [{ arms: ["strict"] }, /:\d+: arms: must be a mapping: for each arm's name the keys that it changes/],
    [{ arms: { strict: null } }, /arms\.strict: must be a mapping of the keys that the arm changes/],
    [{ seeds: 1.5 }, /seeds: must be a list of whole numbers from 0 to 4294967295, or how many/],
    [{ seeds: [2 ** 32] }, /seeds\.0: must be a list of whole numbers/],
    [{ base: [1] }, /base: must be a recipe: a mapping, or the name or the path of one/],
    [
      { base: { ...tinyStudy.base, epochs: 0 } },
      /tiny\.yaml:\d+: base\.epochs: must be a whole number from 1 to 100000, given 0/,
    ],
    [
      { base: { ...tinyStudy.base, model: "resnte8" } },
      /base\.model: must be one of .*, given "resnte8"; did you mean "resnet8"\?/,
    ],
    [
      { arms: { mine: { patriarch: { method: "zzzzzzzzzz" } } }, reference: "mine" },
      /arms\.mine: patriarch\.method: must be .*, given "zzzzzzzzzz"; one of your own comes by --import/,
    ],
    [{ grid: {} }, /grid: is empty/],
    [{ grid: { "patriarch.k": [3, 3] } }, /grid\.patriarch\.k: 3 is given twice/],
    [
      { grid: { model: ["a b"] } },
      /grid: its point "model=a b" cannot be named so, since an arm's name is made of letters/,
    ],
    [calibrateBy({ key: "epochs" }), /calibrate\.arms\.tolerant\.key: must be an option of the patriarch/],
    [
      calibrateBy({ range: [0.9, 0.5] }),
      /calibrate\.arms\.tolerant\.range: must be the least value and the greatest, in this order/,
    ],
    [calibrateBy({ range: [0.5, 9] }), /calibrate\.arms\.tolerant\.range: 4\.75 cannot be tried: patriarch/],
    [calibrateBy({ key: "patriarch.shape" }), /range: 0\.7 cannot be tried: patriarch\.shape: unknown key/],
    [
      calibrateBy({ start: 0.95 }),
      /calibrate\.arms\.tolerant\.start: must lie in the range from 0\.5 to 0\.9/,
    ],
    [{ calibrate: { like: "strict", arms: {} } }, /calibrate\.arms: there are none/],
  ])("%o is a sentence that names file, line and remedy", async (change, message) => {
    const { path } = writeStudy({ ...tinyStudy, ...change });
    await expect(loadStudy(path)).rejects.toThrow(message);
    await expect(loadStudy(path)).rejects.toThrow(path);
  });

  it.each([
    [
      "arms: {a: {}}\nseed: 1\n",
      [":1: seeds: is missing; must be a list", ':3: seed: unknown key; did you mean "seeds"?'],
    ],
    [
      "arms: {a: {}}\nseeds: [.nan, .inf]\n",
      [":3: seeds: must be a list of whole numbers from 0 to 4294967295"],
    ],
    [
      "arms: {a: {}}\nseeds: 1\nbase.epochs: 3\n",
      [":4: base.epochs: unknown key; write a mapping, base: { epochs: … }"],
    ],
    ['arms: {a: {}}\nseeds: 1\n"a\\nb": 3\n', [':4: "a\\nb": unknown key; known here: title']],
    [
      "arms:\n  a: {}\n  b:\n    epochs: -3\nseeds: 1\n",
      [":5: arms.b: epochs: must be a whole number from 1 to 100000, given -3"],
    ],
    [
      "arms:\n  a:\n    model: resnet20\n    patriarch.k: .nan\nseeds: 1\n",
      [":5: arms.a: patriarch.k: must be a whole number of at least 2, given NaN"],
    ],
    [
      "arms:\n  a:\n    epochs: 0\n    student: {softWieght: 1}\nseeds: 1\n",
      [
        ':5: arms.a: student.softWieght: unknown key; did you mean "softWeight"?',
        ":4: arms.a: epochs: must be",
      ],
    ],
    [
      'arms: {a: {}}\nseeds: 1\nclaim: {arm: "b\\nc"}\n',
      [':4: claim: there is no arm "b\\nc"; the arms are a'],
    ],
    [
      "arms:\n  a: &a {model: resnet20}\n  b:\n    <<: *a\nseeds: 1\n",
      [":5: merge keys (<<) are none of YAML 1.2"],
    ],
    ["arms: {a: {}}\n---\nseeds: 1\n", [":3: a second document begins here (---)"]],
    [`arms:\n  a:\n    ? "${"a.".repeat(20_000)}a"\n    : 3\nseeds: 1\n`, [":3: arms.a: a.a.a.a."]],
  ])("%j, and whatever else is wrong, has its line", async (text, messages) => {
    const { path } = writeStudy();
    writeFileSync(path, `base: {data: mnist}\n${text}`);
    const { message } = await loadStudy(path).catch((error) => error);
    const lines = (message as string).split("\n");
    expect(lines.map((line, i) => line.slice(0, path.length + (messages[i]?.length ?? 0)))).toEqual(
      messages.map((one) => `${path}${one}`),
    );
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThan(path.length + 600);
  });

  it("in its YAML is named with its line", async () => {
    const { path } = writeStudy();
    writeFileSync(path, "base: {\n  a: [1,\n");
    await expect(loadStudy(path)).rejects.toThrow(/tiny\.yaml:\d/);
  });
});

it("a grid of more points than memory holds is refused at once", () => {
  const values = Array.from({ length: 50 }, (_, i) => i);
  const grid = Object.fromEntries(Array.from({ length: 20 }, (_, i) => [`augment.key${i}`, values]));
  expect(() => checkStudy({ ...tinyStudy, grid })).toThrow(
    /grid: has 9.*e\+33 points, and a study has at most 500/,
  );
});

it.each([
  [{ arms: JSON.parse('{ "__proto__": { "patriarch": "strict" } }') }, "arms.__proto__"],
  [{ grid: JSON.parse('{ "__proto__": [1, 2] }') }, "grid.__proto__"],
  [
    { arms: { strict: JSON.parse('{ "student": { "__proto__": { "a": 1 } } }') } },
    "arms.strict.student.__proto__",
  ],
])("a key that would be left out without a word is refused", (change, path) => {
  expect(() => checkStudy({ ...tinyStudy, reference: undefined, ...change })).toThrow(
    `${path}: no key can have this name`,
  );
});

it("an arm may have the name of what every object has", () => {
  const arms = { constructor: { patriarch: "strict" }, toString: { patriarch: { k: 3 } } };
  expect(checkStudy({ ...tinyStudy, arms, reference: "toString" }).arms.map(({ name }) => name)).toEqual([
    "constructor",
    "toString",
  ]);
});
