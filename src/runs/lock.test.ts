import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { hostname, tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, describe, expect, test, vi } from "vitest";
import { acquireLock, isLocked, LockHeld } from "./lock.js";
import { LockWatch } from "./lock-watch.js";

const lockFile = () => join(mkdtempSync(join(tmpdir(), "lyceum-lock-")), ".lock");
const gone = () => spawnSync(process.execPath, ["-e", "0"]).pid;
/** Makes a file as old as if it was written last so many seconds ago. */
const age = (path: string, seconds: number) => {
  const then = Date.now() / 1000 - seconds;
  utimesSync(path, then, then);
};

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllEnvs();
});

test("is held once, given back, and taken again", async () => {
  const path = lockFile();
  const lock = await acquireLock(path);
  expect(await isLocked(path)).toBe(true);
  await lock.assertHeld();
  await expect(acquireLock(path)).rejects.toThrow(`process ${process.pid} on ${hostname()} is at work`);
  await lock.release();
  expect(await isLocked(path)).toBe(false);
  await (await acquireLock(path)).release();
  expect(readdirSync(dirname(path))).toEqual([]);
});

test("takes over from a process that is gone, or whose number another one has now", async () => {
  for (const holder of [
    { pid: gone(), host: hostname(), started: null },
    { pid: process.pid, host: hostname(), started: "an earlier boot 1" },
  ]) {
    const path = lockFile();
    writeFileSync(path, JSON.stringify(holder));
    await (await acquireLock(path)).release();
  }
});

test("takes over a lock with no sense in it", async () => {
  const path = lockFile();
  writeFileSync(path, "{");
  await (await acquireLock(path)).release();
});

describe("a lock of another machine", () => {
  const elsewhere = { pid: gone(), host: "elsewhere", started: null, beat: 20 };
  const leave = (holder: object, seconds: number) => {
    const path = lockFile();
    writeFileSync(path, JSON.stringify(holder));
    age(path, seconds);
    return path;
  };

  test("is not taken over while its holder gives signs of life, and the message says which file to remove", async () => {
    const path = leave(elsewhere, 30);
    expect(await isLocked(path)).toBe(true);
    await expect(acquireLock(path)).rejects.toThrow(
      /process \d+ on elsewhere is at work in this folder \(last sign of life 3\d s ago; after 300 s without one/,
    );
    await expect(acquireLock(path)).rejects.toThrow(`remove ${path}`);
  });

  test("is taken over when there were none for long", async () => {
    const path = leave(elsewhere, 301);
    expect(await isLocked(path)).toBe(false);
    await (await acquireLock(path)).release();
  });

  test("is never taken over where its version gives no signs of life", async () => {
    const { beat: _, ...older } = elsewhere;
    const path = leave(older, 1e6);
    expect(await isLocked(path)).toBe(true);
    await expect(acquireLock(path)).rejects.toThrow(/on elsewhere is at work in this folder; if you know/);
  });

  test("is told by the container too, where processes have numbers of their own", async () => {
    const inContainer = { ...elsewhere, host: hostname(), namespace: "pid:[1]" };
    await expect(acquireLock(leave(inContainer, 10))).rejects.toThrow("is at work");
    await (await acquireLock(leave(inContainer, 301))).release();
  });
});

describe("a lock of another machine that is watched", () => {
  const elsewhere = { pid: gone(), host: "elsewhere", started: null, beat: 20 };
  /** A lock, a clock to turn, and what comes of trying to take the lock. */
  const watched = (holder: object) => {
    const path = lockFile();
    writeFileSync(path, JSON.stringify(holder));
    let seconds = 0;
    const watch = new LockWatch(() => seconds);
    const take = () => acquireLock(path, { watch }).catch((error: LockHeld) => error);
    const pass = (more: number) => {
      seconds += more;
    };
    return { path, take, pass };
  };

  test.each([-1e6, 0, 1e6])(
    "is taken over after 300 s without a sign of life, where its file's time is %d s off",
    async (off) => {
      const { path, take, pass } = watched(elsewhere);
      age(path, off);
      for (const _ of [0, 1, 2]) {
        expect(await take()).toMatchObject({ name: "LockHeld", isSure: false });
        pass(99);
      }
      expect(((await take()) as LockHeld).message).toMatch(
        /^process \d+ on elsewhere is at work in this folder \(once it/,
      );
      pass(4);
      const lock = await take();
      expect(lock).not.toBeInstanceOf(LockHeld);
      await (lock as Awaited<ReturnType<typeof acquireLock>>).release();
      expect(readdirSync(dirname(path))).toEqual([]);
    },
  );

  test("is never taken over while its file changes, even to an earlier time", async () => {
    const { path, take, pass } = watched(elsewhere);
    expect(await take()).toMatchObject({ isSure: false });
    for (let beats = 0; beats < 30; beats++) {
      age(path, 1000 * beats);
      expect(await take()).toMatchObject({ name: "LockHeld", isSure: true });
      pass(20);
    }
    pass(60);
    expect(await take()).toMatchObject({ name: "LockHeld", isSure: false });
  });

  test("is never taken over where its version gives no signs of life", async () => {
    const { beat: _, ...older } = elsewhere;
    const { take, pass } = watched(older);
    expect(await take()).toMatchObject({ isSure: false });
    pass(1e6);
    expect(await take()).toBeInstanceOf(LockHeld);
  });
});

test("a job of Slurm that was begun again takes over the lock that it held before, and no other", async () => {
  const holder = {
    pid: gone(),
    host: "elsewhere",
    started: null,
    beat: 20,
    job: { id: "here/7", restart: 0 },
  };
  const path = lockFile();
  writeFileSync(path, JSON.stringify(holder));
  vi.stubEnv("SLURM_CLUSTER_NAME", "here");
  vi.stubEnv("SLURM_JOB_ID", "7");
  await expect(acquireLock(path)).rejects.toThrow("is at work");
  vi.stubEnv("SLURM_RESTART_COUNT", "1");
  vi.stubEnv("SLURM_JOB_ID", "8");
  await expect(acquireLock(path)).rejects.toThrow("is at work");
  vi.stubEnv("SLURM_JOB_ID", "7");
  const lock = await acquireLock(path);
  expect(JSON.parse(readFileSync(path, "utf8")).job).toEqual({ id: "here/7", restart: 1 });
  await lock.release();
});

test("a lock that is abandoned stays, and counts as held until its process ends", async () => {
  const path = lockFile();
  const lock = await acquireLock(path);
  await lock.abandon();
  await lock.release();
  expect(await isLocked(path)).toBe(true);
});

test("its holder gives signs of life in the file itself, never in one that took its place", async () => {
  vi.useFakeTimers({ toFake: ["setInterval", "clearInterval"] });
  const path = lockFile();
  const lock = await acquireLock(path);
  const content = readFileSync(path, "utf8");
  age(path, 1000);
  vi.advanceTimersByTime(21_000);
  await vi.waitFor(() => expect(Date.now() - statSync(path).mtimeMs).toBeLessThan(900_000));
  expect(readFileSync(path, "utf8")).toBe(content);
  rmSync(path);
  writeFileSync(path, "of another");
  vi.advanceTimersByTime(21_000);
  await expect(lock.assertHeld()).rejects.toThrow(`${path}: was this process's own, and it is gone`);
  expect(readFileSync(path, "utf8")).toBe("of another");
  await lock.release();
});

test("of many that find a stale lock at once, one gets it", async () => {
  const path = lockFile();
  writeFileSync(path, JSON.stringify({ pid: gone(), host: hostname(), started: null }));
  const tries = await Promise.allSettled(Array.from({ length: 8 }, () => acquireLock(path)));
  const got = tries.flatMap((one) => (one.status === "fulfilled" ? [one.value] : []));
  expect(got).toHaveLength(1);
  expect(readdirSync(dirname(path))).toEqual([".lock"]);
  await got[0]!.release();
});

test("does not give back what is no longer its own, and says who has it", async () => {
  const path = lockFile();
  const lock = await acquireLock(path);
  rmSync(path);
  writeFileSync(path, JSON.stringify({ pid: 7, host: "elsewhere", started: null }));
  await expect(lock.assertHeld()).rejects.toThrow("process 7 on elsewhere has taken it");
  await lock.release();
  expect(readFileSync(path, "utf8")).toContain("elsewhere");
});
