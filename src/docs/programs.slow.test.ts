/** Runs the documentation's programs that start processes of their own. */
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { hasProcessGroups } from "../torch/index.js";
import { bundle, start } from "../torch/testing/child.js";
import { root } from "./testing/pages.js";
import { programs } from "./testing/programs.js";

it.runIf(hasProcessGroups())("docs/distributed.md: two ranks sum what they have", async () => {
  const program = programs().find(({ startsItself }) => startsItself)!;
  mkdirSync(join(root, "build"), { recursive: true });
  const folder = mkdtempSync(join(root, "build/programs-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const file = join(folder, "program.ts");
  writeFileSync(file, program.text.replace(/from "lyceum\/(\w+)"/g, 'from "../../src/$1/index.ts"'));
  using script = await bundle(relative(root, file));
  const { stdout, stderr, code } = await start(script.script, []).ended;
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  expect(stdout.split("\n").sort().join("\n")).toBe("\n[rank 1] rank 1: 3\nrank 0: 3");
});

/** The first Python with PyTorch and torchvision; Debian's packages are for its own, which may not be first on PATH. */
const python = ["python3", "/usr/bin/python3"].find(
  (command) =>
    spawnSync(command, [
      "-c",
      "import sys; from importlib.util import find_spec; sys.exit(not (find_spec('torch') and find_spec('torchvision')))",
    ]).status === 0,
);

it.skipIf(!python)("docs/from-pytorch.md: its Python program runs", () => {
  const { stdout, stderr, status } = spawnSync(python!, ["-B", join(root, "src/docs/fixtures/make.py")], {
    encoding: "utf8",
  });
  expect({ status, stderr }).toEqual({ status: 0, stderr: expect.not.stringContaining("Error") });
  expect(stdout).toMatch(/\d+ blocks\n$/);
});
