import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import { readClassList } from "./class-list.js";

const folder = mkdtempSync(join(tmpdir(), "lyceum-classes-"));
afterAll(() => rmSync(folder, { recursive: true }));
const path = join(folder, "classes.txt");

it.each([
  ["one a line", "cat\nbig dog\n", ["cat", "big dog"]],
  ["with Windows' ends of lines and a mark of order", "\ufeffcat\r\ndog\r\n\r\n", ["cat", "dog"]],
])("reads names %s", (_, text, names) => {
  writeFileSync(path, text);
  expect(readClassList(path)).toEqual(names);
});

it.each([
  ["cat", "must name two classes or more, one a line"],
  ["cat\n\ndog", "line 2 names no class"],
  ["cat\ndog\ncat", 'line 3 names "cat" again, as line 1 did'],
  [Buffer.from([0xff, 0xfe, 10, 65]), "is not valid UTF-8 text"],
])("refuses %j", (text, message) => {
  writeFileSync(path, text);
  expect(() => readClassList(path)).toThrow(`${path}: ${message}`);
});

it("refuses what is no file", () => {
  expect(() => readClassList(folder)).toThrow(`${folder}: is no regular file`);
  expect(() => readClassList(join(folder, "none"))).toThrow("there is no such file");
});
