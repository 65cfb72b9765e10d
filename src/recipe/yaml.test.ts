import { expect, test } from "vitest";
import { MAX_YAML_BYTES, parseYaml, YamlError } from "./yaml.js";

test("gives plain data and the lines where its parts stand", () => {
  const { value, lineOf } = parseYaml("data: cifar100\nstudent:\n  hardWeight: 0.6\nlist:\n  - 1\n  - 2\n");
  expect(value).toEqual({ data: "cifar100", student: { hardWeight: 0.6 }, list: [1, 2] });
  expect(lineOf(["student", "hardWeight"])).toBe(3);
  expect(lineOf(["list", 1])).toBe(6);
  expect(lineOf(["student", "absent", "deeper"])).toBe(2);
});

test("an empty text is null, with no line to name", () => {
  const { value, lineOf } = parseYaml("");
  expect(value).toBeNull();
  expect(lineOf(["data"])).toBeUndefined();
});

test.each([
  ["a tag of a programming language", "a: 1\nb: !!js/function x", 2],
  ["an own tag", "a: !env HOME", 1],
  ["two documents", "a: 1\n---\nb: 2", 2],
  ["a repeated key", "a: 1\nb: 2\na: 3", 3],
  ["a mapping as key", "? {a: 1}\n: 2", 1],
  ["a tab as indentation", "a:\n\tb: 1", 2],
])("%s is an error with its line", (_, text, line) => {
  const error = caught(text);
  expect(error).toBeInstanceOf(YamlError);
  expect(error.line).toBe(line);
});

function caught(text: string): YamlError {
  try {
    parseYaml(text);
  } catch (error) {
    return error as YamlError;
  }
  throw new Error("was accepted");
}

test("hostile texts fail quickly", () => {
  const bomb = ["a: &a [x, x, x, x, x, x, x, x, x]"];
  for (let i = 1; i < 9; i++) bomb.push(`k${i}: &k${i} [${Array(9).fill(i === 1 ? "*a" : `*k${i - 1}`)}]`);
  const start = performance.now();
  for (const text of [
    bomb.join("\n"),
    "[".repeat(60_000),
    "{".repeat(900),
    `${"{a: ".repeat(60)}1${"}".repeat(60)}`,
    `${"- ".repeat(900)}x`,
    "x".repeat(MAX_YAML_BYTES + 1),
  ]) {
    expect(() => parseYaml(text), text.slice(0, 20)).toThrow(YamlError);
  }
  expect(performance.now() - start).toBeLessThan(5000);
});

test("many keys are read in good time", () => {
  const text = Array.from({ length: 6000 }, (_, i) => `k${i}: 1`).join("\n");
  const start = performance.now();
  expect(Object.keys(parseYaml(text).value as object)).toHaveLength(6000);
  expect(performance.now() - start).toBeLessThan(5000);
});

test("a key called __proto__ is only a key", () => {
  const value = parseYaml("__proto__: {polluted: true}").value as object;
  expect(Object.getPrototypeOf(value)).toBe(Object.prototype);
  expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
});
