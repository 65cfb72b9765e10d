import { expect, it } from "vitest";
import { expandBraces } from "./brace-pattern.js";

it.each([
  ["a.tar", ["a.tar"]],
  ["a-{08..11}.tar", ["a-08.tar", "a-09.tar", "a-10.tar", "a-11.tar"]],
  ["{a,b}/{0..1}", ["a/0", "a/1", "b/0", "b/1"]],
  ["{a,}x", ["ax", "x"]],
])("%s", (pattern, names) => {
  expect(expandBraces(pattern)).toEqual(names);
});

it.each([
  ["a{0..", "has a brace without its end"],
  ["a{b}", "has braces that mean nothing"],
  ["a{{0..1}}", "has a brace without its end"],
  ["{3..1}", "stands for nothing"],
  ["{0..999999}", "more than 100000 names"],
  ["{0..999}{0..999}", "more than 100000 names"],
])("%s is refused", (pattern, message) => {
  expect(() => expandBraces(pattern)).toThrow(message);
});
