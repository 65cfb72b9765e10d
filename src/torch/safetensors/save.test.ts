import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import * as torch from "../index.js";

const root = mkdtempSync(join(tmpdir(), "lyceum-safetensors-"));
afterAll(() => rmSync(root, { recursive: true }));

describe("a save that fails", () => {
  it.each<[string, () => Record<string, torch.Tensor>, Record<string, string> | undefined, RegExp]>([
    [
      "on a disposed tensor",
      () => {
        const gone = torch.zeros([2]);
        gone.dispose();
        return { a: torch.zeros([1]), gone };
      },
      undefined,
      /disposed/,
    ],
    [
      "on a dtype without a code",
      () => ({ x: torch.op("aten::complex", torch.ones([1]), torch.ones([1])) }),
      undefined,
      /"x" of dtype/,
    ],
    ["on the metadata's own name", () => ({ __metadata__: torch.zeros([1]) }), undefined, /__metadata__/],
    ["on metadata of numbers", () => ({}), { epoch: 3 as unknown as string }, /must map names to text/],
    [
      "half-way",
      () => {
        const gone = torch.zeros([2]);
        const shape = gone.shape;
        gone.dispose();
        const lies = {
          dtype: "float32",
          shape,
          numel: 2,
          get handle() {
            return gone.handle;
          },
        } as unknown as torch.Tensor;
        return { a: torch.zeros([100]), lies };
      },
      undefined,
      /disposed/,
    ],
  ])("%s leaves the old file, and nothing else", (_, tensors, metadata, reason) => {
    const folder = mkdtempSync(join(root, "save-"));
    const target = join(folder, "w.safetensors");
    torch.saveSafetensors(target, { old: torch.ones([1]) });
    const old = readFileSync(target);
    expect(() => torch.saveSafetensors(target, tensors(), metadata)).toThrow(reason);
    expect(readFileSync(target)).toEqual(old);
    expect(readdirSync(folder)).toEqual(["w.safetensors"]);
  });

  it("onto a folder, or into none, says so and leaves nothing", () => {
    const folder = mkdtempSync(join(root, "save-"));
    mkdirSync(join(folder, "taken"));
    const x = { x: torch.ones([1]) };
    expect(() => torch.saveSafetensors(join(folder, "taken"), x)).toThrow(/taken/);
    expect(() => torch.saveSafetensors(join(folder, "none/x"), x)).toThrow(/none/);
    expect(readdirSync(folder)).toEqual(["taken"]);
  });
});
