import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, expect, it } from "vitest";
import { bundle } from "../testing/child.js";
import { offeredPrograms, programAt } from "./child.js";
import { families, familyOf } from "./families.js";
import { hunt } from "./hunt.js";

const root = mkdtempSync(join(tmpdir(), "lyceum-fuzz-"));
afterAll(() => rmSync(root, { recursive: true }));

/** The number of programs, of some three operators each: every operator is met about thirty times. */
const runs = Number(process.env.LYCEUM_FUZZ_RUNS ?? 40_000);
const seed = Number(process.env.LYCEUM_FUZZ_SEED ?? 20260801);
/** In seconds; programs that are not run by then are left out. */
const budget = process.env.LYCEUM_FUZZ_RUNS ? 24 * 3600 : 20;

it(`survives any arguments to any operator (LYCEUM_FUZZ_SEED=${seed})`, {
  timeout: (budget + 120) * 1000,
}, async () => {
  using child = await bundle("src/torch/fuzz/child.ts");
  const position = join(root, "position");
  const loss = await hunt(
    child.script,
    { seed, from: 0, to: runs, seconds: budget, position },
    { cwd: root },
  );
  if (loss) {
    const program = fc.stringify(programAt(offeredPrograms(), seed, loss.program));
    throw new Error(
      `${loss.how} in step ${loss.step} of program ${loss.program}, seed ${seed}:\n${program}\n${loss.stderr}`,
    );
  }
  // No operator may leave a file behind.
  expect(readdirSync(root)).toEqual(["position"]);
});

it("gives each family of operators as many programs", () => {
  const calls = new Map<string, number>(families.map((family) => [family, 0]));
  for (const { steps } of fc.sample(offeredPrograms(), { seed, numRuns: 2000 })) {
    for (const step of steps) {
      if ("op" in step) calls.set(familyOf(step.op), calls.get(familyOf(step.op))! + 1);
    }
  }
  const total = [...calls.values()].reduce((sum, count) => sum + count);
  // A quarter of all operators is drawn from all of them, of which half are of no family.
  for (const [family, count] of calls) expect(count / total, family).toBeGreaterThan(0.18);
});
