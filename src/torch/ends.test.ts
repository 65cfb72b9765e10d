import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Bundle, bundle, type Ended, start } from "./testing/child.js";

let child: Bundle;
beforeAll(async () => {
  child = await bundle("src/torch/testing/ends.ts");
});
afterAll(() => child[Symbol.dispose]());

const run = (scene: string): Promise<Ended> => start(child.script, [scene]).ended;

describe("a process ends as it should, whatever is under way", () => {
  it("tensors disposed of while the background reads them stay until it has", async () => {
    expect(await run("disposed")).toMatchObject({ code: 0, stdout: "512 1024x512\n" });
  });

  it("process.exit within background work", async () => {
    expect(await run("exit")).toMatchObject({ code: 0, signal: null });
  });

  it("the end of the program, with promises that nobody awaits", async () => {
    expect(await run("drain")).toMatchObject({ code: 0, signal: null });
  });

  it("an exception within background work", async () => {
    const { code, signal, stderr } = await run("throw");
    expect([code, signal]).toEqual([1, null]);
    expect(stderr).toContain("on purpose");
  });

  it("workers that load the bridge beside the main thread, each with tensors of its own", async () => {
    expect(await run("worker")).toMatchObject({
      code: 0,
      stdout: "1000,TypeError 2000,TypeError 3000,TypeError 4\n",
    });
  });

  it("workers that are terminated within operators", async () => {
    expect(await run("terminate")).toMatchObject({ code: 0, signal: null, stdout: "3\n" });
  });
});
