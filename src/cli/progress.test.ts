import { beforeEach, expect, test, vi } from "vitest";
import type { ProgressEvent } from "../runs/types.js";
import { progressTo } from "./progress.js";

const events: ProgressEvent[] = [
  {
    type: "start",
    generations: 3,
    epochs: 8,
    stepsPerEpoch: 469,
    methods: [["patriarch", "strict: cross-entropy alone"]],
    warnings: ["slow BLAS"],
  },
  { type: "generation-start", generation: 1, role: "student" },
  {
    type: "step",
    generation: 1,
    epoch: 2,
    step: 120,
    stepsPerEpoch: 469,
    imagesPerSecond: 1234.4,
    loss: 0.5319,
    terms: { hard: 0.41, topScoreDifference: 0.3 },
    secondsLeft: 130,
  },
  {
    type: "epoch",
    record: {
      generation: 1,
      role: "student",
      epoch: 2,
      epochs: 8,
      learningRate: 0.1,
      trainLoss: 0.5,
      terms: { hard: 0.41, soft: 0.3 },
      trainTop1: 0.83,
      validation: { loss: 0.6, top1: 0.81 },
      imagesPerSecond: 1234.4,
      seconds: 48.6,
      date: "2026-01-01T00:00:00Z",
    },
  },
];

let written: string;
const output = (isTTY: boolean, columns = 200) => ({
  write: (text: string) => {
    written += text;
  },
  isTTY,
  columns,
});
beforeEach(() => {
  written = "";
  vi.spyOn(performance, "now").mockReturnValue(1000);
});

test("on a terminal: one line, redrawn, no wider than the terminal", () => {
  events.forEach(progressTo(output(true)));
  expect(written).toBe(
    "warning: slow BLAS\n3 generations of 8 epochs, 469 steps each\npatriarch: strict: cross-entropy alone\n" +
      "\r\x1b[Kgeneration 2/3 student  epoch 2  step 120/469  1,234 images/s  2 min 10 s left  " +
      "loss 0.532 (hard 0.410, top score difference 0.300)",
  );
  written = "";
  events.forEach(progressTo(output(true, 40)));
  expect(written.split("\r\x1b[K")[1]).toHaveLength(39);
});

test("images that are drawn are counted, and the line is wiped when the training starts", () => {
  const progress = progressTo(output(true));
  progress({ type: "images", done: 4000, total: 50000 });
  expect(written).toBe("\r\x1b[Kdrawing images  4,000 of 50,000");
  progress(events[0]!);
  expect(written).toContain("50,000\r\x1b[Kwarning: slow BLAS");
});

test("a redraw every tenth of a second at most", () => {
  const progress = progressTo(output(true));
  for (const event of [...events, events[2]!, events[2]!]) progress(event);
  expect(written.split("\r\x1b[K")).toHaveLength(2);
});

test("elsewhere: a line an epoch, without control characters", () => {
  events.forEach(progressTo(output(false)));
  expect(written.split("\n").slice(3)).toEqual([
    "generation 2/3 student  epoch 2/8  loss 0.500 (hard 0.410, soft 0.300)  top-1 in training 83.00 %  " +
      "validation 81.00 %  1,234 images/s  49 s",
    "",
  ]);
  expect(written).not.toContain("\x1b");
});

test("notes are lines, in which nothing controls the terminal", () => {
  progressTo(output(false))({ type: "note", generation: 0, message: "w.pt: left out: \x1b[2Jepoch" });
  expect(written).toBe("w.pt: left out: \ufffd[2Jepoch\n");
});

test("the redrawn line is wiped before anything else is said", () => {
  const progress = progressTo(output(true));
  for (const event of events) progress(event);
  progress({ type: "interrupted", directory: undefined });
  expect(written.endsWith("\r\x1b[K")).toBe(true);
});

test("elsewhere, steps are told after half a minute without a line", () => {
  const tell = progressTo(output(false));
  const step = events.find(({ type }) => type === "step")!;
  tell(events[0]!);
  written = "";
  for (const now of [30_999, 31_000, 31_001, 60_999, 61_000]) {
    vi.mocked(performance.now).mockReturnValue(now);
    tell(step);
  }
  const lines = written.trimEnd().split("\n");
  expect(lines).toHaveLength(2);
  expect(lines[0]).toMatch(/^generation 2\/3 patriarch {2}epoch 2 {2}step 120\/469 {2}1,234 images\/s/);
});
