import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, utimesSync, writeFileSync } from "node:fs";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test, vi } from "vitest";
import { LockWatch } from "../runs/index.js";
import { ShardHold } from "./shards.js";
import { StudyFolder } from "./study-folder.js";

const gone = () => spawnSync(process.execPath, ["-e", "0"]).pid;

/** A folder with the locks of parts that were begun in it, and a clock to turn. */
function folderWith(holders: Record<string, object>) {
  const folder = new StudyFolder(mkdtempSync(join(tmpdir(), "lyceum-shards-")));
  const path = join(folder.work, "shards");
  mkdirSync(path, { recursive: true });
  for (const [name, holder] of Object.entries(holders))
    writeFileSync(join(path, `${name}.lock`), JSON.stringify({ started: null, beat: 20, ...holder }));
  let seconds = 0;
  const watch = new LockWatch(() => seconds);
  /** Lets time pass, in which the holders of these locks give a sign of life. */
  const pass = (more: number, ...alive: string[]) => {
    seconds += more;
    // The clock of that machine is years behind.
    for (const name of alive) utimesSync(join(path, `${name}.lock`), seconds, seconds);
  };
  return { folder, path, watch, pass };
}

const unfinished = { isUnfinished: () => true };

test("takes up the part of a process of this machine that has ended, and no finished one", async () => {
  const { folder, path } = folderWith({
    "1-of-3": { pid: gone(), host: hostname() },
    "3-of-3": { pid: gone(), host: hostname() },
  });
  await using hold = await ShardHold.begin(folder, { shard: 2, of: 3 });
  expect(readdirSync(path).sort()).toEqual(["1-of-3.lock", "2-of-3.lock", "3-of-3.lock"]);
  await hold.done();
  expect(existsSync(join(path, "2-of-3.lock"))).toBe(false);
  const taken = await hold.takeUp({ isUnfinished: ({ shard }) => shard === 3 });
  expect(taken?.shard).toEqual({ shard: 3, of: 3 });
  // Whoever else looks sees that somebody is at work on it now.
  await using other = await ShardHold.begin(folder, { shard: 9, of: 9 });
  expect(await other.takeUp({ isUnfinished: ({ shard }) => shard === 3 })).toBeUndefined();
  await taken?.lock.release();
});

test("of another machine's parts it leaves those that show signs of life, and takes up one that shows none", async () => {
  const { folder, watch, pass } = folderWith({
    "1-of-3": { pid: 7, host: "elsewhere" },
    "3-of-3": { pid: 7, host: "farther" },
  });
  await using hold = await ShardHold.begin(folder, { shard: 2, of: 3 }, watch);
  await hold.done();
  const controller = new AbortController();
  const waits: string[] = [];
  const onWait = (message: string) => {
    waits.push(message);
    controller.abort();
  };
  // At first nothing is known of either.
  expect(await hold.takeUp({ ...unfinished, signal: controller.signal, onWait })).toBeUndefined();
  expect(waits).toEqual([
    expect.stringMatching(/^part 1 of 3 may have been left: process 7 on elsewhere is at work .* 300 s/),
  ]);
  // Both work: there is nothing to do, and nothing to wait for.
  pass(20, "1-of-3", "3-of-3");
  expect(await hold.takeUp(unfinished)).toBeUndefined();
  // The first one works on, the third one has stopped.
  for (let beats = 0; beats < 15; beats++) {
    pass(20, "1-of-3");
    const { signal } = new AbortController();
    if (beats < 2) expect(await hold.takeUp({ ...unfinished, signal })).toBeUndefined();
    else if (beats < 14) await hold.takeUp({ isUnfinished: ({ shard }) => shard === 1 });
  }
  const taken = await hold.takeUp(unfinished);
  expect(taken?.shard).toEqual({ shard: 3, of: 3 });
  await taken?.lock.release();
});

test("a part that another process of this machine holds is shared, and held once that one is gone", async () => {
  vi.useFakeTimers({ toFake: ["setInterval", "clearInterval"] });
  const { folder, path } = folderWith({});
  const first = await ShardHold.begin(folder, { shard: 1, of: 2 });
  await using second = await ShardHold.begin(folder, { shard: 1, of: 2 });
  await first.done();
  expect(existsSync(join(path, "1-of-2.lock"))).toBe(false);
  vi.advanceTimersByTime(21_000);
  await vi.waitFor(() => expect(existsSync(join(path, "1-of-2.lock"))).toBe(true));
  await second.done();
  vi.useRealTimers();
});

test("a part that ends before it is done is left as it is, for others", async () => {
  const { folder, path } = folderWith({});
  {
    await using _hold = await ShardHold.begin(folder, { shard: 1, of: 2 });
  }
  expect(existsSync(join(path, "1-of-2.lock"))).toBe(true);
});
