import { execFileSync } from "node:child_process";
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { readBoundedText } from "./bounded-file.js";

const folder = mkdtempSync(join(tmpdir(), "lyceum-bounded-"));
const file = (name: string, content: string | Uint8Array) => {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
};

test("reads a text whole", async () => {
  expect(await readBoundedText(file("a", "größer\n"), { maxBytes: 100 })).toBe("größer\n");
});

test("refuses what is too large, not text, or not a file", async () => {
  await expect(readBoundedText(file("b", "x".repeat(11)), { maxBytes: 10 })).rejects.toThrow(/11 bytes/);
  await expect(readBoundedText(file("c", Uint8Array.of(0xff, 0xfe)), { maxBytes: 10 })).rejects.toThrow(
    /UTF-8/,
  );
  await expect(readBoundedText(folder, { maxBytes: 10 })).rejects.toThrow(/regular file/);
});

test.runIf(process.platform === "linux")("does not wait on a FIFO", async () => {
  const path = join(folder, "fifo");
  execFileSync("mkfifo", [path]);
  await expect(readBoundedText(path, { maxBytes: 10 })).rejects.toThrow(/regular file/);
});
