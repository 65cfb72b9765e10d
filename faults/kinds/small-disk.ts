/** A disk that is really small: a tmpfs into which the run does not fit, and which is then made larger. */
import { spawnSync } from "node:child_process";
import { mkdirSync, rmdirSync } from "node:fs";
import { join } from "node:path";
import type { Fault, Outcome } from "../fault.js";
import { isSentence, lastLines, lostUntil, type Workplace } from "../workplace.js";

const mount = (...args: string[]) => spawnSync("mount", args).status === 0;
const unmount = (folder: string) => spawnSync("umount", [folder]).status === 0;

/** KiB that a whole run takes, about. */
const whole = 2600;

function missing(): string | undefined {
  if (process.platform !== "linux" || process.getuid?.() !== 0) return "only root can mount a tmpfs";
  const folder = "/tmp/lyceum-faults-mount";
  mkdirSync(folder, { recursive: true });
  const can = mount("-t", "tmpfs", "-o", "size=64k", "tmpfs", folder);
  if (can) unmount(folder);
  rmdirSync(folder);
  return can ? undefined : "this process may not mount a tmpfs";
}

async function strike(place: Workplace, index: number, random: () => number): Promise<Outcome> {
  const job = place.job(place.turn(index));
  const folder = join(job.folder, "runs");
  mkdirSync(folder, { recursive: true });
  const size = Math.round((0.1 + 0.7 * random()) * whole);
  mount("-t", "tmpfs", "-o", `size=${size}k`, "tmpfs", folder);
  try {
    const ended = await place.train(job);
    const lost = lostUntil(ended.at, job.run, ended.began);
    if (ended.code === 0) return { survived: false, lostSeconds: 0, problem: `${size} KiB were enough` };
    if (!isSentence(ended) || !/runs\/job\/.*the disk is full \(.*free\)/.test(ended.output))
      return { survived: false, lostSeconds: lost, problem: lastLines(ended.output) };
    mount("-o", "remount,size=64m", folder);
    const outcome = await place.finish(job, lost);
    return outcome;
  } finally {
    unmount(folder);
  }
}

export const smallDisk: Fault = {
  name: "a disk too small (tmpfs)",
  tries: { full: 8, quick: 1 },
  missing,
  strike,
};
