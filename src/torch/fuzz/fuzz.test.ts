import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, expect, it, vi } from "vitest";
import { bundle, start } from "../testing/child.js";
import { type Order, offeredPrograms, programAt } from "./child.js";

const root = mkdtempSync(join(tmpdir(), "lyceum-fuzz-"));
afterAll(() => rmSync(root, { recursive: true }));

/** The number of programs, of some three operators each: every operator is met about thirty times. */
const runs = Number(process.env.LYCEUM_FUZZ_RUNS ?? 40_000);
const seed = Number(process.env.LYCEUM_FUZZ_SEED ?? 20260801);
/** In seconds; programs that are not run by then are left out. */
const budget = process.env.LYCEUM_FUZZ_RUNS ? 24 * 3600 : 20;
/** After this many seconds within one step it is taken to hang: calls of these sizes take milliseconds. */
const patience = 30;

it(`survives any arguments to any operator (LYCEUM_FUZZ_SEED=${seed})`, {
  timeout: (budget + 120) * 1000,
}, async () => {
  // Small blocks come from malloc, whose own checks find operators that write past their memory.
  vi.stubEnv("LYCEUM_SMALL_BLOCKS", "0");
  using child = await bundle("src/torch/fuzz/child.ts");
  const position = join(root, "position");
  const order: Order = { seed, from: 0, to: runs, seconds: budget, position };
  const { child: process, ended } = start(child.script, [JSON.stringify(order)], {
    addressSpace: 8_000_000,
    cwd: root,
  });
  let last = "";
  let since = performance.now();
  const watch = setInterval(() => {
    const now = positionOf(position);
    if (now !== last) [last, since] = [now, performance.now()];
    if (performance.now() - since > patience * 1000) process.kill("SIGKILL");
  }, 500);
  const { code, signal, stderr } = await ended;
  clearInterval(watch);
  const where = positionOf(position);
  if (where !== "done") {
    const [program = 0, step = 0] = where.split(" ").map(Number);
    const how = signal === "SIGKILL" ? `hung for ${patience} s` : `died of ${signal ?? `exit code ${code}`}`;
    throw new Error(
      `${how} in step ${step} of program ${program}, seed ${seed}:\n` +
        `${fc.stringify(programAt(offeredPrograms(), seed, program))}\n${stderr}`,
    );
  }
  expect(code).toBe(0);
  // No operator may leave a file behind.
  expect(readdirSync(root)).toEqual(["position"]);
});

function positionOf(path: string): string {
  try {
    return readFileSync(path, "utf8").trim();
  } catch {
    return "";
  }
}
