/** Tests that the tasks of a job array train a study together in one folder, also where one of them is killed. */
import { existsSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { afterAll, beforeAll, expect, it } from "vitest";
import { toYaml } from "../recipe/index.js";
import { tinyStudy } from "../study/testing/tiny-study.js";
import { type Bundle, bundle, start } from "../torch/testing/child.js";

/** Six runs that share no network. */
const sixRuns = {
  ...tinyStudy,
  seeds: [0, 1, 2],
  arms: { strict: tinyStudy.arms.strict, tolerant: tinyStudy.arms.tolerant },
};

let program: Bundle;
beforeAll(async () => {
  program = await bundle("src/cli/main.ts");
}, 120_000);
afterAll(() => program[Symbol.dispose]());

function checkout(): string {
  const folder = mkdtempSync(join(tmpdir(), "lyceum-shards-"));
  writeFileSync(join(folder, "six.yaml"), toYaml(sixRuns));
  return folder;
}

/** Starts a task of `sbatch --array=10-12`. */
const task = (cwd: string, index: number) =>
  start(program.script, ["study", "six.yaml", "--shard", "auto"], {
    cwd,
    env: {
      SLURM_ARRAY_TASK_ID: String(10 + index),
      ...{ SLURM_ARRAY_TASK_COUNT: "3", SLURM_ARRAY_TASK_MIN: "10", SLURM_ARRAY_TASK_MAX: "12" },
    },
  });

/** The comparison of the study's results, without what the training took. */
async function tableOf(cwd: string): Promise<unknown> {
  const { code, stdout } = await start(program.script, ["compare", "results/six", "--json"], { cwd }).ended;
  expect(code).toBe(0);
  const { sentences, ...compared } = JSON.parse(stdout);
  const { costs: _, ...said } = sentences;
  return { ...compared, sentences: said };
}

it("three tasks of which one is killed come to the table of a study in one go, and none trains what another has", {
  timeout: 300_000,
}, async () => {
  const whole = checkout();
  expect((await start(program.script, ["study", "six.yaml"], { cwd: whole }).ended).code).toBe(0);

  const cwd = checkout();
  const first = task(cwd, 0);
  const killed = task(cwd, 1);
  const work = join(cwd, "results", "six", ".work");
  const workersOf = (parent: number | undefined) =>
    (existsSync(work) ? readdirSync(work) : []).flatMap((name) => {
      try {
        const { pid } = JSON.parse(readFileSync(join(work, name, "lock"), "utf8"));
        const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
        return stat.slice(stat.lastIndexOf(")")).split(" ")[2] === String(parent) ? [pid as number] : [];
      } catch {
        return [];
      }
    });
  while (workersOf(killed.child.pid).length === 0) await wait(20);
  const orphans = workersOf(killed.child.pid);
  killed.child.kill("SIGKILL");
  for (const pid of orphans) process.kill(pid, "SIGKILL");
  await killed.ended;
  const last = task(cwd, 2);
  const ends = await Promise.all([first.ended, last.ended]);
  expect(ends.map(({ code }) => code)).toEqual([0, 0]);
  const said = ends.map(({ stdout }) => stdout).join("");
  expect(said).toContain("part 1 of 3: 4 of 12 networks");
  expect(said).toContain(
    "part 2 of 3 was left by a process that has ended: its networks are trained here now",
  );
  expect(await tableOf(cwd)).toEqual(await tableOf(whole));
  // Of the twelve networks each was trained once: those of a part that is left, by whoever takes it up.
  expect(said.match(/^\d+\/4 {2}(?:strict|tolerant), seed \d, generation \d, held-out/gm)).toHaveLength(12);
  // The last of the processes has written a report of all that there is.
  const summaryOf = (folder: string) => readFileSync(join(folder, "results", "six", "summary.json"), "utf8");
  expect(summaryOf(cwd)).toBe(summaryOf(whole));
});
