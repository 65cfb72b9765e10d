/** Runs the documentation's programs that start processes of their own. */
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
