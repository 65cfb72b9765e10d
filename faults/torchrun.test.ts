import { spawn } from "node:child_process";
import { once } from "node:events";
import { expect, test } from "vitest";
import { ranksOf } from "./torchrun.js";

test.runIf(process.platform === "linux")(
  "ranks are found by their variable, and not once they have ended",
  async () => {
    const launcher = spawn("sh", ["-c", "RANK=0 sleep 60 & RANK=1 sleep 60 & echo; wait"]);
    try {
      await once(launcher.stdout, "data");
      await expect.poll(() => [...ranksOf(launcher.pid!).keys()].sort(), { timeout: 10_000 }).toEqual([0, 1]);
      process.kill(ranksOf(launcher.pid!).get(1)!, "SIGKILL");
      await expect.poll(() => [...ranksOf(launcher.pid!).keys()], { timeout: 10_000 }).toEqual([0]);
    } finally {
      for (const pid of ranksOf(launcher.pid!).values()) process.kill(pid, "SIGKILL");
      launcher.kill("SIGKILL");
    }
  },
);
