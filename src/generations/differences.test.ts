import { expect, test } from "vitest";
import { evaluateLogits, slackWithin } from "../analysis/index.js";
import * as torch from "../torch/index.js";
import { compare } from "./differences.js";

const labels = Int32Array.of(0, 0, 1, 1);
const sure = [
  [3, 0],
  [0, 3],
  [0, 3],
];
/** Logits of four images; the two classes of the fourth one nearly tie. */
const before = torch.tensor([...sure, [1, 1.00001]]);
const after = torch.tensor([...sure, [1.00001, 1]]);
const how = (now: torch.Tensor, rounding: number) => ({
  evaluate: ([logits]: torch.Tensor[]) => evaluateLogits(logits!, labels),
  slack: () => slackWithin(now, labels, rounding),
});
const stored = evaluateLogits(before, labels);
const found = (rounding: number, kept: torch.Tensor | undefined, now = after) => {
  const member = { now, stored: kept, difference: kept ? 1e-5 : 0, rounding };
  return compare("generation 0", stored, [member], how(now, rounding));
};

test("an image whose best classes all but tie may change sides where rounding explains it", () => {
  expect([stored.top1, evaluateLogits(after, labels).top1]).toEqual([0.75, 0.5]);
  for (const kept of [before, undefined]) {
    const { test, differences } = found(1e-5, kept);
    expect(test.top1).toBe(0.5);
    expect(differences).toEqual([]);
  }
});

test("where rounding does not explain it, the numbers differ", () => {
  const expected = expect.objectContaining({ of: "generation 0", what: "top1", now: 0.5, stored: 0.75 });
  expect(found(1e-7, before).differences).toContainEqual(expected);
});

test("without stored logits, an accuracy further off than ties and one image allow differs", () => {
  const wrong = torch.tensor([
    [0, 3],
    [0, 3],
    [3, 0],
    [3, 0],
  ]);
  const differences = found(1e-5, undefined, wrong).differences.map(({ what }) => what);
  expect(differences).toContain("top1");
  expect(differences).toContain("nll");
});

test("stored numbers that are not those of the stored logits differ, however little", () => {
  const edited = { ...stored, nll: stored.nll + 1e-9 };
  const member = { now: before, stored: before, difference: 0, rounding: 0 };
  const { differences } = compare("generation 0", edited, [member], how(before, 0));
  expect(differences.map(({ what }) => what)).toEqual(["nll"]);
  expect(compare("generation 0", stored, [member], how(before, 0)).differences).toEqual([]);
});

test("metrics that were not stored are passed over, and infinity, which JSON stores as null, is not a difference", () => {
  const never = torch.tensor([[Number.NEGATIVE_INFINITY, 0], ...sure]);
  const member = { now: never, stored: never, difference: 0, rounding: 0 };
  const now = evaluateLogits(never, labels);
  expect(now.nll).toBe(Number.POSITIVE_INFINITY);
  const { entropy: _, ...rest } = now;
  const { differences } = compare("g", { ...rest, nll: Number.NaN }, [member], how(never, 0));
  expect(differences).toEqual([]);
});
