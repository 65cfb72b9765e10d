/** The library of faults does what it says, by which the harness would otherwise find nothing. */
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeAll, expect, test } from "vitest";
import { failing, missingCompiler, preloadIn } from "./preload.js";

const missing = missingCompiler();
let root: string;
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), "lyceum-preload-"));
  mkdirSync(join(root, "in"));
  return () => rmSync(root, { recursive: true });
});

/** Runs a program that does something to files `in/a` and `out`, and gives what it prints. */
function run(program: string, env: Record<string, string>): string {
  const { stdout, stderr } = spawnSync(process.execPath, ["-e", `const fs = require("fs"); ${program}`], {
    cwd: root,
    env: { ...process.env, UV_USE_IO_URING: "0", ...env },
  });
  return `${stdout}${stderr}`.trim();
}

test.skipIf(missing)(`calls fail after so many, below the folder alone (${missing ?? "as here"})`, () => {
  const mark = join(root, "mark");
  const options = { folder: join(root, "in"), calls: "w", after: 2, error: "EIO", mark } as const;
  const env = failing(preloadIn(root), options);
  const program = `
    const codes = [];
    for (let i = 0; i < 4; i++) for (const file of ["in/a", "out"])
      try { fs.writeFileSync(file, "text"); codes.push("ok"); } catch (error) { codes.push(error.code); }
    console.log(codes.join(" "));`;
  expect(run(program, { ...env, FAULTS_AFTER: "100" })).toBe("ok ok ok ok ok ok ok ok");
  expect(existsSync(mark)).toBe(false);
  expect(run(program, env)).toBe("ok ok ok ok EIO ok EIO ok");
  expect(existsSync(mark)).toBe(true);
  const one = (calls: string, error: "ENOSPC" | "EROFS", code: string) =>
    run(`try { ${code}; console.log("ok"); } catch (error) { console.log(error.code); }`, {
      ...failing(preloadIn(root), { ...options, calls, error, after: 0 }),
    });
  expect(one("f", "ENOSPC", 'fs.fsyncSync(fs.openSync("in/a", "r+"))')).toBe("ENOSPC");
  expect(one("r", "ENOSPC", 'fs.renameSync("out", "in/b")')).toBe("ENOSPC");
  expect(one("o", "EROFS", 'fs.openSync("in/c", "w")')).toBe("EROFS");
  expect(one("o", "EROFS", 'fs.unlinkSync("in/a")')).toBe("EROFS");
  // Node 24 has no code for it here.
  expect(one("o", "EROFS", 'fs.rmSync("in/a")')).toMatch(/^(EROFS)?$/);
  expect(one("o", "EROFS", 'fs.readFileSync("in/a")')).toBe("ok");
});

test.skipIf(missing)("the clock jumps", () => {
  const dates = run("for (let i = 0; i < 60; i++) console.log(Date.now())", {
    LD_PRELOAD: preloadIn(root),
    FAULTS_CLOCK: "86400",
  })
    .split("\n")
    .map(Number);
  expect(Math.max(...dates) - Math.min(...dates)).toBeGreaterThan(86_000_000);
});
