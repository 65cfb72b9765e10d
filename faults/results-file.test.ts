import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeEach, expect, test } from "vitest";
import type { Fault } from "./fault.js";
import { ResultsFile } from "./results-file.js";
import { rowOf } from "./table.js";
import { tryFaults } from "./try-faults.js";
import { Workplace } from "./workplace.js";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "lyceum-record-"));
  return () => rmSync(folder, { recursive: true });
});
const conditions = { lyceum: "1.0.0", machine: "any", options: { quick: false } };
const open = (seed?: number, other = {}) =>
  ResultsFile.open(join(folder, "faults.json"), { ...conditions, ...other }, seed);

test("a run that was ended goes on with the tries that are left, and with its seed", async () => {
  using place = new Workplace(join(folder, "place"));
  const drawn: number[] = [];
  let left = Number.POSITIVE_INFINITY;
  const fault = (name: string): Fault => ({
    ...{ name, tries: { full: 4, quick: 0 } },
    strike: async (_, index, random) => {
      if (left-- <= 0) return new Promise(() => {});
      drawn.push(random());
      return { survived: true, bitIdentical: true, lostSeconds: index };
    },
  });
  const go = (record: ResultsFile) =>
    tryFaults([fault("a"), fault("b")], place, { quick: false, seed: record.seed, atOnce: 1, record });
  const whole = await go(ResultsFile.open(join(folder, "whole.json"), conditions, 7));
  const all = drawn.splice(0);

  left = 6;
  const first = open(7);
  void go(first);
  await expect.poll(() => left).toBe(-1);
  expect(first.rows).toHaveLength(1);
  left = Number.POSITIVE_INFINITY;
  const rows = await go(open());
  expect(rows).toEqual(whole);
  expect(drawn).toEqual(all);
  expect(open().rows).toEqual(whole);
  expect(readdirSync(folder).sort()).toEqual(["faults.json", "whole.json"]);
  expect(JSON.parse(readFileSync(join(folder, "faults.json"), "utf8"))).not.toHaveProperty("underWay");
});

test("results of other conditions are refused by name", () => {
  open(7).add(rowOf("a", []));
  expect(open().seed).toBe(7);
  for (const other of [{ lyceum: "2.0.0" }, { machine: "another" }, { options: { quick: true } }])
    expect(() => open(undefined, other)).toThrow(/faults\.json: holds results of .*name another file/);
  expect(() => open(8)).toThrow(/"seed":7.*"seed":8/);
});
