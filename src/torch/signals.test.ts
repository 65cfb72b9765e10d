import type { ChildProcess } from "node:child_process";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Bundle, bundle, start } from "./testing/child.js";

let script: Bundle;
beforeAll(async () => {
  script = await bundle("src/torch/testing/signals.ts");
});
afterAll(() => script[Symbol.dispose]());

/** Resolves when the process has written a text. */
function wrote(child: ChildProcess, text: string): Promise<void> {
  let all = "";
  return new Promise((resolve) => {
    child.stdout!.on("data", (piece) => {
      all += piece;
      if (all.includes(text)) resolve();
    });
  });
}
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

describe("exitAtSecondSignal", () => {
  it.each(["SIGINT", "SIGTERM"] as const)("ends within operators at the second %s", async (signal) => {
    const { child, ended } = start(script.script, ["600"]);
    await wrote(child, "ready true\n");
    child.kill(signal);
    await wrote(child, "stopping\n");
    await pause(150);
    child.kill(signal);
    expect(await ended).toMatchObject({ code: 130, signal: null, stdout: "ready true\nstopping\n" });
  });

  it("takes what follows at once for an echo, and lets Node hear of it", async () => {
    const { child, ended } = start(script.script, ["1.5"]);
    await wrote(child, "ready true\n");
    child.kill("SIGINT");
    child.kill("SIGTERM");
    const { code, stdout } = await ended;
    expect(code).toBe(0);
    expect(stdout).toMatch(/^ready true\nstopping\nheard\n(heard\n)?$/);
  });
});
