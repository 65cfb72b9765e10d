import { expect, it } from "vitest";
import { planStudy, sameArms, shardOf } from "./plan.js";
import { checkStudy } from "./study-file.js";
import { tinyStudy } from "./testing/tiny-study.js";

it("trains what arms share once, seed by seed, teachers before students", () => {
  const { networks } = planStudy(checkStudy(tinyStudy));
  expect(networks.map(({ arms, seed, generation }) => [arms.join(), seed, generation])).toEqual([
    ["strict,softer", 0, 0],
    ["strict", 0, 1],
    ["tolerant", 0, 0],
    ["tolerant", 0, 1],
    ["softer", 0, 1],
    ["strict,softer", 1, 0],
    ["strict", 1, 1],
    ["tolerant", 1, 0],
    ["tolerant", 1, 1],
    ["softer", 1, 1],
  ]);
  for (const [i, { teachers }] of networks.entries())
    for (const teacher of teachers)
      expect(networks.slice(0, i).map(({ fingerprint }) => fingerprint)).toContain(teacher);
});

it("shares the first generations of lines of different lengths", () => {
  const longer = { ...tinyStudy.arms, longer: { patriarch: "strict", generations: 3 } };
  const { networks } = planStudy(checkStudy({ ...tinyStudy, seeds: [0], arms: longer }));
  expect(networks.filter(({ arms }) => arms.includes("longer")).map(({ arms }) => arms.join())).toEqual([
    "strict,softer,longer",
    "strict,longer",
    "longer",
  ]);
});

it("finds two arms that are the same recipe, however they are written", () => {
  const arms = { ...tinyStudy.arms, again: { "patriarch.method": "strict", student: { temperature: 2 } } };
  expect(sameArms(planStudy(checkStudy({ ...tinyStudy, arms })))).toEqual(["softer", "again"]);
  expect(sameArms(planStudy(checkStudy(tinyStudy)))).toBeUndefined();
});

it("cuts a plan into parts that share no network and are all of it", () => {
  const plan = planStudy(checkStudy(tinyStudy));
  for (const of of [1, 2, 3, 5]) {
    const parts = Array.from({ length: of }, (_, i) => shardOf(plan, { shard: i + 1, of }));
    expect(parts.flat().length).toBe(plan.networks.length);
    expect(new Set(parts.flat()).size).toBe(plan.networks.length);
    for (const part of parts) {
      const here = part.map(({ fingerprint }) => fingerprint);
      for (const { teachers } of part) expect(here).toEqual(expect.arrayContaining(teachers));
    }
  }
});

it("keeps the fingerprints of today, by which committed results are found", () => {
  // These stand for the results that are committed. Where a change of the recipe's schema changes them, the new key must
  // be left out of recipes that do not have it; where networks learn otherwise, NUMERICS is raised.
  const { networks } = planStudy(checkStudy({ ...tinyStudy, seeds: [7] }));
  expect(networks.map(({ fingerprint }) => fingerprint.slice(0, 12))).toMatchInlineSnapshot(`
    [
      "0024431b5840",
      "5c3e07042fbd",
      "627bf9fd8eb9",
      "1acf8401b36f",
      "3a30553e9b19",
    ]
  `);
});

it("knows a recipe by what it trains, not by how it is written or where its images lie", () => {
  const fingerprints = (change: object) =>
    planStudy(checkStudy({ ...tinyStudy, ...change })).networks.map(({ fingerprint }) => fingerprint);
  const { base } = tinyStudy;
  expect(fingerprints({ base: { ...base, title: "Other words", threads: 3, validateEvery: 2 } })).toEqual(
    fingerprints({}),
  );
  expect(fingerprints({ base: { ...base, data: { ...base.data, root: "/elsewhere" } } })).toEqual(
    fingerprints({}),
  );
  for (const change of [
    { epochs: 3 },
    { batchSize: 8 },
    { optimizer: { learningRate: 0.2 } },
    { kernels: "exact" },
  ])
    for (const fingerprint of fingerprints({ base: { ...base, ...change } }))
      expect(fingerprints({})).not.toContain(fingerprint);
});

it("knows for how many epochs each network is trained, which its method may shorten", () => {
  const arms = { stopped: { patriarch: { method: "early-stopped", fraction: 0.5 }, epochs: 10 } };
  const { networks } = planStudy(checkStudy({ ...tinyStudy, seeds: [0], reference: "stopped", arms }));
  expect(networks.map(({ epochs }) => epochs)).toEqual([5, 10]);
});
