import { expect, test } from "vitest";
import { applyOverride, parseOverride } from "./overrides.js";

const apply = (input: unknown, text: string) => applyOverride(input, parseOverride(text));

test("puts numbers, words, lists and mappings where the path says", () => {
  const base = { data: "mnist", student: { hardWeight: 0.6, softWeight: 0.4 } };
  expect(apply(base, "student.hardWeight=0.5")).toEqual({
    data: "mnist",
    student: { hardWeight: 0.5, softWeight: 0.4 },
  });
  expect(apply(base, "patriarch=strict")).toEqual({ ...base, patriarch: "strict" });
  expect(apply({}, "patriarch={k: 5, primaryScore: 0.7}")).toEqual({
    patriarch: { k: 5, primaryScore: 0.7 },
  });
  expect(apply({}, "schedule.milestones=[81, 122]")).toEqual({ schedule: { milestones: [81, 122] } });
  expect(apply({}, "title=a=b")).toEqual({ title: "a=b" });
  expect(base.student.hardWeight).toBe(0.6);
});

test("opens the short form of data, and replaces other scalars", () => {
  expect(apply({ data: "mnist" }, "data.limit.train=100")).toEqual({
    data: { name: "mnist", limit: { train: 100 } },
  });
  expect(apply({ patriarch: "strict" }, "patriarch.k=3")).toEqual({ patriarch: { method: "strict", k: 3 } });
});

test.each(["epochs", "=3", "a..b=1", "__proto__.x=1", "a.__proto__=1", "a b=1"])("refuses %j", (text) => {
  expect(() => parseOverride(text)).toThrow(`--set ${text}: must look like`);
});

test("refuses keys that lie deeper than any, and does not repeat all of them", () => {
  const text = `${"a.".repeat(30_000)}a=1`;
  expect(() => parseOverride(text)).toThrow(/^--set a\.a\..{1,250}: no key lies so deep$/);
  expect(() => parseOverride(`a=${"[".repeat(30_000)}`)).toThrow(/^--set a=\[.{1,250}: nested too deeply/);
});

test("quotes an override whose value is no YAML", () => {
  expect(() => parseOverride("patriarch={k: 5")).toThrow(/--set patriarch=\{k: 5: /);
});

test("keys of Object.prototype are only keys", () => {
  expect(apply({}, "constructor.name=1")).toEqual({ constructor: { name: 1 } });
});
