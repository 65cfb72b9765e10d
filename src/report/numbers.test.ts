import { expect, test } from "vitest";
import { count, duration, fixed, percent } from "./numbers.js";

test("numbers read well, and what is no number is a dash", () => {
  expect([percent(0.9012), percent(Number.NaN)]).toEqual(["90.12 %", "–"]);
  expect([fixed(0.12345), fixed(Number.NaN)]).toEqual(["0.123", "–"]);
  expect(count(1234.5)).toBe("1,235");
});

test("durations, at the edges of their units", () => {
  expect([0.84, 9.96, 59.4, 59.6, 125, 3599.7, 12_000].map(duration)).toEqual([
    "0.8 s",
    "10 s",
    "59 s",
    "1 min 00 s",
    "2 min 05 s",
    "1 h 00 min",
    "3 h 20 min",
  ]);
  expect(duration(Number.POSITIVE_INFINITY)).toBe("–");
});
