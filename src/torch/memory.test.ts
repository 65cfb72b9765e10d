import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import * as torch from "./index.js";
import { type Bundle, bundle, start } from "./testing/child.js";

let child: Bundle;
const root = mkdtempSync(join(tmpdir(), "lyceum-memory-"));
beforeAll(async () => {
  child = await bundle("src/torch/testing/weigh.ts");
});
afterAll(() => {
  child[Symbol.dispose]();
  rmSync(root, { recursive: true });
});

async function weigh(...args: string[]) {
  const { code, stdout, stderr } = await start(child.script, args).ended;
  expect(code, stderr).toBe(0);
  return JSON.parse(stdout) as { grown: number; live: number; peak: number };
}

it("holds memory flat over a million small operators inside scopes", async () => {
  const { grown, live } = await weigh("scopes");
  expect(live).toBe(1);
  // A leak of 64 bytes an operator, less than any tensor takes, would be 61 MB.
  expect(grown).toBeLessThan(30);
});

// What of the tensors left to the collector is alive at a time depends on when V8 collects: the bounds only tell a
// small share of what was made from a growing one.
it("bounds the memory of tensors left to the collector", async () => {
  const { peak } = await weigh("unscoped");
  const made = (200_000 * 16 * 1024 * 4) / 2 ** 20;
  expect(peak).toBeLessThan(made / 20);
});

it("bounds it in a loop that never lets the event loop turn", async () => {
  const { peak, live } = await weigh("loop");
  expect(live).toBeLessThan(1_000_000 / 20);
  const made = (4000 * 2 ** 20 * 4) / 2 ** 20;
  expect(peak).toBeLessThan(made / 20);
});

it("reads a file of many tensors in little more than their own memory", async () => {
  const path = join(root, "many.safetensors");
  torch.scope(() => {
    const tensors = Array.from({ length: 24 }, (_, i) => [`t${i}`, torch.ones([2 ** 21])] as const);
    torch.saveSafetensors(path, Object.fromEntries(tensors));
  });
  const { peak } = await weigh("load", path);
  // 24 tensors of 8 MB and the bytes of one, and half of that again for Node's own needs. The file as a whole
  // beside its tensors would double it.
  expect(peak).toBeLessThan(1.5 * (24 * 8 + 8));
});
