import { describe, expect, it } from "vitest";
import { type PairedDifference, paired, withoutRepeated } from "./paired.js";
import { claimedArm, claimSentence, claims, headline } from "./sentences/claims.js";
import { oneMoreGenerationSentence } from "./sentences/cost.js";
import { correctionSentence, designSentence, seedsNeededSentence } from "./sentences/design.js";
import { differenceSentence, findingOf } from "./sentences/difference.js";
import { meetingSentence } from "./sentences/meeting.js";
import { leftOutSentences, missingSentence } from "./sentences/missing.js";
import { studySentences } from "./sentences.js";
import { estimateMean } from "./statistics/index.js";
import { type ArmByHand, studyByHand } from "./testing/by-hand.js";
import type { Place } from "./values.js";

/** Two lines of three networks, of which only names and lengths count. */
const lines = studyByHand({
  strict: { top1: [[50, 51, 52]] },
  tolerant: { top1: [[49, 51, 53]] },
  plain: { top1: [[51]] },
});

/** A comparison with the interval that a test writes down, in percent points. */
function comparison(
  numbers: { difference: number; low?: number; high?: number; p?: number; seeds?: number },
  given: Partial<PairedDifference> = {},
): PairedDifference {
  const { difference, low, high, p, seeds = 5 } = numbers;
  const points = (value: number | undefined) => (value === undefined ? undefined : value / 100);
  return {
    a: "tolerant",
    b: "strict",
    generation: 2,
    of: { a: 2, b: 2 },
    metric: "top1",
    part: "test",
    difference: difference / 100,
    low: points(low),
    high: points(high),
    bootstrap: undefined,
    simultaneous: undefined,
    deviation: 0.004,
    p,
    adjusted: p,
    together: 1,
    seeds: Array.from({ length: seeds }, (_, seed) => seed),
    differences: [],
    alone: { a: [], b: [] },
    noNumber: [],
    ...given,
  };
}

describe("a difference", () => {
  const say = (...given: Parameters<typeof comparison>) => differenceSentence(lines, comparison(...given));

  it("that is told", () => {
    expect(say({ difference: 0.6, low: 0.2, high: 1, p: 0.01 })).toBe(
      "tolerant's second student is 0.6 points above strict's, 95 % interval over seeds 0.2 to 1.0, 5 seeds.",
    );
    expect(say({ difference: -0.61, low: -0.7, high: -0.52, p: 0.001 })).toBe(
      "tolerant's second student is 0.61 points below strict's, 95 % interval over seeds −0.70 to −0.52, 5 seeds.",
    );
    expect(say({ difference: 31.25, low: 25, high: 37.5, p: 0.0001, seeds: 2 })).toBe(
      "tolerant's second student is 31.3 points above strict's, 95 % interval over seeds 25.0 to 37.5, 2 seeds.",
    );
  });

  it("that cannot be told", () => {
    expect(say({ difference: 0.2, low: -0.3, high: 0.7, p: 0.3 })).toBe(
      "No difference can be told between tolerant's second student and strict's: 0.2 points above, 95 % interval over seeds −0.3 to 0.7, 5 seeds.",
    );
    expect(say({ difference: 0, low: -0.5, high: 0.5, p: 1 })).toBe(
      "No difference can be told between tolerant's second student and strict's: level, 95 % interval over seeds −0.5 to 0.5, 5 seeds.",
    );
    expect(say({ difference: 0, low: 0, high: 0, p: 1 })).toMatch(
      /^No difference can be told .* 0\.00 to 0\.00, 5 seeds\.$/,
    );
  });

  it("whose interval just touches 0 is not told, and one just beside it is", () => {
    expect(say({ difference: 0.4, low: 0, high: 0.8, p: 0.05 })).toMatch(
      /^No difference can be told .* 0\.0 to 0\.8/,
    );
    expect(say({ difference: 0.4, low: 0.01, high: 0.79, p: 0.049 })).toMatch(
      / 0\.40 points above .* 0\.01 to 0\.79/,
    );
  });

  it("of many arms is told by the corrected p, which it names", () => {
    const numbers = { difference: 0.6, low: 0.2, high: 1, p: 0.02 };
    expect(say(numbers, { adjusted: 0.04, together: 4 })).toBe(
      "tolerant's second student is 0.6 points above strict's, 95 % interval over seeds 0.2 to 1.0, 5 seeds, p 0.04 for 4 arms together.",
    );
    expect(say(numbers, { adjusted: 0.08, together: 4 })).toBe(
      "No difference can be told between tolerant's second student and strict's: 0.6 points above, 95 % interval over seeds 0.2 to 1.0, 5 seeds, p 0.08 for 4 arms together, which is too much for so many arms.",
    );
  });

  it("of one seed has no interval, and of none nothing", () => {
    expect(say({ difference: 0.6, seeds: 1 })).toBe(
      "tolerant's second student is 0.60 points above strict's, no 95 % interval over seeds, since there is only seed 0: no difference can be told.",
    );
    expect(say({ difference: Number.NaN, seeds: 0 })).toBe(
      "tolerant's second student and strict's cannot be compared: no seed has both.",
    );
  });

  it("of seeds that all differ by the same is not told, and says why", () => {
    const equal = studyByHand({
      strict: { top1: [[50], [52]] },
      tolerant: { top1: [[50.5], [52.5]] },
    });
    const { differences, headline, claims, notes } = studySentences(equal);
    expect(differences).toEqual([
      "No difference can be told between tolerant's network and strict's: 0.50 points above, no 95 % interval over seeds, since the differences of all 2 seeds are equal, which does not show how another seed's would be.",
    ]);
    expect(headline).toEqual([
      "The claim that tolerant's line ends higher than strict's cannot be told (top-1 on the test images, 2 seeds).",
    ]);
    expect(claims[0]).toMatch(
      / cannot be told: it is 0\.50 points above, no 95 % interval over seeds, since /,
    );
    expect(notes).toEqual([]);
  });

  it("names both sides where they are not alike", () => {
    const numbers = { difference: -0.6, low: -1, high: -0.2, p: 0.01 };
    expect(say(numbers, { a: "plain", of: { a: 0, b: 2 } })).toMatch(
      /^plain's network is .* strict's second student,/,
    );
    expect(say(numbers, { a: "plain", of: { a: 0, b: "0-2" } })).toMatch(
      /^plain's network is .* strict's ensemble of 3,/,
    );
    expect(say(numbers, { of: { a: "0-2", b: "0-2" } })).toMatch(/^tolerant's ensemble is .* strict's,/);
    expect(say(numbers, { of: { a: 0, b: 0 } })).toMatch(/^tolerant's patriarch is .* strict's,/);
  });

  it("of a metric that is no fraction has its own unit", () => {
    const given = { metric: "nll", difference: -0.05, low: -0.09, high: -0.01 };
    expect(say({ difference: 0, p: 0.02 }, given)).toBe(
      "tolerant's second student is 0.05 nats below strict's, 95 % interval over seeds −0.09 to −0.01, 5 seeds.",
    );
    expect(say({ difference: 0, p: 0.02 }, { ...given, metric: "meanTopScore" })).toMatch(
      / is 0\.05 below strict's/,
    );
  });
});

it("a finding needs a p below 0.05 and a difference", () => {
  const find = (difference: number, adjusted: number | undefined) => findingOf({ difference, adjusted });
  expect([find(1, 0.0499), find(-1, 0.0499), find(1, 0.05), find(1, undefined), find(0, 0)]).toEqual([
    "above",
    "below",
    "none",
    "none",
    "none",
  ]);
  expect(find(1, Number.NaN)).toBe("none");
});

/** Rows with the given means and a small spread, which differs between arms. */
const rows = (means: number[], { seeds = 5, turn = 0 } = {}) =>
  Array.from({ length: seeds }, (_, seed) =>
    means.map((mean, g) => mean + 0.2 * Math.sin(3 * seed + 5 * g + turn)),
  );

const fiveArms = (last: number): Record<string, ArmByHand> => ({
  strict: { top1: rows([50, 52, 52.4]) },
  tolerant: { top1: rows([48, 52, last], { turn: 1 }) },
  smoothing: { top1: rows([49, 52, 53.9], { turn: 2 }) },
  plain: { top1: rows([51], { turn: 3 }) },
});

describe("the claim", () => {
  const study = studyByHand(fiveArms(53.9));

  it("is about the tolerant arm, or the other of two", () => {
    expect(claimedArm(study)).toBe("tolerant");
    const named = (name: string, words: string) =>
      claimedArm(
        studyByHand({
          strict: { top1: [[1]] },
          [name]: { top1: [[1]], methods: [["patriarch", words]] },
          third: { top1: [[1]] },
        }),
      );
    expect(named("tsd", "")).toBe("tsd");
    expect(named("soft", "tolerant: primary score 0.80 with K = 5")).toBe("soft");
    expect(named("soft", "cross-entropy and top score difference (k 5)")).toBe("soft");
    expect(named("soft", "label smoothing")).toBeUndefined();
    const two = { a: { top1: [[1]] }, b: { top1: [[1]] } };
    expect([claimedArm(studyByHand(two)), claimedArm(studyByHand(two, { reference: "b" }))]).toEqual([
      "b",
      "a",
    ]);
    expect(claimedArm(studyByHand({ a: { top1: [[1]] } }))).toBeUndefined();
  });

  it("is about no arm where several are tolerant and none has the bare name, nor in a search", () => {
    const claimed = (names: string[], part: "test" | "heldOut" = "test") =>
      claimedArm(studyByHand(Object.fromEntries(names.map((name) => [name, { top1: [[1]] }])), { part }));
    expect(claimed(["strict", "tolerant-k3", "tolerant-k5"])).toBeUndefined();
    expect(claimed(["strict", "tolerant-permuted", "tolerant"])).toBe("tolerant");
    expect(claimed(["strict", "tolerant-k3", "plain"])).toBe("tolerant-k3");
    expect(claimed(["mixup", "cutmix", "none"])).toBeUndefined();
    expect(claimed(["strict", "tolerant"], "heldOut")).toBeUndefined();
  });

  it("of two arms is about the one that is compared, not the reference", () => {
    const two = studyByHand({ a: { top1: rows([50]) }, b: { top1: rows([53], { turn: 1 }) } });
    expect(studySentences(two).headline[0]).toContain("b's line ends higher than a's holds");
    expect(studySentences(two, { reference: "b" }).headline[0]).toContain(
      "a's line ends higher than b's does not hold",
    );
  });

  it("holds, does not hold or cannot be told beside each rival", () => {
    const verdicts = (last: number) =>
      claims(studyByHand(fiveArms(last)))
        .filter(({ of }) => of === "last")
        .map(({ rival, verdict }) => [rival, verdict]);
    expect(verdicts(53.9)).toEqual([
      ["strict", "holds"],
      ["smoothing", "cannot be told"],
      ["plain", "holds"],
    ]);
    expect(verdicts(51.5)).toEqual([
      ["strict", "does not hold"],
      ["smoothing", "does not hold"],
      ["plain", "holds"],
    ]);
  });

  it("of a metric where less is better is turned round, and one without a better end has none", () => {
    const verdicts = claims(study, { metric: "nll" }).map(({ verdict }) => verdict);
    expect(verdicts.slice(0, 3)).toEqual(["holds", "cannot be told", "holds"]);
    expect(claims(study, { metric: "entropy" })).toEqual([]);
    expect(headline(study, { metric: "entropy" })).toEqual([]);
  });

  it("is said with its numbers, and what is left open", () => {
    const [strict, smoothing] = claims(study).map((claim) => claimSentence(study, claim));
    expect(strict).toMatch(
      /^That tolerant's second student is higher than strict's holds: it is 1\.\d+ points above, 95 % interval over seeds 1\.\d+ to 1\.\d+, 5 seeds, p below 0\.0001 for 3 rivals together\.$/,
    );
    expect(smoothing).toMatch(
      / smoothing's cannot be told: it is 0\.\d+ points \w+, .*; it could be better by up to 0\.\d+ points\.$/,
    );
  });

  it("is counted in the headline", () => {
    expect(headline(study)[0]).toBe(
      "The claim that tolerant's line ends higher than the others' holds beside strict's and plain's and cannot be told beside smoothing's (top-1 on the test images, 5 seeds).",
    );
    expect(headline(study)[1]).toMatch(/^The claim that tolerant's ensemble is higher than the others' /);
    const two = studyByHand({
      strict: { top1: rows([50, 52]) },
      tolerant: { top1: rows([48, 51], { turn: 1 }) },
    });
    expect(headline(two)[0]).toBe(
      "The claim that tolerant's line ends higher than strict's does not hold (top-1 on the test images, 5 seeds).",
    );
  });

  it("cannot be told of one seed, whatever the difference, nor of none", () => {
    const one = studyByHand({ strict: { top1: [[50, 52]] }, tolerant: { top1: [[48, 92]] } });
    expect(headline(one)[0]).toContain("cannot be told (top-1 on the test images, 1 seed)");
    const none = studyByHand({
      strict: { top1: [[50, 52]] },
      tolerant: { top1: [[null, null]], generations: 2 },
    });
    expect(claims(none).map((claim) => claimSentence(none, claim))[0]).toBe(
      "That tolerant's first student is higher than strict's cannot be told: no seed has both.",
    );
    expect(headline(none)).toEqual([]);
    expect(headline({ ...none, arms: [...none.arms, { ...none.arms[0]!, name: "plain" }] })).toEqual([]);
  });

  it("is judged for the rivals that have seeds, and says so where these are not all", () => {
    const some = studyByHand({
      strict: { top1: rows([50]) },
      tolerant: { top1: rows([53], { turn: 1, seeds: 2 }) },
      plain: { top1: [[null]], generations: 1 },
    });
    expect(headline(some)[0]).toMatch(/strict's \w+.* \(top-1 on the test images, 2 seeds of 5\)\.$/);
    expect(headline(some)[0]).not.toContain("plain");
    const { notes } = studySentences({ ...some, trained: { done: 7, of: 15 } });
    expect(notes[1]).toMatch(/^This is a look in between: /);
    expect(studySentences(studyByHand(fiveArms(53.9))).notes.join()).not.toContain("in between");
  });

  it("says why an interval beside 0 is not enough for many rivals", () => {
    const [claim] = claims(study);
    const open = comparison({ difference: 0.6, low: 0.2, high: 1, p: 0.02 }, { adjusted: 0.08, together: 4 });
    expect(claimSentence(study, { ...claim!, verdict: "cannot be told", comparison: open })).toMatch(
      /, p 0\.08 for 4 rivals together, which is too much for so many rivals; it could be better by up to 1\.0 points\.$/,
    );
  });
});

describe("where lines meet", () => {
  const meeting = (strict: number[], tolerant: number[], seeds = 5) =>
    meetingSentence(
      studyByHand({
        strict: { top1: rows(strict, { seeds }) },
        tolerant: { top1: rows(tolerant, { turn: 1, seeds }) },
      }),
      { a: "tolerant", b: "strict" },
    );

  it.each<[number[], number[], RegExp]>([
    [
      [50, 52, 52.4],
      [48, 51.5, 54],
      /^In the means over 5 seeds tolerant begins 2\.\d+ points below strict at the patriarch and rises above it at the second student; at the second student it is 1\.\d+ points above, 95 % interval over seeds .*, 5 seeds\.$/,
    ],
    [[50, 52, 52.4], [48, 53, 54], / rises above it at the first student; at the second student it is /],
    [
      [50, 52, 52.4],
      [48, 51, 52],
      / begins 2\.\d+ points below strict at the patriarch and stays below it; /,
    ],
    [
      [50, 52, 52.4],
      [51, 53, 54],
      /^In the means over 5 seeds tolerant begins 1\.\d+ points above strict at the patriarch and stays above it; /,
    ],
    [
      [50, 52, 52.4],
      [51, 53, 51],
      / falls below it at the second student; at the second student it is 1\.\d+ points below/,
    ],
    [[50, 52, 52], [48, 53, 51], / meets it more than once, first at the first student; /],
    [[50, 52, 52], [48, 51, 52.1], /; at the second student no difference can be told: 0\.\d+ points /],
    [
      [50, 52],
      [48, 51, 53, 54],
      / rises above it at the second student; at the third student, beside strict's first student, it is 2\.\d+ points above/,
    ],
  ])("%j and %j", (strict, tolerant, sentence) => {
    expect(meeting(strict, tolerant)).toMatch(sentence);
  });

  it("of equal lines, of one seed and of single networks", () => {
    const same = studyByHand({ strict: { top1: [[50, 52]] }, tolerant: { top1: [[50, 52]] } });
    expect(meetingSentence(same, { a: "tolerant", b: "strict" })).toBe(
      "tolerant and strict cannot be told apart at any generation; at the first student: level, no 95 % interval over seeds, since there is only seed 0.",
    );
    expect(meeting([50, 52], [48, 53], 1)).toMatch(
      /^tolerant and strict cannot be told apart at any generation; at the first student: 1\.\d+ points above, no 95 % interval/,
    );
    expect(meeting([50, 52], [51])).toBeUndefined();
    expect(meeting([50], [48, 51])).toBeUndefined();
  });

  it("is not read off means that differ by noise", () => {
    const noise = meeting([50, 52, 52], [50.01, 51.98, 52.02])!;
    expect(noise).toMatch(
      /^tolerant and strict cannot be told apart at any generation; at the second student: /,
    );
    expect(noise).not.toMatch(/meets|rises|falls|begins/);
  });

  it("goes by the same p as the comparisons, corrected for all arms", () => {
    // Differences of the students: 0.5, 0.1, 0.4, 0.3 points; p is 0.032, and corrected for three arms above 0.05.
    const student = [52.5, 52.1, 52.4, 52.3];
    const patriarchs = [48, 48.1, 47.9, 48.2];
    const arm = (students: number[]) => ({ top1: students.map((top1, i) => [patriarchs[i]!, top1]) });
    const study = studyByHand({
      strict: { top1: student.map(() => [50, 52]) },
      tolerant: arm(student),
      second: arm([52.1, 51.9, 52.2, 51.7]),
      third: arm([52.2, 51.8, 52.1, 51.8]),
    });
    expect(meetingSentence(study, { a: "tolerant", b: "strict" })).toMatch(
      / and rises above it at the first student; at the first student no difference can be told: 0\.3\d* points above, .*, 4 seeds, p 0\.\d+ for 3 arms together\.$/,
    );
  });

  it("compares the means of the same seeds at each generation", () => {
    // Without seeds 3 and 4, of which the students are missing, tolerant begins 1 point above and not 5 below.
    const strict = [50, 50.2, 50.1, 50, 50];
    const tolerant = [51, 51.3, 51.2, 35, 36];
    const study = studyByHand({
      strict: { top1: strict.map((top1, i) => [top1, i < 3 ? top1 + 2 : null]) },
      tolerant: { top1: tolerant.map((top1, i) => [top1, i < 3 ? top1 + 2.1 - 0.1 * i : null]) },
    });
    expect(meetingSentence(study, { a: "tolerant", b: "strict" })).toMatch(
      /^In the means over 3 seeds tolerant begins 1\.1\d* points above strict at the patriarch and stays above it; /,
    );
  });

  it("of a metric where less is better does not call more a success", () => {
    const study = studyByHand({
      strict: { top1: rows([50, 52]) },
      tolerant: { top1: rows([51, 51], { turn: 1 }) },
    });
    expect(meetingSentence(study, { a: "tolerant", b: "strict" }, { metric: "nll" })).toMatch(
      / begins 0\.0\d+ nats below strict at the patriarch and rises above it at the first student; /,
    );
  });
});

describe("one more generation", () => {
  it("costs and gives", () => {
    const study = studyByHand({ tolerant: { top1: rows([48, 51, 53]), trainSeconds: 400 } });
    expect(oneMoreGenerationSentence(study, "tolerant")).toMatch(
      /^One more generation, tolerant's second student, costs 6\.7 min of training and is 2\.\d+ points above the first student, 95 % interval over seeds .*, 5 seeds; the ensemble with it is 2\.\d+ points above that of the first 2, 95 % interval over seeds .*, 5 seeds\.$/,
    );
  });

  it("of which no gain can be told says so", () => {
    const study = studyByHand({
      tolerant: {
        top1: [
          [48, 48.1],
          [48, 47.8],
          [48, 48.2],
        ],
        ensemble: [50, 50.2, 50.1],
        trainSeconds: 40,
      },
    });
    expect(oneMoreGenerationSentence(study, "tolerant")).toMatch(
      /costs 40 s of training and no gain can be told over the patriarch: 0\.\d+ points above, .*, 3 seeds; the ensemble with it is 2\.\d+ points above the patriarch alone, /,
    );
  });

  it("says of the ensemble only what can be told, and of a metric without a better end that it differs", () => {
    const study = studyByHand({
      a: {
        top1: [
          [48, 51],
          [48, 50.8],
          [48, 51.2],
        ],
        ensemble: [48.1, 47.8, 48.2],
      },
    });
    expect(oneMoreGenerationSentence(study, "a")).toMatch(
      /; of the ensemble with it no gain can be told over the patriarch alone: 0\.\d+ points above, .*, 3 seeds\.$/,
    );
    for (const line of study.arms[0]!.lines)
      for (const network of line.networks) Object.assign(network!.test!, { entropy: 1 + (line.seed % 2) });
    for (const network of study.arms[0]!.lines[0]!.networks)
      network!.test!.entropy! += network!.generation / 10;
    expect(oneMoreGenerationSentence(study, "a", { metric: "entropy" })).toMatch(
      / no difference can be told to the patriarch: /,
    );
  });

  it("is not said of a single network, nor where the last is missing", () => {
    expect(oneMoreGenerationSentence(studyByHand({ plain: { top1: [[50]] } }), "plain")).toBeUndefined();
    expect(oneMoreGenerationSentence(studyByHand({ a: { top1: [[50, null]] } }), "a")).toBeUndefined();
  });
});

describe("the design", () => {
  it("sees no less than a smallest difference", () => {
    expect(designSentence({ seeds: 5, deviation: 0.004, assumed: true })).toBe(
      "With 5 seeds the smallest difference that is found in 8 of 10 such studies is 0.7 points (two-sided 5 %, one comparison), when paired differences deviate by 0.4 points from seed to seed, as was assumed.",
    );
    expect(designSentence({ seeds: 1, deviation: 0.004 })).toMatch(/^One seed can see no difference/);
    expect(designSentence({ seeds: 2, deviation: 0.004 })).toMatch(/what they tell calls for more seeds\.$/);
  });

  it("would need more seeds for a difference that was not told", () => {
    const open = comparison({ difference: 0.3, low: -0.2, high: 0.8, p: 0.17 });
    expect(seedsNeededSentence(lines, open)).toBe(
      "To tell 0.3 points between tolerant's second student and strict's, were this the true difference and the deviation (0.4 points) the true one, would take about 16 seeds (power 0.8, two-sided 5 %); there are 5.",
    );
    expect(seedsNeededSentence(lines, { ...open, together: 4 })).toMatch(
      /about 2\d seeds \(power 0\.8, two-sided 5 %, corrected for 4 arms\)/,
    );
    expect(seedsNeededSentence(lines, { ...open, difference: 1e-9 })).toContain("more than 100000 seeds");
    for (const told of [
      { adjusted: 0.01 },
      { difference: 0 },
      { deviation: undefined },
      { deviation: 0.0001 },
    ])
      expect(seedsNeededSentence(lines, { ...open, ...told })).toBeUndefined();
  });

  it("says how many arms are corrected, and nothing where there is one", () => {
    expect(correctionSentence([comparison({ difference: 1 }, { together: 4 })])).toMatch(
      /^Up to 4 arms .* Holm's method\. .* simultaneous/,
    );
    expect(correctionSentence([comparison({ difference: 1, p: 0.5 })])).toBeUndefined();
    const places = [
      comparison({ difference: 1, p: 0.5 }),
      comparison({ difference: 1, p: 0.5 }, { generation: 1 }),
    ];
    expect(correctionSentence(places)).toMatch(/^Nothing is corrected for the 2 places/);
    expect(correctionSentence([])).toBeUndefined();
  });
});

it("says what is missing", () => {
  const study = studyByHand({
    strict: {
      top1: [
        [50, 52],
        [51, null],
      ],
    },
    tolerant: {
      top1: [
        [48, 51],
        [48, 51],
      ],
    },
  });
  expect(missingSentence(study)).toBe("7 of 8 networks are trained; 1 is missing, of strict (seed 1).");
  const more = studyByHand({
    strict: {
      top1: [
        [null, null],
        [51, null],
      ],
      generations: 2,
    },
  });
  expect(missingSentence(more)).toBe(
    "1 of 4 networks are trained; 3 are missing, of strict (seeds 0 and 1).",
  );
  expect(missingSentence(studyByHand({ a: { top1: [[50]] } }))).toBeUndefined();
});

describe("all sentences of a study", () => {
  it("claim and tell nothing by p in a search, whose headline is the best arm", () => {
    const search = studyByHand(fiveArms(53.9), { part: "heldOut" });
    const { headline, claims, differences, meetings, costs, notes } = studySentences(search);
    expect(headline[0]).toMatch(/^Of 4 arms, \w+ ends highest: /);
    expect([claims, differences, meetings, costs]).toEqual([[], [], [], []]);
    expect(notes.join()).not.toMatch(/To tell|\bp\b/);
  });

  it("go with a study of five seeds, one of one seed, one without results, and one with NaN", () => {
    const all = [
      studyByHand(fiveArms(53.9)),
      studyByHand({ strict: { top1: [[50, 52]] }, tolerant: { top1: [[48, 53]] } }),
      studyByHand({
        strict: { top1: [[null]], generations: 1 },
        tolerant: { top1: [[null]], generations: 1 },
      }),
      studyByHand({ strict: { top1: [[50], [Number.NaN]] }, tolerant: { top1: [[51], [52]] } }),
      studyByHand({ strict: { top1: [[50]] } }),
    ];
    for (const study of all) {
      const sentences = Object.values(studySentences(study)).flat();
      for (const sentence of sentences) {
        expect(sentence).toMatch(/\.$/);
        expect(sentence).not.toMatch(/NaN|undefined|null|Infinity/);
      }
    }
    const [, one, none, diverged] = all;
    expect(studySentences(one!).notes).toContainEqual(
      expect.stringMatching(/^One seed can see no difference/),
    );
    expect(studySentences(none!).notes[0]).toMatch(/^0 of 2 networks are trained/);
    expect(studySentences(diverged!).notes).toContain(
      "tolerant or strict has no number as top1 for seed 1, as of a training that diverged: left out.",
    );
  });

  it("say of every interval over how many seeds it goes", () => {
    const sentences = Object.values(studySentences(studyByHand(fiveArms(53.9)))).flat();
    const withInterval = sentences.filter((sentence) => /95 % interval over seeds [−\d]/.test(sentence));
    expect(withInterval.length).toBeGreaterThan(10);
    for (const sentence of withInterval)
      expect(sentence).toMatch(/95 % interval over seeds .* to .*, 5 seeds/);
  });

  it("name the last of a line once where it stands by its generation too", () => {
    const places = (study: Parameters<typeof paired>[0]): Place[] =>
      withoutRepeated(paired(study)).map(({ generation }) => generation);
    expect(places(studyByHand({ a: { top1: [[1, 2]] }, b: { top1: [[1, 3]] } }))).toEqual([
      0,
      "last",
      "ensemble",
    ]);
    expect(places(studyByHand({ a: { top1: [[1, 2]] }, b: { top1: [[1]] } }))).toEqual(["last", "ensemble"]);
  });
});

it("the interval of a sentence is that of the t distribution", () => {
  const study = studyByHand({
    strict: { top1: [[50], [51], [52]] },
    tolerant: { top1: [[50.4], [51.9], [52.2]] },
  });
  const { interval } = estimateMean([0.4, 0.9, 0.2]);
  const [sentence] = studySentences(study).differences;
  expect(sentence).toContain(
    `−${Math.abs(interval!.low).toFixed(1)} to ${interval!.high.toFixed(1)}, 3 seeds`,
  );
});

describe("a claim that the study's file makes", () => {
  const arms = {
    a: { top1: [[0.5], [0.52], [0.51]] },
    b: { top1: [[0.4], [0.41], [0.42]] },
    c: { top1: [[0.6], [0.61], [0.63]] },
  };

  it("is about that arm and its rivals alone, for which alone the p are corrected", () => {
    const study = { ...studyByHand(arms), claim: { arm: "a", over: ["b"] } };
    expect(claimedArm(study)).toBe("a");
    const found = claims(study).filter(({ of }) => of === "last");
    expect(found.map(({ rival, verdict, comparison }) => [rival, verdict, comparison.together])).toEqual([
      ["b", "holds", 1],
    ]);
  });

  it("is over all others where it names none", () => {
    const study = { ...studyByHand(arms), claim: { arm: "a" } };
    expect(
      claims(study)
        .filter(({ of }) => of === "last")
        .map(({ rival, verdict }) => [rival, verdict]),
    ).toEqual([
      ["b", "holds"],
      ["c", "does not hold"],
    ]);
  });
});

describe("what is missing", () => {
  const names = ["a", "b", "c", "d", "e", "f", "g", "h"];
  const arms = Object.fromEntries(
    names.map((name) => [name, { top1: name === "a" ? [[0.5], [0.5]] : [[0.5], [Number.NaN]] }]),
  );

  it("names five arms and counts the others", () => {
    const study = studyByHand(arms);
    for (const arm of study.arms.slice(1)) arm.lines[1]!.networks[0] = undefined;
    const words = missingSentence({ ...study, trained: { done: 9, of: 16 } });
    expect(words).toMatch(
      /of b \(seed 1\), c \(seed 1\), d \(seed 1\), e \(seed 1\), f \(seed 1\) and 2 other arms\.$/,
    );
  });

  it("is not also said to be left out where an arm has nothing yet", () => {
    const study = studyByHand({ a: { top1: [[0.5]] }, b: { top1: [[0.6]] } });
    study.arms[1]!.lines[0]!.networks[0] = undefined;
    expect(leftOutSentences(paired(study))).toEqual([]);
  });
});
