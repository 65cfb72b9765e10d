import { expect, test } from "vitest";
import { oneLine, printable, table } from "./text.js";

test("text from files cannot drive the terminal", () => {
  expect(printable("a\u001b[31mb\r\u202ec\nd")).toBe("a\ufffd[31mb\ufffd\ufffdc\nd");
});

test("a file's name stays on its line", () => {
  expect(oneLine("cat\n2 classes: none\u001b[2K.jpg")).toBe("cat\ufffd2 classes: none\ufffd[2K.jpg");
});

test("columns are aligned, numbers to the right", () => {
  expect(table([["", "top-1"], ["patriarch", "9 %"], ["a"]])).toBe(
    ["            top-1", "patriarch     9 %", "a"].join("\n"),
  );
});
