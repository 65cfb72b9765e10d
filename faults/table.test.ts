import { expect, test } from "vitest";
import { digestLinesOf, isSound, linesOf, rowOf } from "./table.js";

const good = { survived: true, bitIdentical: true, lostSeconds: 0.25 };

test("a row is sound where all tries survived, to the same bits", () => {
  const row = rowOf("kills", [good, { ...good, lostSeconds: 1.56 }, { survived: true, lostSeconds: 0 }]);
  expect(row).toEqual({ fault: "kills", tries: 3, survived: 3, lostSecondsAtMost: 1.6, bitIdentical: true });
  expect(isSound([row])).toBe(true);
  for (const bad of [
    { ...good, bitIdentical: false },
    { survived: false, lostSeconds: 0 },
  ])
    expect(isSound([row, rowOf("other", [good, bad])])).toBe(false);
});

test("the table has a line a fault", () => {
  expect(
    linesOf([rowOf("kills", [good]), rowOf("a long name", [{ survived: false, lostSeconds: 12 }])]),
  ).toEqual([
    "fault        tries  survived  lost at most  bit-identical",
    "kills            1         1         0.3 s            yes",
    "a long name      1         0        12.0 s             NO",
  ]);
});

test("a row has the SHA-256 of each job's end, and how many tries came to it", () => {
  const ended = (of: string, found: string) => ({ ...good, digest: { of, unbroken: "aa", found } });
  const row = rowOf("kills", [ended("plain", "aa"), ended("rich", "aa"), good, ended("plain", "aa")]);
  expect(row.sha256).toEqual({
    plain: { unbroken: "aa", tries: 2, same: 2 },
    rich: { unbroken: "aa", tries: 1, same: 1 },
  });
  expect(digestLinesOf([row, rowOf("terms", [ended("rich", "aa"), good])])).toEqual([
    "aa  plain: unbroken, and after 2 of 2 tries",
    "aa  rich: unbroken, and after 2 of 2 tries",
  ]);
  const other = rowOf("terms", [ended("rich", "bb")]);
  expect(isSound([other])).toBe(false);
  expect(digestLinesOf([row, other])[1]).toBe("aa  rich: unbroken, and after 1 of 2 tries");
});
