import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, describe, expect, it } from "vitest";
import * as torch from "../index.js";
import { entry, writeRaw } from "../testing/raw-safetensors.js";
import { settled } from "../testing/settled.js";

const root = mkdtempSync(join(tmpdir(), "lyceum-safetensors-"));
afterAll(() => rmSync(root, { recursive: true }));
const path = join(root, "x.safetensors");

const file = (header: unknown, data?: Uint8Array, length?: bigint) => writeRaw(path, header, data, length);

describe("a file that lies", () => {
  const one = Buffer.alloc(4);
  const hostile: [string, () => void, RegExp][] = [
    ["is empty", () => writeFileSync(path, ""), /0 bytes are too few/],
    ["ends within the length", () => writeFileSync(path, Buffer.alloc(7)), /7 bytes are too few/],
    ["has a header of no bytes", () => file("", one, 0n), /no JSON/],
    ["has a header longer than itself", () => file({}, one, 7n), /header of 7 bytes/],
    ["has a header of 2^63 bytes", () => file({}, one, 2n ** 63n), /cannot be in a file/],
    ["has a header of 2^64 - 1 bytes", () => file({}, one, 2n ** 64n - 1n), /cannot be in a file/],
    ["holds no JSON", () => file("{'x'}"), /no JSON/],
    [
      "holds no UTF-8",
      () => writeFileSync(path, Buffer.from([2, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xfe])),
      /no JSON/,
    ],
    ["holds an array", () => file([]), /no JSON object/],
    ["holds null", () => file("null"), /no JSON object/],
    ["nests too deep", () => file("[".repeat(100_000)), /JSON/],
    ["has a tensor that is a list", () => file({ x: [] }), /"x": unknown dtype/],
    ["has a tensor that is null", () => file({ x: null }), /"x": its entry is no object/],
    [
      "has an unknown dtype",
      () => file({ x: entry("F8_E4M3", [1], [0, 1]) }, one),
      /unknown dtype "F8_E4M3"/,
    ],
    [
      "has a dtype of Object.prototype",
      () => file({ x: entry("constructor", [1], [0, 1]) }),
      /unknown dtype/,
    ],
    ["has no dtype", () => file({ x: entry(undefined, [1], [0, 4]) }, one), /unknown dtype/],
    ["has no shape", () => file({ x: entry("F32", undefined, [0, 4]) }, one), /shape is no list/],
    ["has a negative size", () => file({ x: entry("F32", [-1], [0, 4]) }, one), /shape is no list of sizes/],
    [
      "has two negative sizes",
      () => file({ x: entry("F32", [-1, -1], [0, 4]) }, one),
      /shape is no list of sizes/,
    ],
    [
      "has a fractional size",
      () => file({ x: entry("F32", [0.5], [0, 2]) }, one),
      /shape is no list of sizes/,
    ],
    ["has a size in words", () => file({ x: entry("F32", ["1"], [0, 4]) }, one), /shape is no list of sizes/],
    [
      "has a size of 2^60",
      () => file({ x: entry("F32", [2 ** 60], [0, 4]) }, one),
      /shape is no list of sizes/,
    ],
    [
      "has sizes whose product overflows to what is there",
      () => file({ x: entry("F32", [2 ** 32, 2 ** 32, 1], [0, 0]) }),
      /needs .* bytes/,
    ],
    [
      "has sizes whose product overflows beside a size of 0",
      () => file({ x: entry("F32", [2 ** 52, 2 ** 52, 0], [0, 0]) }),
      /shape/,
    ],
    [
      "has 65 dimensions",
      () => file({ x: entry("F32", Array(65).fill(1), [0, 4]) }, one),
      /shape is no list/,
    ],
    [
      "has a shape of fewer bytes",
      () => file({ x: entry("F32", [2], [0, 4]) }, one),
      /needs 8 bytes.*hold 4/,
    ],
    ["has one offset", () => file({ x: entry("F32", [1], [0]) }, one), /data_offsets are not two/],
    ["has negative offsets", () => file({ x: entry("F32", [1], [-4, 0]) }, one), /data_offsets are not two/],
    ["has offsets the wrong way", () => file({ x: entry("F32", [1], [4, 0]) }, one), /hold -4/],
    [
      "has offsets beyond 2^53",
      () => file({ x: entry("F32", [1], [2 ** 60, 2 ** 60 + 4]) }, one),
      /data_offsets/,
    ],
    [
      "has overlapping tensors",
      () => file({ x: entry("U8", [3], [0, 3]), y: entry("U8", [2], [2, 4]) }, one),
      /"y" starts at byte 2 of the data, expected 3/,
    ],
    [
      "has the same bytes twice",
      () => file({ x: entry("F32", [1], [0, 4]), y: entry("F32", [1], [0, 4]) }, one),
      /starts at byte 0 of the data, expected 4/,
    ],
    [
      "has the same name twice",
      () =>
        file(
          `{"x":${JSON.stringify(entry("U8", [2], [0, 2]))},"x":${JSON.stringify(entry("U8", [2], [2, 4]))}}`,
          one,
        ),
      /"x" starts at byte 2 of the data, expected 0/,
    ],
    [
      "has a gap",
      () => file({ x: entry("U8", [1], [0, 1]), y: entry("U8", [2], [2, 4]) }, one),
      /"y" starts at byte 2 of the data, expected 1/,
    ],
    [
      "starts late",
      () => file({ x: entry("U8", [3], [1, 4]) }, one),
      /starts at byte 1 of the data, expected 0/,
    ],
    [
      "is cut short",
      () => file({ x: entry("F32", [2], [0, 8]) }, one),
      /tensors end at byte .*, the file at/,
    ],
    ["goes on", () => file({ x: entry("U8", [3], [0, 3]) }, one), /tensors end at byte .*, the file at/],
    [
      "has metadata of numbers",
      () => file({ __metadata__: { a: 1 } }),
      /__metadata__ must map names to text/,
    ],
    ["has metadata that is text", () => file({ __metadata__: "a" }), /__metadata__ must map names to text/],
    [
      "has metadata that is a list",
      () => file({ __metadata__: ["a"] }),
      /__metadata__ must map names to text/,
    ],
    [
      "claims more than memory holds",
      () => {
        file({ x: entry("U8", [2 ** 41], [0, 2 ** 41]) });
        truncateSync(path, readFileSync(path).length + 2 ** 41);
      },
      /too big/,
    ],
  ];

  it.each(hostile)("%s", (_, write, reason) => {
    write();
    const before = settled().tensors;
    expect(() => torch.loadSafetensors(path)).toThrow(reason);
    expect(() => torch.loadSafetensors(path)).toThrow(path);
    expect(torch.memoryStats().tensors).toBe(before);
    rmSync(path);
  });

  it("is no file at all", () => {
    expect(() => torch.loadSafetensors(join(root, "none"))).toThrow(/none/);
    expect(() => torch.loadSafetensors(root)).toThrow(`${root}: is no regular file`);
    const pipe = join(root, "pipe");
    execFileSync("mkfifo", [pipe]);
    expect(() => torch.loadSafetensors(pipe)).toThrow("no regular file");
  });

  it("throws an Error that names it, or loads, after any change of its bytes", () => {
    const tensors = {
      w: torch.randn([3, 2]),
      b: torch.tensor([1, 0, 1], { dtype: "bool" }),
      n: torch.zeros([0, 2]),
    };
    torch.saveSafetensors(path, tensors, { note: "as it was" });
    const good = readFileSync(path);
    const change = fc.oneof(
      fc.record({ at: fc.nat(good.length - 1), to: fc.nat(255) }),
      // Changes of the header tell most.
      fc.record({
        at: fc.integer({ min: 8, max: 8 + good.readUInt16LE(0) }),
        to: fc.constantFrom(...Buffer.from('0123456789-.,:e"[]{}')),
      }),
    );
    fc.assert(
      fc.property(
        fc.array(change, { minLength: 1, maxLength: 6 }),
        fc.nat(good.length),
        fc.nat(9),
        (changes, cut, whether) => {
          const bad = Buffer.from(good);
          for (const { at, to } of changes) bad[at] = to;
          writeFileSync(path, whether === 0 ? bad.subarray(0, cut) : bad);
          torch.scope(() => {
            try {
              const loaded = torch.loadSafetensors(path);
              for (const tensor of Object.values(loaded.tensors)) expect(tensor.tolist()).toBeDefined();
            } catch (error) {
              expect(error).toBeInstanceOf(Error);
              expect((error as Error).message).toContain(path);
            }
          });
        },
      ),
      { numRuns: 1500 },
    );
  });
});
