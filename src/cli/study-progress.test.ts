import { afterEach, expect, it, vi } from "vitest";
import { planStudy } from "../study/plan.js";
import { checkStudy } from "../study/study-file.js";
import { tinyStudy } from "../study/testing/tiny-study.js";
import { studyProgress } from "./study-progress.js";

/** An output that keeps what is written. */
function output(terminal: { isTTY: boolean; columns?: number; rows?: number }) {
  const written: string[] = [];
  return { ...terminal, written, write: (text: string) => written.push(text) };
}

const { networks } = planStudy(checkStudy(tinyStudy));
const [first, second] = networks;
const { fingerprint } = first!;

it("says on a terminal at once that it begins, and cuts lines to its width and its height", () => {
  const terminal = output({ isTTY: true, columns: 30, rows: 3 });
  const show = studyProgress(terminal, { networks, left: networks, prefix: "calibration: " });
  expect(terminal.written).toEqual(["calibration: 0 of 10 networks\n"]);
  for (const network of networks) show.event({ type: "begun", fingerprint: network.fingerprint });
  terminal.written.length = 0;
  show.say("stopping");
  // Of ten networks in training, two lines have room.
  expect(terminal.written).toEqual(["\r\x1b[1A\x1b[J", "stopping\n", expect.any(String)]);
  expect(terminal.written[2]!.trim().split("\n")).toHaveLength(2);
  for (const line of terminal.written[2]!.split("\n")) expect(line.length).toBeLessThan(30);
  show.end();
  expect(terminal.written.at(-1)).toBe("\r\x1b[2A\x1b[J");
});

it("counts what other processes finish, each network once, and gives no time where nothing is left", () => {
  const file = output({ isTTY: false });
  const show = studyProgress(file, { networks: [first!, second!], left: [first!, second!] });
  show.event({ type: "begun", fingerprint });
  show.event({ type: "epoch", fingerprint, epoch: 1, heldOut: 0.25 });
  show.event({ type: "found", fingerprint });
  show.event({ type: "finished", fingerprint });
  show.event({ type: "found", fingerprint });
  show.event({ type: "found", fingerprint: second!.fingerprint });
  expect(file.written).toEqual([
    expect.stringMatching(/^1\/2 {2}strict = softer, seed 0, generation 0, held-out 25\.00 %; .* left\n$/),
    "2/2  strict, seed 0, generation 1, trained by another process\n",
  ]);
});

afterEach(() => void vi.useRealTimers());

it("reckons the time left by what was trained since the start, not by what a checkpoint had brought along", () => {
  vi.useFakeTimers({ toFake: ["performance"] });
  const terminal = output({ isTTY: true });
  // The other is a student, which costs a third more: a whole one of the first's kind is 100 s, one of its kind 133 s.
  const show = studyProgress(terminal, { networks: [first!, second!], left: [first!, second!] });
  const step = (fraction: number) => show.event({ type: "step", fingerprint, fraction, imagesPerSecond: 7 });
  show.event({ type: "begun", fingerprint });
  step(0.5);
  vi.advanceTimersByTime(10_000);
  step(0.6);
  expect(terminal.written.at(-1)).toContain("0 of 2 networks trained, 2 min 53 s left");
  vi.advanceTimersByTime(40_000);
  show.event({ type: "finished", fingerprint });
  expect(terminal.written.at(-1)).toContain("1 of 2 networks trained, 2 min 13 s left");
});

it("says once what is waited for, without what could control a terminal", () => {
  const file = output({ isTTY: false });
  const show = studyProgress(file, { networks, left: networks });
  for (let i = 0; i < 3; i++) show.event({ type: "waiting", message: "process 7 on \x1b[31mred" });
  show.event({ type: "failed", fingerprint, message: "a\x07b" });
  expect(file.written).toEqual([
    "waiting: process 7 on \ufffd[31mred\n",
    "failed: strict = softer, seed 0, generation 0: a\ufffdb\n",
  ]);
});
