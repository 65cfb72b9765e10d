import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import {
  cosine,
  multiStep,
  oneCycle,
  type Schedule,
  type ScheduleDefinition,
  schedules,
  withWarmup,
} from "./index.js";

const learningRate = 0.4;

interface Case {
  kind: "multiStep" | "cosine" | "oneCycle";
  // biome-ignore lint/suspicious/noExplicitAny: the options are those of `kind`
  options: any;
  warmupSteps?: number;
  rates: number[];
}

const cases: Case[] = JSON.parse(
  readFileSync(new URL("../fixtures/schedules.json", import.meta.url), "utf8"),
);

const makers = { multiStep, cosine, oneCycle };

it.each(cases)("$kind $options gives torch.optim.lr_scheduler's rates, warm-up of $warmupSteps", (one) => {
  const main = makers[one.kind]({ learningRate, ...one.options });
  const schedule = one.warmupSteps ? withWarmup(main, { warmupSteps: one.warmupSteps }) : main;
  expect(one.rates.length).toBeGreaterThanOrEqual(8);
  // PyTorch computes each rate from the one before: some roundings a step, of numbers below 1.
  const allowance = 8 * one.rates.length * 2 ** -53;
  one.rates.forEach((rate, step) => {
    expect(Math.abs(schedule(step) - rate)).toBeLessThanOrEqual(allowance);
  });
});

function named(name: string): ScheduleDefinition {
  return schedules.find((definition) => definition.name === name)!;
}

/** Options as a recipe gives them, with defaults filled in, and what is wrong with them. */
function prepared(name: string, options: object, training: { epochs: number }) {
  const definition = named(name);
  const parsed = z.strictObject(definition.options(z)).parse(options);
  return { definition, parsed, problems: definition.check?.(parsed, training) ?? [] };
}

/** The rate of every step of a training. */
function ratesOf(name: string, options: object, length: { epochs: number; stepsPerEpoch: number }): number[] {
  const { definition, parsed, problems } = prepared(name, options, length);
  expect(problems).toEqual([]);
  const schedule = definition.create(parsed, { learningRate, ...length });
  return Array.from({ length: length.epochs * length.stepsPerEpoch }, (_, step) => schedule(step));
}

it("reaches the rate asked for at the warm-up's end, and has the whole cosine after it", () => {
  // Before, the warm-up was multiplied into a cosine that had begun with it: 0.002, 0.0215, 0.038, 0.0492, 0.0537, 0.05 …
  const { definition, parsed } = prepared("cosine", { warmupEpochs: 5 }, { epochs: 10 });
  const schedule = definition.create(parsed, { learningRate: 0.1, epochs: 10, stepsPerEpoch: 10 });
  const falling = (share: number) => 0.05 * (1 + Math.cos(Math.PI * share));
  const expected = [0.002, 0.022, 0.042, 0.062, 0.082, 0.1, ...[0.2, 0.4, 0.6, 0.8].map(falling)];
  expected.forEach((rate, epoch) => {
    expect(schedule(10 * epoch)).toBeCloseTo(rate, 15);
  });
});

const fraction = fc.double({ min: 0, max: 1, noNaN: true });
const inside = fc.double({ min: 0.001, max: 0.999, noNaN: true });

/** A schedule of each kind, with and without warm-up, for trainings of every length; all of them pass their check. */
const trainings = fc
  .record({ epochs: fc.integer({ min: 1, max: 60 }), stepsPerEpoch: fc.integer({ min: 1, max: 30 }) })
  .chain((length) => {
    const warmupEpochs = fc.integer({ min: 0, max: length.epochs - 1 });
    const milestones = fc.array(inside, { maxLength: 5 }).map((all) => all.sort((a, b) => a - b));
    return fc
      .oneof(
        fc
          .record({ milestones, gamma: inside, warmupEpochs })
          .map((options) => ["multi-step", options] as const),
        fc.record({ finalFraction: fraction, warmupEpochs }).map((options) => ["cosine", options] as const),
        fc
          .record({ peakAt: inside, startFraction: fraction, finalFraction: fraction })
          .map((options) => ["one-cycle", options] as const),
      )
      .map(([name, options]) => ({ name, options, length }))
      .filter(({ name, options }) => prepared(name, options, length).problems.length === 0);
  });

describe("every schedule", () => {
  /** Four roundings of the highest rate: two products, their sum, and one share. */
  const slack = 4 * 2 ** -53 * learningRate;

  it("has the rate asked for as its highest, and none below 0", () => {
    fc.assert(
      fc.property(trainings, ({ name, options, length }) => {
        const rates = ratesOf(name, options, length);
        expect(Math.abs(Math.max(...rates) - learningRate)).toBeLessThanOrEqual(slack);
        expect(Math.min(...rates)).toBeGreaterThanOrEqual(0);
      }),
      { numRuns: 500 },
    );
  });

  it("rises once at most, and then falls", () => {
    fc.assert(
      fc.property(trainings, ({ name, options, length }) => {
        const rates = ratesOf(name, options, length);
        const signs = rates
          .slice(1)
          .map((rate, i) => rate - rates[i]!)
          .filter((change) => Math.abs(change) > slack)
          .map(Math.sign);
        expect(signs).toEqual(signs.toSorted((a, b) => b - a));
      }),
    );
  });

  it("grows in equal steps while it warms up, and goes on from there without a jump", () => {
    fc.assert(
      fc.property(trainings, ({ name, options, length }) => {
        const warmupEpochs = "warmupEpochs" in options ? options.warmupEpochs : 0;
        const warmupSteps = warmupEpochs * length.stepsPerEpoch;
        fc.pre(warmupSteps > 0);
        const rates = ratesOf(name, options, length);
        for (let step = 0; step < warmupSteps; step++) {
          const share = (step + 1) / warmupSteps;
          expect(Math.abs(rates[step]! - learningRate * share)).toBeLessThanOrEqual(slack);
        }
        expect(rates[warmupSteps - 1]).toBe(rates[warmupSteps]);
      }),
    );
  });

  it("goes on with its last rate when training is over", () => {
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 500 }), fraction, (totalSteps, finalFraction) => {
        for (const make of [cosine, oneCycle]) {
          const schedule = make({ learningRate, totalSteps, finalFraction });
          for (const step of [totalSteps, totalSteps + 1, 10 * totalSteps]) {
            expect(schedule(step)).toBe(learningRate * finalFraction);
          }
        }
      }),
    );
  });
});

it("drops at shares of the training and at whole epochs, counted from its beginning", () => {
  const length = { epochs: 8, stepsPerEpoch: 10 };
  const options = { milestones: [0.5, 6], gamma: 0.5, warmupEpochs: 2 };
  const rates = ratesOf("multi-step", options, length);
  const [first, ...at] = [0, 19, 20, 39, 40, 59, 60, 79].map((step) => rates[step]! / learningRate);
  expect(first).toBeCloseTo(0.05, 15);
  expect(at).toEqual([1, 1, 1, 0.5, 0.5, 0.25, 0.25]);
});

it("has the peak of one cycle where it is asked for", () => {
  const rates = ratesOf("one-cycle", { peakAt: 0.25 }, { epochs: 8, stepsPerEpoch: 10 });
  expect(rates.indexOf(learningRate)).toBe(19);
});

it.each([
  ["cosine", { warmupEpochs: 3 }, 3, "warmupEpochs", "must be less than the 3 epochs, given 3"],
  ["multi-step", { warmupEpochs: 9 }, 8, "warmupEpochs", "must be less than the 8 epochs, given 9"],
  [
    "multi-step",
    { milestones: [2, 4] },
    3,
    "milestones",
    "must grow and stay below the 3 epochs, given [2,4]",
  ],
  ["multi-step", { milestones: [4, 0.1] }, 8, "milestones", "must grow"],
  [
    "multi-step",
    { milestones: [3, 6], warmupEpochs: 3 },
    8,
    "milestones",
    "must lie after the 3 epochs of warm-up, given [3,6]",
  ],
  ["multi-step", { milestones: [0.25], warmupEpochs: 3 }, 8, "milestones", "must lie after the 3 epochs"],
] as const)("%s refuses %j for %i epochs", (name, options, epochs, key, message) => {
  const { problems } = prepared(name, options, { epochs });
  expect(problems).toContainEqual({ key, message: expect.stringContaining(message) });
});

it("describes each schedule and each of its options", () => {
  expect(schedules.map(({ name }) => name)).toEqual(["multi-step", "cosine", "one-cycle"]);
  for (const { kind, summary, options } of schedules) {
    expect(kind).toBe("schedule");
    expect(summary).toMatch(/\.$/);
    for (const schema of Object.values(options(z))) expect(schema.description).toMatch(/\.$/);
  }
});

it("gives a user's own schedule a warm-up up to the rate that it begins with", () => {
  const own: Schedule = (step) => 3 / (1 + step);
  const warmed = withWarmup(own, { warmupSteps: 3 });
  expect([0, 1, 2, 3, 4].map(warmed)).toEqual([1, 2, 3, 3, 1.5]);
});
