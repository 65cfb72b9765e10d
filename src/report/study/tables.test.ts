import { expect, test } from "vitest";
import { paired } from "../../study/index.js";
import { drawnArms, makeStudy } from "../../study/testing/make-study.js";
import { differencesCsv, ensemblesCsv, networksCsv } from "./tables.js";

const study = makeStudy({
  arms: { strict: drawnArms.strict!, plain: drawnArms.plain! },
  seeds: [0, 7],
  finished: (arm, seed, generation) => arm === "plain" || seed === 0 || generation < 2,
});
const rowsOf = (text: string) => text.trimEnd().split("\n");

test("a row for each trained network and part", () => {
  const [headings, ...rows] = rowsOf(networksCsv(study));
  expect(headings).toMatch(
    /^arm,seed,generation,part,top1,.*,epochs,trainSeconds,cpuSeconds,kernels,date,fingerprint$/,
  );
  expect(rows).toHaveLength(2 * (3 + 2 + 1 + 1));
  const { top1 } = study.arms[0]!.lines[1]!.networks[1]!.test!;
  expect(rows.find((row) => row.startsWith("strict,7,1,test,"))).toContain(`strict,7,1,test,${top1},`);
});

test("a metric that is a list is one cell of JSON", () => {
  const [first] = rowsOf(networksCsv(study)).slice(1);
  const cell = /"(\[0\.7[^"]*\])"/.exec(first!)![1]!;
  const list = JSON.parse(cell) as number[];
  expect(list).toHaveLength(10);
  expect(list[0]).toBeCloseTo(study.arms[0]!.lines[0]!.networks[0]!.heldOut!.scoreByRank![0]!, 6);
});

test("a row for each ensemble whose members are trained", () => {
  const [headings, ...rows] = rowsOf(ensemblesCsv(study));
  expect(headings).toContain("gainOverMean");
  expect(rows.map((row) => row.split(",").slice(0, 4).join())).toEqual([
    "strict,0,0-1,heldOut",
    "strict,0,0-1,test",
    "strict,0,0-2,heldOut",
    "strict,0,0-2,test",
    "strict,7,0-1,heldOut",
    "strict,7,0-1,test",
  ]);
});

test("a row for each paired difference, with the difference of each seed", () => {
  const two = makeStudy({
    arms: { strict: drawnArms.strict!, tolerant: drawnArms.tolerant! },
    seeds: [0, 7],
  });
  const differences = paired(two);
  const [headings, ...rows] = rowsOf(differencesCsv(differences));
  expect(headings!.split(",")).toHaveLength(20);
  expect(rows).toHaveLength(differences.length);
  const [strict, tolerant] = two.arms.map(({ lines }) => lines[0]!.networks[0]!.test!.top1);
  expect(rows[0]).toMatch(/^tolerant,strict,0,0,0,top1,test,-0\.0/);
  expect(rows[0]).toContain(`,"[0,7]","[${tolerant! - strict!},`);
});
