/** Tests that a study survives being killed, as a whole: the command, its processes, and what they leave. */
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { afterAll, beforeAll, expect, it } from "vitest";
import { toYaml } from "../recipe/index.js";
import { tinyStudy } from "../study/testing/tiny-study.js";
import { type Bundle, bundle, start } from "../torch/testing/child.js";

let program: Bundle;
beforeAll(async () => {
  program = await bundle("src/cli/main.ts");
}, 120_000);
afterAll(() => program[Symbol.dispose]());

/** Makes a folder with the study in it, as a checkout would be. */
function checkout(): string {
  const folder = mkdtempSync(join(tmpdir(), "lyceum-study-"));
  writeFileSync(join(folder, "tiny.yaml"), toYaml(tinyStudy));
  return folder;
}

/** Runs the study to its end, and gives its results without the times that they took. */
async function finish(cwd: string, ...flags: string[]): Promise<unknown> {
  const { code, stdout, stderr } = await start(program.script, ["study", "tiny.yaml", "--json", ...flags], {
    cwd,
  }).ended;
  expect({ code, stderr: code === 0 ? "" : stderr }).toEqual({ code: 0, stderr: "" });
  const { arms, trained } = JSON.parse(stdout);
  for (const arm of arms)
    for (const line of arm.lines)
      for (const network of line.networks) {
        delete network.trainSeconds;
        delete network.cpuSeconds;
        delete network.date;
      }
  return { arms, trained };
}

it("killed at ten random moments it ends with the numbers of an unbroken study, and repeats nothing that was finished", {
  timeout: 300_000,
}, async () => {
  const whole = await finish(checkout(), "--jobs", "2");
  const cwd = checkout();
  const finishedAt = new Map<string, string>();
  const note = () => {
    for (const [name, date] of finishedIn(cwd)) {
      expect(finishedAt.get(name) ?? date).toBe(date);
      finishedAt.set(name, date);
    }
  };
  for (let kill = 0; kill < 10; kill++) {
    const { child, ended } = start(program.script, ["study", "tiny.yaml", "--jobs", "2"], { cwd });
    await wait(300 + Math.random() * 1200);
    // Half of the kills take the processes that train as well, the other half leave them to notice by themselves.
    if (kill % 2 === 0) for (const pid of workers(cwd)) kill9(pid);
    child.kill("SIGKILL");
    await ended;
    note();
  }
  expect(await finish(cwd, "--jobs", "2")).toEqual(whole);
  note();
});

it("begun in one checkout it ends in another, from the files that are committed alone", {
  timeout: 300_000,
}, async () => {
  const whole = await finish(checkout());
  const here = checkout();
  const { child, ended } = start(program.script, ["study", "tiny.yaml"], { cwd: here });
  await new Promise<void>((resolve) => {
    child.stdout!.on("data", (text) => String(text).includes("3/10") && resolve());
  });
  child.kill("SIGINT");
  expect((await ended).code).toBe(130);
  const there = checkout();
  cpSync(join(here, "results"), join(there, "results"), { recursive: true });
  rmSync(join(there, "results", "tiny", ".work"), { recursive: true });
  expect(await finish(there)).toEqual(whole);
});

it("ends with an error when a process that trains cannot go on, and goes on once it can", {
  timeout: 120_000,
}, async () => {
  const cwd = checkout();
  const { stdout } = await start(program.script, ["study", "tiny.yaml", "--plan", "--json"], { cwd }).ended;
  const [first] = JSON.parse(stdout).networks;
  // No lock can be made where a folder has its name.
  const lock = join(cwd, "results", "tiny", ".work", first.fingerprint.slice(0, 16), "lock");
  mkdirSync(lock, { recursive: true });
  const stuck = await start(program.script, ["study", "tiny.yaml", "--jobs", "2"], { cwd }).ended;
  expect(stuck.code).toBe(1);
  expect(stuck.stderr).toContain("lock: is no file, where a lock has its place: remove it");
  rmSync(lock, { recursive: true });
  expect(await finish(cwd)).toMatchObject({ trained: { done: 10, of: 10 } });
});

it("says that a process was killed, and the same command goes on", { timeout: 120_000 }, async () => {
  const cwd = checkout();
  const { child, ended } = start(program.script, ["study", "tiny.yaml"], { cwd });
  await new Promise<void>((resolve) => {
    child.stdout!.on("data", (text) => String(text).includes("1/10") && resolve());
  });
  for (let tries = 0; tries < 200 && workers(cwd).length === 0; tries++) await wait(10);
  for (const pid of workers(cwd)) kill9(pid);
  const { code, stderr } = await ended;
  expect(code).toBe(1);
  expect(stderr).toContain("a process that trained was killed, as the system does when memory runs out");
  expect(await finish(cwd)).toMatchObject({ trained: { done: 10, of: 10 } });
});

it("--plan writes nothing", { timeout: 60_000 }, async () => {
  const cwd = checkout();
  const { code, stdout } = await start(program.script, ["study", "tiny.yaml", "--plan"], { cwd }).ended;
  expect(code).toBe(0);
  expect(stdout).toContain("0 of 10 networks are trained; 10 would be trained now");
  expect(readdirSync(cwd)).toEqual(["tiny.yaml"]);
});

function kill9(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It has ended by itself in the meantime.
  }
}

/** Gives the processes that hold a network of the study. */
function workers(cwd: string): number[] {
  const work = join(cwd, "results", "tiny", ".work");
  const names = existsSync(work) ? readdirSync(work) : [];
  return names.flatMap((name) => {
    const lock = join(work, name, "lock");
    try {
      return [JSON.parse(readFileSync(lock, "utf8")).pid as number];
    } catch {
      return [];
    }
  });
}

/** Gives each finished network's file and the date in it. */
function finishedIn(cwd: string): [string, string][] {
  const folder = join(cwd, "results", "tiny", "networks");
  const names = existsSync(folder) ? readdirSync(folder) : [];
  return names
    .filter((name) => /^[0-9a-f]+\.json$/.test(name))
    .map((name) => [name, JSON.parse(readFileSync(join(folder, name), "utf8")).date]);
}
