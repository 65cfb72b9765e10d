import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { counterTo } from "./counter.js";

let now: number;
let written: string;
const output = (isTTY: boolean) => ({ isTTY, write: (text: string) => (written += text) });

beforeEach(() => {
  now = 5000;
  written = "";
  vi.spyOn(performance, "now").mockImplementation(() => now);
});
afterEach(() => vi.restoreAllMocks());

it("is silent for two seconds, and then redraws a terminal's line ten times a second", () => {
  const counter = counterTo(output(true), { of: 9, noun: "images" });
  now += 1999;
  counter.show(3);
  counter.clear();
  expect(written).toBe("");
  now += 1;
  counter.show(4);
  now += 99;
  counter.show(5);
  expect(written).toBe("\r\x1b[K4 of 9 images");
  now += 1;
  counter.show(6);
  counter.clear();
  counter.clear();
  expect(written).toBe("\r\x1b[K4 of 9 images\r\x1b[K6 of 9 images\r\x1b[K");
});

it("writes a whole line every ten seconds where nothing can be redrawn", () => {
  const counter = counterTo(output(false), { of: 9, noun: "images" });
  for (let done = 1; done <= 9; done++) {
    now += 3000;
    counter.show(done);
  }
  counter.clear();
  expect(written).toBe("1 of 9 images\n5 of 9 images\n9 of 9 images\n");
});
