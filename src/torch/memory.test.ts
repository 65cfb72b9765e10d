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
  expect(grown).toBeLessThan(16);
});

it("bounds the memory of tensors left to the collector", async () => {
  const { peak } = await weigh("loose");
  // Of 13 GB; 43 to 123 measured.
  expect(peak).toBeLessThan(384);
});

it("bounds it in a loop that never lets the event loop turn", async () => {
  const { peak, live } = await weigh("loop");
  // Of a million; 130 to 1954 measured.
  expect(live).toBeLessThan(50_000);
  // Of 16 GB; 112 to 312 measured.
  expect(peak).toBeLessThan(768);
});

it("reads a file of many tensors in little more than their own memory", async () => {
  const path = join(root, "many.safetensors");
  torch.scope(() => {
    const tensors = Array.from({ length: 24 }, (_, i) => [`t${i}`, torch.ones([2 ** 21])] as const);
    torch.saveSafetensors(path, Object.fromEntries(tensors));
  });
  const { peak } = await weigh("load", path);
  // 24 tensors of 8 MB, the bytes of one, and what Node itself takes meanwhile (16 to 18 MB under Node 24). The file
  // as a whole beside its tensors would make it 384.
  expect(peak).toBeLessThan(24 * 8 + 8 + 48);
});
