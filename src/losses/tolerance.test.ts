import fc from "fast-check";
import { describe, expect, it } from "vitest";
import * as torch from "../torch/index.js";
import { patriarchLoss } from "./patriarch-loss.js";
import { toleranceToHardWeight, toleranceToPrimaryScore, usefulRange } from "./tolerance.js";

const fraction = fc.double({ min: 0.001, max: 0.999, noNaN: true });

/** Pairs of k and a primary score within its useful range. */
const tolerances = fc
  .tuple(fc.integer({ min: 2, max: 9 }), fraction)
  .map(([k, f]) => ({ k, primaryScore: 1 / k + f * (1 - 1 / k) }));

/** The patriarch's loss of one image with these probabilities, label 0, in float64. */
function lossAt(probabilities: number[], hardWeight: number, k: number): number {
  return torch.scope(() => {
    const logits = torch.tensor([probabilities.map((p) => Math.max(Math.log(p), -1e30))], {
      dtype: "float64",
    });
    return patriarchLoss(logits, torch.tensor([0], { dtype: "int64" }), { hardWeight, k }).loss.item();
  });
}

describe("the tolerance dial", () => {
  it("gives the weights that the method's notes list for k = 5", () => {
    expect(toleranceToHardWeight({ k: 5, primaryScore: 0.8 })).toBeCloseTo(0.5, 15);
    expect(toleranceToPrimaryScore({ k: 5, hardWeight: 0.4 })).toBeCloseTo(0.5333, 4);
    expect(toleranceToPrimaryScore({ k: 5, hardWeight: 0.55 })).toBeCloseTo(0.9778, 4);
    expect(usefulRange(5)).toEqual({ primaryScore: [0.2, 1], hardWeight: [0.2, 5 / 9] });
  });

  it("inverts, rises with the primary score, and stays in the useful range", () => {
    fc.assert(
      fc.property(tolerances, fraction, ({ k, primaryScore }, other) => {
        const hardWeight = toleranceToHardWeight({ k, primaryScore });
        expect(toleranceToPrimaryScore({ k, hardWeight })).toBeCloseTo(primaryScore, 12);
        const [low, high] = usefulRange(k).hardWeight;
        expect(hardWeight).toBeGreaterThan(low);
        expect(hardWeight).toBeLessThan(high);
        const less = primaryScore - other * (primaryScore - 1 / k) * 0.9;
        expect(toleranceToHardWeight({ k, primaryScore: less })).toBeLessThan(hardWeight);
      }),
    );
  });

  it("passes on what is given directly, once checked", () => {
    expect(toleranceToHardWeight({ k: 5, hardWeight: 0.3 })).toBe(0.3);
    expect(toleranceToPrimaryScore({ k: 5, primaryScore: 0.7 })).toBe(0.7);
  });
});

describe("the algebra behind it", () => {
  it("no distribution has a smaller loss than the primary score wanted, the rest on k - 1 classes", () => {
    const shares = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 10, maxLength: 10 });
    fc.assert(
      fc.property(
        tolerances,
        shares,
        fc.double({ min: 1, max: 8, noNaN: true }),
        ({ k, primaryScore }, raw, power) => {
          const hardWeight = toleranceToHardWeight({ k, primaryScore });
          const rest = (1 - primaryScore) / (k - 1);
          const best = lossAt(
            Array.from({ length: 10 }, (_, i) => (i === 0 ? primaryScore : i < k ? rest : 0)),
            hardWeight,
            k,
          );
          const peaked = raw.map((v) => v ** power + 1e-12);
          const sum = peaked.reduce((a, b) => a + b, 0);
          const p = peaked.map((v) => v / sum);
          expect(lossAt(p, hardWeight, k)).toBeGreaterThanOrEqual(best - 1e-12);
          // The loss depends on p1 alone where the label is on top and all score is within the top k.
          const p1 = Math.max(p[0]!, 1 / k);
          const near = Array.from({ length: 10 }, (_, i) => (i === 0 ? p1 : i < k ? (1 - p1) / (k - 1) : 0));
          expect(lossAt(near, hardWeight, k)).toBeGreaterThanOrEqual(best - 1e-12);
        },
      ),
      { numRuns: 200 },
    );
  });

  it.each([
    { k: 2, primaryScore: 0.6 },
    { k: 3, primaryScore: 0.5 },
    { k: 5, primaryScore: 0.8 },
    { k: 5, primaryScore: 0.95 },
  ])("gradient descent on free logits ends there: %o", ({ k, primaryScore }) => {
    const scores = descend(k, toleranceToHardWeight({ k, primaryScore }));
    expect(scores[0]).toBeCloseTo(primaryScore, 2);
    expect(scores.slice(0, k).reduce((a, b) => a + b, 0)).toBeCloseTo(1, 2);
  });

  it("beyond the range descent ends strict above, and at k equal classes below", () => {
    expect(descend(3, 0.65)[0]).toBeGreaterThan(0.99);
    // Where the ranks meet the loss has a kink, about which a large step would jump.
    for (const score of descend(3, 0.25, 0.1).slice(0, 3)) expect(score).toBeCloseTo(1 / 3, 1);
  });
});

/** Scores, highest first, after gradient descent of the patriarch's loss on the logits of one image. */
function descend(k: number, hardWeight: number, rate = 2): number[] {
  return torch.scope(() => {
    const start = Array.from({ length: 7 }, (_, i) => -0.7 * i);
    const logits = torch.tensor([start], { dtype: "float64", requiresGrad: true });
    const label = torch.tensor([0], { dtype: "int64" });
    for (let step = 0; step < 3000; step++) {
      torch.scope(() => {
        const [gradient] = torch.grad(patriarchLoss(logits, label, { hardWeight, k }).loss, [logits]);
        torch.noGrad(() => logits.sub_(gradient!, { alpha: rate }));
      });
    }
    return Array.from(logits.softmax(1).toTypedArray(), Number).sort((a, b) => b - a);
  });
}

describe("out of the useful range", () => {
  it.each([
    [{ k: 5, primaryScore: 0.2 }, /0\.2 < primaryScore < 1 \(0\.2 < hardWeight < 0\.5556\).*k of 6 or more/],
    [{ k: 5, primaryScore: 1 }, /strict/],
    [{ k: 5, primaryScore: 80 }, /scores are fractions: for 80 % write 0\.8/],
    [{ k: 5, primaryScore: Number.NaN }, /primaryScore NaN is outside .* try 0\.8/],
    [{ k: 5, hardWeight: 0.2 }, /hardWeight 0\.2 is outside .*5 classes equal: try 0\.5/],
    [{ k: 5, hardWeight: 5 / 9 }, /as good as strict: try 0\.5 \(primaryScore 0\.8\)/],
    [{ k: 2, hardWeight: -1 }, /0\.5 < hardWeight < 0\.6667\); try 0\.6154/],
    [{ k: 1, primaryScore: 0.5 }, /k must be a whole number >= 2, got 1/],
    [{ k: 2.5, hardWeight: 0.5 }, /k must be a whole number >= 2, got 2\.5/],
  ])("%o is a RangeError that helps", (tolerance, message) => {
    expect(() => toleranceToHardWeight(tolerance)).toThrow(RangeError);
    expect(() => toleranceToHardWeight(tolerance)).toThrow(message);
    expect(() => toleranceToPrimaryScore(tolerance)).toThrow(message);
  });
});
