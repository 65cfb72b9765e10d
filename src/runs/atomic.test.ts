import { mkdirSync, mkdtempSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { writeAtomic } from "./atomic.js";

const folder = () => mkdtempSync(join(tmpdir(), "lyceum-atomic-"));

test("replaces a file and leaves nothing else behind", async () => {
  const at = folder();
  await writeAtomic(join(at, "a.json"), "old");
  await writeAtomic(join(at, "a.json"), "new");
  expect(readFileSync(join(at, "a.json"), "utf8")).toBe("new");
  expect(readdirSync(at)).toEqual(["a.json"]);
});

test("replaces a symbolic link instead of writing through it", async () => {
  const at = folder();
  writeFileSync(join(at, "precious"), "keep me");
  symlinkSync(join(at, "precious"), join(at, "report.html"));
  await writeAtomic(join(at, "report.html"), "report");
  expect(readFileSync(join(at, "precious"), "utf8")).toBe("keep me");
});

test("cleans up when it fails", async () => {
  const at = folder();
  mkdirSync(join(at, "taken", "inner"), { recursive: true });
  await expect(writeAtomic(join(at, "taken"), "x")).rejects.toThrow();
  expect(readdirSync(at)).toEqual(["taken"]);
});
