/** `train` in several processes of this machine, and what becomes of it when one is lost. */
import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, it } from "vitest";
import { freePort, variablesOf } from "../distributed/launch.js";
import { type Bundle, bundle, start } from "../torch/testing/child.js";

let program: Bundle;
let cwd: string;
beforeAll(async () => {
  program = await bundle("src/cli/main.ts");
  cwd = mkdtempSync(join(tmpdir(), "lyceum-ranks-"));
  writeFileSync(
    join(cwd, "small.yaml"),
    "data: { name: synthetic, size: 8, classes: 5, channels: 1, trainCount: 256, testCount: 40 }\n" +
      "model: resnet8\npatriarch: { k: 3 }\ngenerations: 1\nepochs: 8\nbatchSize: 16\n",
  );
});
afterAll(() => {
  program[Symbol.dispose]();
  rmSync(cwd, { recursive: true });
});

const train = (args: string[], env: Record<string, string> = {}) =>
  start(program.script, ["train", "small.yaml", ...args], { cwd, env });
const weightsOf = (name: string) =>
  readFileSync(join(cwd, "runs", name, "generation-0/weights.safetensors")).toString("base64");

/** Waits until a run has finished an epoch. */
async function firstEpochOf(name: string): Promise<void> {
  while (!existsSync(join(cwd, "runs", name, "metrics.jsonl"))) await sleep(10);
}

/** Starts both ranks as a launcher does. */
async function startBoth(name: string, more: Record<string, string> = {}) {
  const port = await freePort();
  return [0, 1].map((rank) => train(["--name", name], { ...variablesOf(rank, 2, port), ...more }));
}

it("--processes trains by itself", async () => {
  const { code, stdout, stderr } = await train(["--name", "own", "--processes", "2"]).ended;
  expect([code, stderr]).toEqual([0, ""]);
  expect(stdout).toContain("on 2 processes");
  expect(existsSync(join(cwd, "runs/own/report.html"))).toBe(true);
}, 120_000);

it.each([0, 1])(
  "the other process fails at once when rank %i is killed, and a launcher's restart goes on to the weights of --processes",
  async (lost) => {
    const name = `killed-${lost}`;
    const ranks = await startBoth(name);
    await firstEpochOf(name);
    execFileSync("kill", ["-9", String(ranks[lost]!.child.pid)]);
    const killed = performance.now();
    const { code, stderr } = await ranks[1 - lost]!.ended;
    expect(code).toBe(5);
    expect(stderr).toContain(`rank ${lost}`);
    expect(performance.now() - killed).toBeLessThan(20_000);
    const folder = join(cwd, "runs", name, "generation-0");
    if (existsSync(folder)) expect(readdirSync(folder)).toContain("checkpoint");
    // As torchrun starts them again.
    const [first, second] = await startBoth(name, { TORCHELASTIC_RESTART_COUNT: "1" });
    expect((await first!.ended).code).toBe(0);
    expect(await second!.ended).toMatchObject({ code: 0, stdout: "" });
    expect(weightsOf(name)).toBe(weightsOf("own"));
  },
  120_000,
);

it("both save and stop when either is asked to", async () => {
  const ranks = await startBoth("stopped");
  await firstEpochOf("stopped");
  ranks[1]!.child.kill("SIGTERM");
  for (const { ended } of ranks) expect((await ended).code).toBe(130);
  expect((await ranks[0]!.ended).stderr).toContain("to go on: npx lyceum train --resume runs/stopped");
}, 120_000);

it("a job that may be started again needs a name", async () => {
  const { code, stderr } = await train([], { TORCHELASTIC_MAX_RESTARTS: "3" }).ended;
  expect([code, stderr]).toEqual([2, expect.stringContaining("needs --name, by which it finds its run")]);
});
