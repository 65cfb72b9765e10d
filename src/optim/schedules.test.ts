import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { cosine, multiStep, oneCycle, type Schedule, withWarmup } from "./index.js";

const learningRate = 0.4;

// biome-ignore lint/suspicious/noExplicitAny: the options are those of `kind`
const cases: { kind: string; options: any; rates: number[] }[] = JSON.parse(
  readFileSync(new URL("./fixtures/schedules.json", import.meta.url), "utf8"),
);

// biome-ignore lint/suspicious/noExplicitAny: as above
const makers: Record<string, (options: any) => Schedule> = {
  multiStep: (options) => multiStep({ learningRate, ...options }),
  cosine: (options) => cosine({ learningRate, ...options }),
  oneCycle: (options) => oneCycle({ learningRate, ...options }),
  withWarmup: (options) => withWarmup(() => learningRate, options),
};

it.each(cases)("$kind $options gives torch.optim.lr_scheduler's rates", ({ kind, options, rates }) => {
  const schedule = makers[kind]!(options);
  expect(rates.length).toBeGreaterThanOrEqual(8);
  rates.forEach((rate, step) => {
    expect(Math.abs(schedule(step) - rate)).toBeLessThan(1e-14);
  });
});

const totalSteps = fc.integer({ min: 1, max: 500 });
const fraction = fc.double({ min: 0, max: 1, noNaN: true });

const schedules = fc.oneof(
  fc
    .record({ totalSteps, milestones: fc.array(fc.nat(500)), gamma: fraction })
    .map((options) => ({ total: options.totalSteps, schedule: makers.multiStep!(options) })),
  fc
    .record({ totalSteps, finalFraction: fraction })
    .map((options) => ({ total: options.totalSteps, schedule: makers.cosine!(options) })),
  fc
    .record({ totalSteps, peakAt: fraction, startFraction: fraction, finalFraction: fraction })
    .map((options) => ({ total: options.totalSteps, schedule: makers.oneCycle!(options) })),
);

/** The rates of a training and of some steps after it. */
function rates(schedule: Schedule, total: number): number[] {
  return Array.from({ length: total + 10 }, (_, step) => schedule(step));
}

describe("every schedule", () => {
  const slack = 1e-12;

  it("stays between 0 and the highest rate", () => {
    fc.assert(
      fc.property(schedules, ({ schedule, total }) => {
        for (const rate of rates(schedule, total)) {
          expect(rate).toBeGreaterThanOrEqual(-slack);
          expect(rate).toBeLessThanOrEqual(learningRate + slack);
        }
      }),
    );
  });

  it("holds the last rate when training is over", () => {
    fc.assert(
      fc.property(totalSteps, fraction, (total, finalFraction) => {
        for (const kind of ["cosine", "oneCycle"]) {
          const schedule = makers[kind]!({ totalSteps: total, finalFraction });
          // A cycle of one step has its peak for all its training.
          if (kind === "oneCycle" && total === 1) continue;
          for (const step of [total, total + 1, 10 * total]) {
            expect(schedule(step)).toBeCloseTo(learningRate * finalFraction, 12);
          }
        }
      }),
    );
  });

  it("only warms up under withWarmup, in equal steps", () => {
    fc.assert(
      fc.property(schedules, fc.integer({ min: 0, max: 100 }), ({ schedule, total }, warmupSteps) => {
        const warmed = withWarmup(schedule, { warmupSteps });
        rates(warmed, total).forEach((rate, step) => {
          const share = step < warmupSteps ? (step + 1) / warmupSteps : 1;
          expect(Math.abs(rate - schedule(step) * share)).toBeLessThan(slack);
        });
      }),
    );
  });
});

it("falls only, with multiStep and cosine", () => {
  fc.assert(
    fc.property(totalSteps, fc.array(fc.nat(500)), fraction, (total, milestones, gamma) => {
      for (const schedule of [
        makers.multiStep!({ milestones, gamma }),
        makers.cosine!({ totalSteps: total, finalFraction: gamma }),
      ]) {
        const all = rates(schedule, total);
        for (let i = 1; i < all.length; i++) expect(all[i]).toBeLessThanOrEqual(all[i - 1]! + 1e-12);
      }
    }),
  );
});

it("rises once and falls once, with oneCycle", () => {
  fc.assert(
    fc.property(totalSteps, fraction, (total, peakAt) => {
      const all = rates(makers.oneCycle!({ totalSteps: total, peakAt }), total);
      const signs = all
        .slice(1)
        .map((rate, i) => rate - all[i]!)
        .filter((change) => Math.abs(change) > 1e-12)
        .map(Math.sign);
      const turns = signs.filter((sign, i) => i > 0 && sign !== signs[i - 1]);
      expect(turns.length).toBeLessThanOrEqual(1);
      expect(turns.every((sign) => sign < 0)).toBe(true);
    }),
  );
});
