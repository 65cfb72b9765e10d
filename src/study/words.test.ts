import { expect, it } from "vitest";
import {
  digitsFor,
  durationText,
  listed,
  measuredInWords,
  placeInWords,
  pText,
  signedText,
} from "./words.js";

it.each([
  // Half widths: a quarter of a point is the boundary between one digit and two.
  [[0.6, 0.2, 1.0], 0.4, 1],
  [[0.6, 0.35, 0.85], 0.25, 1],
  [[0.6, 0.351, 0.849], 0.249, 2],
  [[0.6, 0.59, 0.61], 0.01, 2],
  [[12, -3, 27], 15, 1],
  // An end that is not 0 is not written as 0 where there are more digits; 0 itself may be.
  [[0.4, 0.04, 0.76], 0.36, 2],
  [[0.4, 0, 0.8], 0.4, 1],
  [[0.4, 0.001, 0.799], 0.399, 2],
  // Without an interval, or with one of no width, all digits are given.
  [[0.6], undefined, 2],
  [[0.6, 0.6, 0.6], 0, 2],
] as const)("%j with half width %s points has %i digits", (ends, half, digits) => {
  expect(digitsFor(ends, half, [1, 2])).toBe(digits);
});

it("gives other units as many digits as their intervals deserve", () => {
  expect(digitsFor([0.05, 0.01, 0.09], 0.04, [2, 5])).toBe(2);
  expect(digitsFor([0.005, 0.001, 0.009], 0.004, [2, 5])).toBe(3);
  expect(digitsFor([1e-9], 1e-9, [2, 5])).toBe(5);
});

it("writes a sign only where something is left after rounding", () => {
  expect([signedText(-0.31, 1), signedText(0.31, 1), signedText(-0.04, 1), signedText(0, 1)]).toEqual([
    "−0.3",
    "0.3",
    "0.0",
    "0.0",
  ]);
  expect([Number.NaN, Infinity, -Infinity].map((value) => signedText(value, 1))).toEqual(["–", "∞", "−∞"]);
});

it("writes p so that it is seen on which side of 0.05 it is", () => {
  expect([0.5, 0.034, 0.0021, 0.00002, 1, 0.996].map(pText)).toEqual([
    "0.5",
    "0.034",
    "0.0021",
    "below 0.0001",
    "1",
    "1",
  ]);
  expect([0.0499, 0.0501, 0.049999, 0.05].map(pText)).toEqual(["0.0499", "0.0501", "0.049999", "0.05"]);
  expect([undefined, Number.NaN].map(pText)).toEqual(["–", "–"]);
});

it("names what was measured", () => {
  const name = (measured: number | `${number}-${number}`, generations = 5) =>
    measuredInWords(measured, { generations });
  expect([0, 1, 2, 9, 10, 11, 21, 22, 23].map((g) => name(g, 30))).toEqual([
    "patriarch",
    "first student",
    "second student",
    "ninth student",
    "10th student",
    "11th student",
    "21st student",
    "22nd student",
    "23rd student",
  ]);
  expect([name(0, 1), name("0-4"), name("0-2"), name("1-2")]).toEqual([
    "network",
    "ensemble",
    "ensemble of the first 3",
    "ensemble of generations 1 to 2",
  ]);
  expect([0, 2, "last", "ensemble", "0-2"].map((place) => placeInWords(place as number))).toEqual([
    "patriarch",
    "student 2",
    "last",
    "ensemble",
    "ensemble 0–2",
  ]);
});

it("writes lists and durations", () => {
  expect([[], ["a"], ["a", "b"], ["a", "b", "c"]].map(listed)).toEqual(["", "a", "a and b", "a, b and c"]);
  expect([0.84, 40, 400, 5400, 36000, Number.NaN, -1].map(durationText)).toEqual([
    "0.8 s",
    "40 s",
    "6.7 min",
    "90 min",
    "10 h",
    "–",
    "–",
  ]);
});
