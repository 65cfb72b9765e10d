import { expect, it } from "vitest";
import { paired, type StudyResult, studySentences } from "../study/index.js";
import { drawnGrid, makeStudy } from "../study/testing/make-study.js";
import { comparisonText } from "./comparison-text.js";

const textOf = (study: StudyResult) => {
  const { reference, part } = study;
  const sentences = studySentences(study);
  return comparisonText(study, {
    measure: { metric: "top1", part },
    reference,
    paired: paired(study),
    sentences,
    expectations: [],
  });
};

it("of a search names the best arm, claims nothing and tests nothing", () => {
  const text = textOf(makeStudy({ arms: drawnGrid([3, 5], [0.5, 0.8]), part: "heldOut", seeds: [0, 1, 2] }));
  expect(text).toMatch(/^Of 4 arms, k=\d,primaryScore=0\.\d ends highest: top-1 /m);
  expect(text).not.toMatch(/The claim|No difference can be told|\bp\b|test images/);
  expect(text).toContain("95 % interval");
});

it("shows means with the deviation of two seeds, which their interval would drown", () => {
  const study = makeStudy({ seeds: [0, 1] });
  const [a, b] = study.arms[0]!.lines.map(({ networks }) => 100 * networks[0]!.test!.top1);
  const text = textOf(study);
  expect(text).toContain(
    `${((a! + b!) / 2).toFixed(2)} ± ${(Math.abs(a! - b!) / Math.SQRT2).toFixed(2)} % (2)`,
  );
  expect(text).toContain("mean ± standard deviation over seeds");
});

it("has no headline while no pair of lines is finished", () => {
  const text = textOf(makeStudy({ finished: (arm) => arm === "strict" }));
  expect(text).not.toMatch(/The claim|0 seeds/);
});
