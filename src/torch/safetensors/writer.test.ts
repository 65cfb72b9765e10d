import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, expect, it } from "vitest";
import * as torch from "../index.js";

const root = mkdtempSync(join(tmpdir(), "lyceum-safetensors-"));
afterAll(() => rmSync(root, { recursive: true }));
const path = join(root, "x.safetensors");

it("writes the very file that saveSafetensors writes, in whatever pieces", () => {
  fc.assert(
    fc.property(fc.nat(5), fc.nat(4), fc.array(fc.integer({ min: 1, max: 40 })), (rows, columns, cuts) => {
      const [a, b] = [torch.randn([rows, columns]), torch.arange(0, rows, 1, { dtype: "int32" })];
      const metadata = { note: "as it was" };
      torch.saveSafetensors(path, { a, b }, metadata);
      const expected = readFileSync(path);
      using writer = new torch.SafetensorsWriter(
        path,
        [a, b].map(({ dtype, shape }, i) => ({ name: "ab"[i]!, dtype, shape })),
        metadata,
      );
      for (const tensor of [a, b]) {
        const { buffer } = tensor.toTypedArray();
        let bytes = new Uint8Array(buffer as ArrayBuffer);
        for (const cut of cuts) {
          writer.write(bytes.subarray(0, cut));
          bytes = bytes.subarray(cut);
        }
        writer.write(bytes);
      }
      rmSync(path);
      writer.finish();
      expect(readFileSync(path).equals(expected)).toBe(true);
    }),
    { numRuns: 50 },
  );
});

it("leaves nothing behind when it is not finished, and the file of before", () => {
  torch.saveSafetensors(path, { a: torch.ones([1]) });
  const before = readFileSync(path);
  {
    using writer = new torch.SafetensorsWriter(path, [{ name: "a", dtype: "uint8", shape: [3] }]);
    writer.write(Uint8Array.of(1, 2));
    expect(() => writer.finish()).toThrow(`${path}: 2 of 3 bytes of a were written`);
    expect(() => writer.write(Uint8Array.of(1, 2))).toThrow("more than the 1 that are left of a");
  }
  expect(readdirSync(root)).toEqual(["x.safetensors"]);
  expect(readFileSync(path).equals(before)).toBe(true);
});

it("refuses what cannot be stored", () => {
  const plan = { name: "a", dtype: "uint8", shape: [1] } as const;
  expect(() => new torch.SafetensorsWriter(path, [plan, plan])).toThrow('cannot store tensor "a"');
  expect(() => new torch.SafetensorsWriter(path, [plan], { "lyceum.sha256": "mine" })).toThrow("own name");
  expect(() => new torch.SafetensorsWriter(join(root, "none/x"), [plan])).toThrow("ENOENT");
});
