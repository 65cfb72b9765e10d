import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { hostname, tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { expect, test } from "vitest";
import { acquireLock, isLocked } from "./lock.js";

const lockFile = () => join(mkdtempSync(join(tmpdir(), "lyceum-lock-")), ".lock");
const gone = () => spawnSync(process.execPath, ["-e", "0"]).pid;

test("is held once, given back, and taken again", async () => {
  const path = lockFile();
  const release = await acquireLock(path);
  expect(await isLocked(path)).toBe(true);
  await expect(acquireLock(path)).rejects.toThrow(`process ${process.pid} on ${hostname()} is at work`);
  await release();
  expect(await isLocked(path)).toBe(false);
  await (await acquireLock(path))();
  expect(readdirSync(dirname(path))).toEqual([]);
});

test("takes over from a process that is gone, or whose number another one has now", async () => {
  for (const holder of [
    { pid: gone(), host: hostname(), started: null },
    { pid: process.pid, host: hostname(), started: "an earlier boot 1" },
  ]) {
    const path = lockFile();
    writeFileSync(path, JSON.stringify(holder));
    await (await acquireLock(path))();
  }
});

test("takes over a lock with no sense in it", async () => {
  const path = lockFile();
  writeFileSync(path, "{");
  await (await acquireLock(path))();
});

test("never takes over from another machine, and says which file to remove", async () => {
  const path = lockFile();
  writeFileSync(path, JSON.stringify({ pid: gone(), host: "elsewhere", started: null }));
  await expect(acquireLock(path)).rejects.toThrow(`remove ${path}`);
});

test("of many that find a stale lock at once, one gets it", async () => {
  const path = lockFile();
  writeFileSync(path, JSON.stringify({ pid: gone(), host: hostname(), started: null }));
  const tries = await Promise.allSettled(Array.from({ length: 8 }, () => acquireLock(path)));
  expect(tries.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
  expect(readdirSync(dirname(path))).toEqual([".lock"]);
});

test("does not give back what is no longer its own", async () => {
  const path = lockFile();
  const release = await acquireLock(path);
  writeFileSync(path, "of another");
  await release();
  expect(readFileSync(path, "utf8")).toBe("of another");
});
