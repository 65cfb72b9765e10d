import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { readStudySummary, studySummary } from "./study-summary.js";
import { studyByHand } from "./testing/by-hand.js";

const study = studyByHand({
  strict: {
    top1: [
      [50, 52],
      [51, null],
    ],
    ensemble: [54, null],
  },
  plain: { top1: [[51], [51.5]] },
});

function file(content: unknown): string {
  const folder = mkdtempSync(join(tmpdir(), "lyceum-summary-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const path = join(folder, "summary.json");
  writeFileSync(path, typeof content === "string" ? content : JSON.stringify(content));
  return path;
}

it("has the arms' values by seed and generation, and the paired differences, as fractions", () => {
  expect(studySummary(study)).toEqual({
    arms: {
      strict: {
        seeds: [0, 1],
        top1: [
          [0.5, 0.52],
          [0.51, null],
        ],
        ensembleTop1: [0.54, null],
      },
      plain: { seeds: [0, 1], top1: [[0.51], [0.515]], ensembleTop1: [0.51, 0.515] },
    },
    paired: [
      {
        a: "plain",
        b: "strict",
        generation: "last",
        difference: expect.closeTo(-0.01, 12),
        low: null,
        high: null,
        seeds: [0],
      },
      {
        a: "plain",
        b: "strict",
        generation: "ensemble",
        difference: expect.closeTo(-0.03, 12),
        low: null,
        high: null,
        seeds: [0],
      },
    ],
  });
});

it("is read back as it was written", async () => {
  const summary = studySummary(study);
  expect(await readStudySummary(file(summary))).toEqual(summary);
});

it.each([
  ["no JSON", "{", "not JSON"],
  ["an arm without seeds", { arms: { a: { top1: [], ensembleTop1: [] } }, paired: [] }, "arms.a.seeds"],
  [
    "percent instead of fractions",
    { arms: { a: { seeds: [0], top1: [[52]], ensembleTop1: [0.5] } }, paired: [] },
    "arms.a.top1.0.0",
  ],
  [
    "a seed without values",
    { arms: { a: { seeds: [0, 1], top1: [[0.5]], ensembleTop1: [0.5] } }, paired: [] },
    "one entry for each seed",
  ],
  [
    "an arm that is not there",
    { arms: {}, paired: [{ a: "x", b: "y", generation: 0, difference: 0, low: 0, high: 0, seeds: [0] }] },
    "not in arms",
  ],
  [
    "a place that is none",
    {
      arms: {},
      paired: [{ a: "x", b: "y", generation: "first", difference: 0, low: 0, high: 0, seeds: [0] }],
    },
    "paired.0.generation",
  ],
])("refuses %s, and names the file", async (_, content, message) => {
  const path = file(content);
  const error = await readStudySummary(path).catch((caught: Error) => caught);
  expect((error as Error).message).toContain(path);
  expect((error as Error).message).toContain(message);
});
