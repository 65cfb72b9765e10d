import {
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
import { expect, it } from "vitest";
import { toTrain } from "./due.js";
import type { PlannedNetwork } from "./plan.js";
import { beginStudy, workAtStudy } from "./run-study.js";
import { StudyFolder } from "./study-folder.js";
import { tinyStudy, writeStudy } from "./testing/tiny-study.js";
import type { WorkEvent } from "./work.js";

/** A study of one line: a patriarch and a student. */
const oneLine = { ...tinyStudy, seeds: [0], arms: { strict: { patriarch: "strict" } } };

it("looks through 2,000 networks in lines of 100, all finished, within moments", () => {
  const folder = new StudyFolder(mkdtempSync(join(tmpdir(), "lyceum-study-")));
  mkdirSync(join(folder.directory, "networks"));
  const networks = Array.from({ length: 2000 }, (_, i): PlannedNetwork => {
    const fingerprint = String(i).padStart(64, "0").split("").reverse().join("");
    const teachers =
      i % 100 === 0
        ? []
        : [
            String(i - 1)
              .padStart(64, "0")
              .split("")
              .reverse()
              .join(""),
          ];
    return { fingerprint, teachers } as PlannedNetwork;
  });
  for (const { fingerprint } of networks) writeFileSync(folder.network(fingerprint).file, "");
  expect(toTrain(folder, networks, networks)).toEqual([]);
  // Without its file the last network of a line is due, and so is all that teaches it, since no weights are there.
  rmSync(folder.network(networks[199]!.fingerprint).file);
  expect(toTrain(folder, networks, networks)).toEqual(networks.slice(100, 200));
  // With its teacher's weights it is due alone.
  writeFileSync(folder.network(networks[198]!.fingerprint).weights, "");
  expect(toTrain(folder, networks, networks)).toEqual([networks[199]]);
});

it("waits for a process on another machine, and says for which and what to do if it is gone", async () => {
  const here = writeStudy(oneLine);
  const begun = await beginStudy(here.path, here.directory);
  const { work } = begun.folder.network(begun.plan.networks[0]!.fingerprint);
  mkdirSync(work, { recursive: true });
  writeFileSync(join(work, "lock"), JSON.stringify({ pid: 12, host: "elsewhere", started: null }));
  const controller = new AbortController();
  const events: WorkEvent[] = [];
  await workAtStudy(begun, {
    signal: controller.signal,
    onEvent: (event) => {
      events.push(event);
      controller.abort();
    },
  });
  expect(events).toEqual([
    {
      type: "waiting",
      message: `process 12 on elsewhere is at work in this folder; if you know that it is not, remove ${join(work, "lock")}`,
    },
  ]);
});

it("does not wait for a lock that cannot be made", async () => {
  const here = writeStudy(oneLine);
  const begun = await beginStudy(here.path, here.directory);
  const { work } = begun.folder.network(begun.plan.networks[0]!.fingerprint);
  mkdirSync(join(work, "lock"), { recursive: true });
  await expect(workAtStudy(begun)).rejects.toThrow(/lock: is no file, where a lock has its place/);
});

it("stops where the disk is full, instead of failing with network after network", async () => {
  const here = writeStudy({ ...oneLine, seeds: [0, 1] });
  const begun = await beginStudy(here.path, here.directory);
  const events: string[] = [];
  const full = Object.assign(new Error("no space left on device"), { code: "ENOSPC" });
  const onEvent = ({ type }: WorkEvent) => {
    events.push(type);
    if (type === "progress") throw full;
  };
  await expect(workAtStudy(begun, { onEvent })).rejects.toBe(full);
  expect(full).toHaveProperty("path", here.directory);
  expect(events).toEqual(["begun", "progress"]);
  // Nothing is held any more, and it goes on once there is room.
  expect(await workAtStudy(begun)).toEqual(new Map());
});

it("a folder of networks that cannot be read is no empty one", async () => {
  const here = writeStudy(oneLine);
  mkdirSync(here.directory, { recursive: true });
  writeFileSync(join(here.directory, "networks"), "");
  await expect(beginStudy(here.path, here.directory)).rejects.toThrow(/ENOTDIR/);
});

it("names a teacher's damaged weights with the remedy, which helps even where the kept ones are damaged too", async () => {
  const here = writeStudy(oneLine);
  const begun = await beginStudy(here.path, here.directory);
  const [teacher, student] = begun.plan.networks;
  const controller = new AbortController();
  await workAtStudy(begun, {
    signal: controller.signal,
    onEvent: ({ type }) => type === "finished" && controller.abort(),
  });
  const { weights, work, file } = begun.folder.network(teacher!.fingerprint);
  const numbers = readFileSync(file, "utf8");
  for (const path of [weights, join(work, "weights.safetensors")]) {
    const bytes = readFileSync(path);
    bytes[bytes.length - 9]! ^= 1;
    writeFileSync(path, bytes);
  }
  const failures = await workAtStudy(begun);
  expect([...failures.keys()]).toEqual([student!.fingerprint]);
  expect([...failures.values()][0]).toMatch(/weights\.safetensors: .*Remove .*: `lyceum study` then makes/);

  rmSync(weights);
  rmSync(join(begun.folder.network(student!.fingerprint).work, "failed.txt"));
  expect(await workAtStudy(begun)).toEqual(new Map());
  expect(begun.folder.isFinished(student!.fingerprint)).toBe(true);
  expect(readFileSync(file, "utf8")).toBe(numbers);
  expect(existsSync(weights)).toBe(false);
  // Nothing half written is left behind.
  expect(readdirSync(join(here.directory, "networks")).filter((name) => name.endsWith(".tmp"))).toEqual([]);
});
