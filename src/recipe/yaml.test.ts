import { expect, test } from "vitest";
import { MAX_YAML_BYTES, parseYaml, toYaml, YamlError } from "./yaml.js";

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
  ["a tag that the value does not fit", "a: 1\nb: !!float x", 2],
  ["bytes by a tag", "a: 1\nb: !!binary aGVsbG8=", 2],
  ["a set by a tag", "a: 1\nb: !!set {c, d}", 2],
  ["YAML 1.1", "# of old\n%YAML 1.1\n---\na: yes", 2],
  ["a merge key", "a: &a {b: 1}\nc:\n  <<: *a", 3],
  ["an alias of nothing", "a: 1\nb: *c", 2],
  ["an alias of what it stands in", "a: 1\nb: &b [*b]", 2],
  ["an alias as key", "a: &a x\n*a : 2", 2],
  ["a key that is null twice", "a: 1\n~: 2\n'': 3", 3],
  ["a control character", 'a: 1\nb: "\u001b[31m"', 2],
  ["nothing but zeros", "\0\0\0", 1],
  ["lines that end as on old Macs", "a: 1\rb: 2", 1],
  ["a key without a value", "a: 1\nb 2\nc: 3", 2],
  ["another indentation", "a: 1\n  b: 2", 1],
])("%s is an error with its line", (_, text, line) => {
  const error = caught(text);
  expect(error).toBeInstanceOf(YamlError);
  expect(error.line).toBe(line);
});

test.each([
  [
    "a: 1\n---\nb: 2",
    "a second document begins here (---): a file holds one, so give each a file of its own",
  ],
  ["a: &a {b: 1}\n<<: *a", "merge keys (<<) are none of YAML 1.2, and are not read: write the keys out"],
  ["a: !env HOME", "Unresolved tag: !env; tags are not read here: leave it out"],
  ["%YAML 1.1\n---\na: yes", "YAML 1.1 is not read, which takes words such as yes for true: leave %YAML out"],
  ["a: *b", "there is no anchor &b before this alias of it"],
  [
    "a: \u0007",
    'holds the control character 0x07: leave it out, or write it as "\\x07" within double quotes',
  ],
])("%j is told what to do", (text, message) => {
  expect(caught(text).message).toBe(message);
});

test("what YAML allows is read as YAML 1.2 says", () => {
  const text = `%YAML 1.2
--- # a document
alias: &x { k: [1, 2] }
again: *x
octal: 0o17
leading: 010
hexadecimal: 0xff
words: [yes, no, on, off, null, ~, True, 1:30, 2024-01-01, 1_000]
"quoted": !!str 3
...
`;
  expect(parseYaml(text).value).toEqual({
    alias: { k: [1, 2] },
    again: { k: [1, 2] },
    octal: 15,
    leading: 10,
    hexadecimal: 255,
    words: ["yes", "no", "on", "off", null, null, true, "1:30", "2024-01-01", "1_000"],
    quoted: "3",
  });
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
    // Tens of thousands of levels ended the process, when its regular expressions found no stack.
    "- ".repeat(32_000),
    "? ".repeat(32_000),
    "a: ".repeat(21_000),
    "k: &k ".repeat(10_000),
    `a: &a x\n${Array.from({ length: 2000 }, (_, i) => `k${i}: *a`).join("\n")}`,
    // Many levels of few aliases.
    `k0: &k0 [x, y, z]\n${Array.from({ length: 16 }, (_, i) => `k${i + 1}: &k${i + 1} [*k${i}, *k${i}, *k${i}]`).join("\n")}`,
    "x".repeat(MAX_YAML_BYTES + 1),
  ]) {
    expect(() => parseYaml(text), text.slice(0, 20)).toThrow(YamlError);
  }
  expect(performance.now() - start).toBeLessThan(5000);
});

test("a value that stands in several places is written out, and read back", () => {
  const shared = { k: 5 };
  const value = Object.fromEntries(Array.from({ length: 200 }, (_, i) => [`arm${i}`, shared]));
  expect(toYaml(value)).not.toMatch(/[&*]/);
  expect(parseYaml(toYaml(value)).value).toEqual(value);
});

test("hundreds of aliases of small values are read", () => {
  const aliases = Array.from({ length: 500 }, (_, i) => `k${i}: *a`).join("\n");
  const value = parseYaml(`a: &a { b: 1 }\n${aliases}`).value as Record<string, unknown>;
  expect(value.k499).toEqual({ b: 1 });
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
