import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import * as torch from "../index.js";
import { entry, writeRaw } from "../testing/raw-safetensors.js";
import { settled } from "../testing/settled.js";

const root = mkdtempSync(join(tmpdir(), "lyceum-safetensors-"));
afterAll(() => rmSync(root, { recursive: true }));
const path = join(root, "x.safetensors");

const file = (header: unknown, data?: Uint8Array, length?: bigint) => writeRaw(path, header, data, length);

describe("the checksum", () => {
  const entries = () => ({
    w: torch.tensor([
      [0.5, -2],
      [1e-3, 7],
    ]),
    'b\u00e9"\n': torch.tensor([1, 0, 1, 1], { dtype: "bool" }),
    10: torch.tensor([3], { dtype: "int64" }),
    none: torch.zeros([0, 2]),
  });
  const metadata = { note: "as it was", 7: "", empty: "{}" };

  it("refuses a file with any single bit flipped, and leaks nothing", () => {
    torch.saveSafetensors(path, entries(), metadata);
    const good = readFileSync(path);
    const before = settled().tensors;
    const passed: number[] = [];
    for (let bit = 0; bit < 8 * good.length; bit++) {
      const bad = Buffer.from(good);
      bad[bit >> 3]! ^= 1 << (bit & 7);
      writeFileSync(path, bad);
      try {
        torch.loadSafetensors(path);
        passed.push(bit);
      } catch (error) {
        expect((error as Error).message).toContain(path);
      }
    }
    expect(passed).toEqual([]);
    expect(torch.memoryStats().tensors).toBe(before);
    writeFileSync(path, good);
    expect(torch.loadSafetensors(path).metadata).toEqual(metadata);
  });

  it("says what to do about damaged data", () => {
    torch.saveSafetensors(path, { w: torch.ones([100]) });
    const bytes = readFileSync(path);
    bytes[bytes.length - 7]! ^= 4;
    writeFileSync(path, bytes);
    expect(() => torch.loadSafetensors(path)).toThrow(
      `${path}: damaged: its content is not what was written, by its SHA-256; ` +
        "restore it from a copy or train again",
    );
  });

  it("is about content: the same tensors and texts in another layout are sound", () => {
    torch.saveSafetensors(path, { a: torch.tensor([1, 2]), b: torch.tensor([3]) }, { one: "1", two: "2" });
    const bytes = readFileSync(path);
    const start = 8 + bytes.readUInt16LE(0);
    const { __metadata__: texts } = JSON.parse(bytes.toString("utf8", 8, start));
    const moved = {
      b: entry("F32", [1], [0, 4]),
      a: entry("F32", [2], [4, 12]),
      __metadata__: Object.fromEntries(Object.entries(texts).reverse()),
    };
    const data = bytes.subarray(start);
    file(JSON.stringify(moved, null, 2), Buffer.concat([data.subarray(8), data.subarray(0, 8)]));
    const { tensors, metadata } = torch.loadSafetensors(path);
    expect([tensors.a!.tolist(), tensors.b!.tolist(), metadata]).toEqual([
      [1, 2],
      [3],
      { one: "1", two: "2" },
    ]);
    file(JSON.stringify(moved), data);
    expect(() => torch.loadSafetensors(path)).toThrow("damaged");
  });

  it.each([[{ "lyceum.checksum": "sha256" }], [{ "lyceum.sha256": "0".repeat(64) }]])(
    "that is not whole is no missing one: %j",
    (half) => {
      file({ __metadata__: { ...half, note: "x" } });
      expect(() => torch.loadSafetensors(path)).toThrow("damaged: its checksum is not whole");
    },
  );

  it("keeps its names to itself", () => {
    expect(() => torch.saveSafetensors(path, {}, { "lyceum.sha256": "mine" })).toThrow(
      "metadata lyceum.sha256 is the checksum's own name",
    );
  });
});
