import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { beforeEach, describe, expect, it } from "vitest";
import { crc32 } from "../interop/pytorch/crc32.js";
import { attempt, type Ground, groundIn } from "./attempt.js";
import { damage, damaged } from "./edits.js";
import { hunt } from "./hunt.js";
import { mendTar } from "./mend.js";
import type { Reader } from "./reader.js";

let ground: Ground;
beforeEach(() => {
  const root = mkdtempSync(join(tmpdir(), "lyceum-attempt-"));
  ground = groundIn(root);
  return () => rmSync(root, { recursive: true });
});

const files = { "a.txt": "some text" };
const reader = (read: Reader["read"], more: Partial<Reader> = {}): Reader => ({
  ...{ name: "a reader", seeds: () => [files], read },
  ...more,
});
const throws = (error: unknown): Reader["read"] => {
  return () => {
    throw error;
  };
};

describe("an attempt", () => {
  it("tells what is accepted from what is refused by the file's name", async () => {
    expect(
      await attempt(
        reader(() => 1),
        files,
        ground,
      ),
    ).toBe("accepted");
    expect(await attempt(reader(throws(new Error("a.txt: is no such file"))), files, ground)).toBe("refused");
  });

  it.each([
    ["an error of the language's", throws(new TypeError("a.txt: x is not a function")), /of the language's/],
    [
      "one that is passed on",
      throws(new Error("a.txt: x", { cause: new TypeError("x") })),
      /passes on an error/,
    ],
    ["a message without the file", throws(new Error("is damaged")), /names no file/],
    ["what is no error", throws("a.txt"), /no Error/],
    ["what is inside", throws(new Error("a.txt: undefined is not a number")), /inside of the program/],
    ["a message without end", throws(new Error(`a.txt: ${"x".repeat(30_000)}`)), /a message of/],
    ["a file elsewhere", () => writeFileSync(join(ground.outside, "b"), ""), /left b outside/],
    ["a file beside it", () => writeFileSync(join(ground.folder, "../c"), ""), /left c outside/],
  ])("does not let %s pass", async (_, read, message) => {
    await expect(attempt(reader(read), files, ground)).rejects.toThrow(message);
  });

  it("holds a reader to how its messages begin, and one that forgives to forgiving", async () => {
    const read = throws(new Error("a.txt:1: this\nand that"));
    await expect(attempt(reader(read, { line: "PATH:\\d+: " }), files, ground)).rejects.toThrow(
      "does not begin",
    );
    await expect(attempt(reader(read, { forgiving: true }), files, ground)).rejects.toThrow(
      "whatever is damaged",
    );
  });
});

it("a hunt finds the input that breaks a rule, and the smallest of them", async () => {
  const strict = reader((folder) => {
    if (folder === "") return;
    throw new RangeError("a.txt");
  });
  const hunting = hunt(strict, [files], { seed: 1, runs: 10, ground });
  const error = await hunting.catch((caught) => caught);
  expect(error.message).toMatch(/Counterexample: .*"way"/);
  expect(error.cause.message).toContain("of the language's");
});

it("damaged files are bounded, and the same again from the same plan", () => {
  const whole = Buffer.from(JSON.stringify({ list: [1, 2, 3], text: "some\ntext" }, null, 2).repeat(20));
  const copy = Buffer.from(whole);
  let changed = 0;
  fc.assert(
    fc.property(damage, (how) => {
      const once = damaged(whole, how);
      expect(once.length).toBeLessThanOrEqual(1 << 18);
      expect(Buffer.from(damaged(whole, how)).equals(Buffer.from(once))).toBe(true);
      if (!copy.equals(Buffer.from(once))) changed++;
      expect(whole.equals(copy)).toBe(true);
    }),
    { numRuns: 300 },
  );
  expect(changed).toBeGreaterThan(200);
});

it("a mended header of a tar archive has the sum of its bytes", () => {
  const header = Buffer.alloc(1024);
  header.write("a.jpg");
  header.write("00000000010\0", 124);
  const sum = Number.parseInt(mendTar(header).toString("latin1", 148, 154), 8);
  const blank = Buffer.from(header.subarray(0, 512)).fill(0x20, 148, 156);
  expect(sum).toBe(blank.reduce((total, byte) => total + byte, 0));
  expect(crc32(Buffer.from("123456789"))).toBe(0xcbf43926);
});
