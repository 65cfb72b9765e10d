import { expect, test } from "vitest";
import { nearest } from "./nearest.js";

const keys = ["hardWeight", "softWeight", "temperature"];

test("finds the key that was mistyped, whatever the case", () => {
  expect(nearest("hardwieght", keys)).toBe("hardWeight");
  expect(nearest("temprature", keys)).toBe("temperature");
});

test("prefers the closest", () => {
  expect(nearest("sortWeight", keys)).toBe("softWeight");
});

test("offers nothing for a word that resembles none", () => {
  expect(nearest("banana", keys)).toBeUndefined();
  expect(nearest("x", [])).toBeUndefined();
});
