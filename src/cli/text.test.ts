import { expect, test } from "vitest";
import { printable, table } from "./text.js";

test("text from files cannot drive the terminal", () => {
  expect(printable("a\u001b[31mb\r\u202ec\nd")).toBe("a\ufffd[31mb\ufffd\ufffdc\nd");
});

test("columns are aligned, numbers to the right", () => {
  expect(table([["", "top-1"], ["patriarch", "9 %"], ["a"]])).toBe(
    ["            top-1", "patriarch     9 %", "a"].join("\n"),
  );
});
