import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Writable } from "node:stream";
import { expect, it, onTestFinished } from "vitest";
import { groupFromEnvironment, type LaunchOptions, launch } from "./index.js";

/** Runs the text of a program in several processes. */
function start(program: string, options: Partial<LaunchOptions> = {}) {
  const folder = mkdtempSync(join(tmpdir(), "lyceum-launch-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const script = join(folder, "program.mjs");
  writeFileSync(script, program);
  const read = { out: "", err: "" };
  const into = (name: keyof typeof read) =>
    new Writable({
      write(chunk, _, done) {
        read[name] += chunk;
        done();
      },
    });
  const ended = launch({
    processes: 2,
    args: [script, "given"],
    flags: [],
    stdout: into("out"),
    stderr: into("err"),
    ...options,
  });
  return { read, ended };
}

it("starts ranks of one group, whose output can be told apart", async () => {
  const program = `
    const { RANK, WORLD_SIZE, LOCAL_RANK, LOCAL_WORLD_SIZE, MASTER_ADDR, MASTER_PORT, OMP_NUM_THREADS, OTHER } = process.env;
    const numbers = { RANK, WORLD_SIZE, LOCAL_RANK, LOCAL_WORLD_SIZE, MASTER_ADDR, OMP_NUM_THREADS, OTHER };
    console.log(JSON.stringify([numbers, process.argv[2], Number(MASTER_PORT)]));
    process.stderr.write("no newline");`;
  const { read, ended } = start(program, { threads: 5, env: { OTHER: "kept" } });
  expect(await ended).toEqual({ code: 0 });
  const lines = read.out.trim().split("\n").sort();
  const second = lines[0]!.replace("[rank 1] ", "");
  const [first, other] = [lines[1]!, second].map((line) => JSON.parse(line));
  const common = {
    ...{ WORLD_SIZE: "2", LOCAL_WORLD_SIZE: "2", MASTER_ADDR: "127.0.0.1" },
    ...{ OMP_NUM_THREADS: "2", OTHER: "kept" },
  };
  expect(first.slice(0, 2)).toEqual([{ RANK: "0", LOCAL_RANK: "0", ...common }, "given"]);
  expect(other.slice(0, 2)).toEqual([{ RANK: "1", LOCAL_RANK: "1", ...common }, "given"]);
  expect(first[2]).toBe(other[2]);
  expect(groupFromEnvironment({ ...first[0], MASTER_PORT: String(first[2]) })).toMatchObject({
    ...{ rank: 0, size: 2, localRank: 0, localSize: 2, agentStore: false, masterPort: first[2] },
  });
  expect(read.err.length).toBe("no newline[rank 1] no newline\n".length);
  expect(read.err).toContain("[rank 1] no newline\n");
});

it("OMP_NUM_THREADS of the environment counts before its share of the cores", async () => {
  const program = "console.log(process.env.OMP_NUM_THREADS)";
  const { read, ended } = start(program, { env: { OMP_NUM_THREADS: "7" } });
  await ended;
  expect(read.out.match(/7/g)).toHaveLength(2);
});

it("one that fails ends the others, first gently", async () => {
  const program = `
    import { existsSync, writeFileSync } from "node:fs";
    const listens = process.argv[1] + ".listens";
    setInterval(() => process.env.RANK === "1" && existsSync(listens) && process.exit(5), 20);
    if (process.env.RANK === "0") {
      process.on("SIGTERM", () => { console.log("asked to end"); process.exit(0); });
      writeFileSync(listens, "");
    }`;
  const { read, ended } = start(program, { graceSeconds: 4 });
  expect(await ended).toEqual({ code: 5, failed: { rank: 1, code: 5, signal: null } });
  expect(read.out).toBe("asked to end\n");
});

it("one that is stuck is killed, and the code is that of the first", async () => {
  const program = `
    process.on("SIGTERM", () => {});
    if (process.env.RANK === "0") setTimeout(() => process.kill(process.pid, "SIGKILL"), 500);
    setInterval(() => {}, 1000);`;
  const { ended } = start(program, { graceSeconds: 1 });
  expect(await ended).toEqual({ code: 137, failed: { rank: 0, code: null, signal: "SIGKILL" } });
});

it("an abort is passed on as SIGTERM", async () => {
  const controller = new AbortController();
  const program = `
    process.on("SIGTERM", () => { console.log("saved"); process.exit(0); });
    console.log("ready");
    setInterval(() => {}, 1000);`;
  const { read, ended } = start(program, { signal: controller.signal });
  while ((read.out.match(/ready/g) ?? []).length < 2) await new Promise((resolve) => setTimeout(resolve, 20));
  controller.abort();
  expect(await ended).toEqual({ code: 0 });
  expect(read.out.match(/saved/g)).toHaveLength(2);
});

it.each([1, 0, 2.5, Number.NaN, 5000])("%d processes are refused", async (processes) => {
  await expect(launch({ processes })).rejects.toThrow(RangeError);
});
