import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { writeError } from "./write-error.js";

const folder = mkdtempSync(join(tmpdir(), "lyceum-write-error-"));
const path = join(folder, "weights.safetensors");
const failed = (code: string) =>
  Object.assign(new Error(`${code}: raw, write`), { code, syscall: "write", errno: -28 });

test("a full disk is told with the file, its size and the room there is", () => {
  const error = writeError(failed("ENOSPC"), { path, bytes: 3 * 2 ** 20 }) as NodeJS.ErrnoException;
  expect(error.message).toMatch(
    /weights\.safetensors: cannot be written: the disk is full \(the file takes 3\.0 MiB, \d[\d.]* \w+ free\)\. What was finished is kept/,
  );
  expect(error).toMatchObject({ code: "ENOSPC", path, syscall: "write", errno: -28 });
});

test.each([
  ["EDQUOT", "the disk quota is used up ("],
  ["EIO", "the disk failed (input/output error). What"],
  ["EROFS", "the disk is read only now. What"],
])("%s is told in words", (code, words) => {
  expect((writeError(failed(code), { path }) as Error).message).toContain(
    `${path}: cannot be written: ${words}`,
  );
});

test("a folder that is gone is told; what is no fault of a disk stays as it is", () => {
  const gone = mkdtempSync(join(tmpdir(), "lyceum-write-error-"));
  rmSync(gone, { recursive: true });
  const inGone = join(gone, "summary.json");
  expect((writeError(failed("ENOENT"), { path: inGone }) as Error).message).toBe(
    `${inGone}: cannot be written: its folder is gone`,
  );
  for (const error of [failed("ENOENT"), failed("EACCES"), new TypeError("another")]) {
    const { message } = error;
    expect(writeError(error, { path })).toBe(error);
    expect(error).toMatchObject({ message, path });
  }
  expect(writeError("text", { path })).toBe("text");
});
