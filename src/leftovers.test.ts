import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeEach, expect, test } from "vitest";
import { isTemporary, removeLeftovers } from "./leftovers.js";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "lyceum-leftovers-"));
  mkdirSync(join(folder, "generation-0", "checkpoint"), { recursive: true });
  return () => rmSync(folder, { recursive: true });
});
const leave = (...names: string[]) => {
  for (const name of names) writeFileSync(join(folder, name), "");
};
const left = (names: string[]) => names.filter((name) => existsSync(join(folder, name)));
const gone = spawnSync(process.execPath, ["-e", "0"]).pid;

const killed = [
  `.summary.json.${gone}.0badcafe.tmp`,
  `generation-0/weights.safetensors.${gone}.tmp`,
  `generation-0/checkpoint/state.safetensors.${gone}.tmp`,
  `.lock.${gone}.0badcafe`,
  `generation-0/lock.${gone}.0badcafe`,
  `calibration.lock.${gone}.0badcafe`,
];
const own = ["notes.tmp", "a.123.txt", ".lock", "lock", "generation-0/weights.safetensors", "deadlock.txt"];

test("whoever is alone in a folder removes all that killed processes left, and nothing else", async () => {
  const trying = `.lock.${process.ppid}.0badcafe`;
  const mine = `.a.json.${process.pid}.0badcafe.tmp`;
  leave(...killed, ...own, trying, mine);
  await removeLeftovers(folder, { alone: true });
  expect(left(killed)).toEqual(killed.filter((name) => name.includes("/")));
  await removeLeftovers(folder, { alone: true, recursive: true });
  expect(left([...killed, ...own, trying, mine])).toEqual([...own, trying, mine]);
});

test("where others may be writing, only what is old goes", async () => {
  leave(...killed, ...own);
  await removeLeftovers(folder, { recursive: true });
  expect(left(killed)).toEqual(killed);
  for (const name of [...killed, ...own]) utimesSync(join(folder, name), 1e9, 1e9);
  await removeLeftovers(folder, { recursive: true, among: (name) => name.startsWith(".summary") });
  expect(left(killed)).toEqual(killed.slice(1));
  await removeLeftovers(folder, { recursive: true });
  expect(left([...killed, ...own])).toEqual(own);
});

test("a folder that is not there has none", async () => {
  await removeLeftovers(join(folder, "nowhere"), { recursive: true });
  expect(isTemporary("summary.json")).toBe(false);
});
