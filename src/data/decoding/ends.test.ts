import { readFileSync } from "node:fs";
import { afterAll, beforeAll, expect, it } from "vitest";
import { type Bundle, bundle, type Ended, start } from "../../torch/testing/child.js";

const { images } = JSON.parse(readFileSync(new URL("./fixtures/views.json", import.meta.url), "utf8"));

let child: Bundle;
beforeAll(async () => {
  child = await bundle("src/data/decoding/testing/ends.ts");
});
afterAll(() => child[Symbol.dispose]());

const run = (scene: string): Promise<Ended> => start(child.script, [scene, images["jpeg 420, large"]]).ended;

it("a process may end while images are decoded", async () => {
  expect(await run("exit")).toMatchObject({ code: 0, signal: null, stderr: "" });
});

it("workers may be terminated while they decode, and others go on decoding", async () => {
  expect(await run("terminate")).toMatchObject({ code: 0, signal: null, stdout: "ok,ok,ok\n" });
});
