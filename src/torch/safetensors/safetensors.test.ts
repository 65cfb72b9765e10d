import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, describe, expect, it } from "vitest";
import * as torch from "../index.js";
import { settled } from "../testing/settled.js";

const root = mkdtempSync(join(tmpdir(), "lyceum-safetensors-"));
afterAll(() => rmSync(root, { recursive: true }));
const path = join(root, "x.safetensors");

/** Writes a file of any header and data, whether they fit each other or not. */
function file(header: unknown, data: Uint8Array = new Uint8Array(), length?: bigint): void {
  const json = typeof header === "string" ? header : JSON.stringify(header);
  const bytes = Buffer.from(json);
  const size = Buffer.alloc(8);
  size.writeBigUInt64LE(length ?? BigInt(bytes.length));
  writeFileSync(path, Buffer.concat([size, bytes, data]));
}

const entry = (dtype: unknown, shape: unknown, data_offsets: unknown) => ({ dtype, shape, data_offsets });

describe("saveSafetensors and loadSafetensors", () => {
  const shape = fc.array(fc.nat(4), { maxLength: 5 });
  const plan = fc.record({ dtype: fc.constantFrom(...torch.dtypes), shape });
  const name = fc.oneof(
    fc.string({ unit: "binary" }),
    fc.constantFrom("__proto__", "constructor", "10", "2", "", "a.b.weight", "toString"),
  );
  const names = (value: fc.Arbitrary<unknown>) =>
    fc.dictionary(name, value, { maxKeys: 8, noNullPrototype: false });

  it("bring back every dtype, shape, name and metadata to the bit", () => {
    fc.assert(
      fc.property(names(plan), names(fc.string({ unit: "binary" })), (plans, metadata) => {
        torch.scope(() => {
          const saved: Record<string, torch.Tensor> = Object.create(null);
          let seed = 0;
          for (const [key, { dtype, shape }] of Object.entries(
            plans as Record<string, { dtype: torch.DType; shape: number[] }>,
          )) {
            const random = torch.randn(shape, { generator: new torch.Generator(seed++) });
            saved[key] = random.mul(3).to({ dtype });
          }
          torch.saveSafetensors(path, saved, metadata as Record<string, string>);
          const loaded = torch.loadSafetensors(path);
          expect(Object.entries(loaded.metadata).sort()).toEqual(Object.entries(metadata).sort());
          expect(Object.keys(loaded.tensors).sort()).toEqual(Object.keys(saved).sort());
          for (const [key, tensor] of Object.entries(saved)) {
            const back = loaded.tensors[key]!;
            expect([back.dtype, back.shape]).toEqual([tensor.dtype, tensor.shape]);
            expect(back.toTypedArray()).toEqual(tensor.toTypedArray());
          }
        });
      }),
      { numRuns: 60 },
    );
  });

  it("keep the values of views, whatever their layout, and of tensors with a history", () => {
    const x = torch.arange(0, 24, 1, { dtype: "float32" }).reshape([1, 2, 3, 4]).requiresGrad_();
    const views = {
      last: x.mul(1).contiguous("channelsLast"),
      part: x.select(3, 1),
      turned: x.transpose(1, 3),
    };
    torch.saveSafetensors(path, views);
    const { tensors } = torch.loadSafetensors(path);
    for (const [key, view] of Object.entries(views)) expect(tensors[key]!.tolist()).toEqual(view.tolist());
    expect(tensors.last!.requiresGrad).toBe(false);
  });

  it("write the bytes that the format asks for, the widest first", () => {
    torch.saveSafetensors(
      path,
      {
        b: torch.tensor([1, 0], { dtype: "bool" }),
        a: torch.tensor([[1], [2]]),
        c: torch.tensor(7, { dtype: "int64" }),
      },
      { by: "hand" },
    );
    const sha256 = (data: string | Uint8Array) => createHash("sha256").update(data).digest("hex");
    const [one, two] = [Buffer.from(Float32Array.of(1, 2).buffer), Buffer.from(BigInt64Array.of(7n).buffer)];
    const content = [
      ["a", "F32", [2, 1], sha256(one)],
      ["b", "BOOL", [2], sha256(Uint8Array.of(1, 0))],
      ["c", "I64", [], sha256(two)],
    ];
    const digest = sha256(JSON.stringify([[["by", "hand"]], content]));
    const header =
      `{"__metadata__":{"lyceum.checksum":"sha256","lyceum.sha256":"${digest}","by":"hand"},` +
      '"c":{"dtype":"I64","shape":[],"data_offsets":[0,8]},' +
      '"a":{"dtype":"F32","shape":[2,1],"data_offsets":[8,16]},"b":{"dtype":"BOOL","shape":[2],"data_offsets":[16,18]}}';
    const padded = header.padEnd(Math.ceil(header.length / 8) * 8);
    const expected = Buffer.concat([
      Buffer.from(BigUint64Array.of(BigInt(padded.length)).buffer),
      Buffer.from(padded),
      two,
      one,
      Buffer.from([1, 0]),
    ]);
    expect(readFileSync(path)).toEqual(expected);
  });

  it("read a file written by hand: entries in any order, spaces, unaligned data, empty tensors", () => {
    file(
      ` { "y" : ${JSON.stringify(entry("F32", [1], [3, 7]))}, "none": ${JSON.stringify(entry("F64", [0, 9], [3, 3]))},
          "x": ${JSON.stringify(entry("U8", [3], [0, 3]))} }   `,
      Buffer.from([1, 2, 3, 0, 0, 0x80, 0x3f]),
    );
    const { tensors, metadata } = torch.loadSafetensors(path);
    expect(tensors.x!.tolist()).toEqual([1, 2, 3]);
    expect(tensors.y!.tolist()).toEqual([1]);
    expect(tensors.none!.shape).toEqual([0, 9]);
    expect(metadata).toEqual({});
    file({});
    expect(Object.keys(torch.loadSafetensors(path).tensors)).toEqual([]);
  });

  it("read any byte but 0 as true", () => {
    file({ x: entry("BOOL", [3], [0, 3]) }, Buffer.from([0, 7, 255]));
    const x = torch.loadSafetensors(path).tensors.x!;
    expect(x.tolist()).toEqual([0, 1, 1]);
    expect(x.sum().item()).toBe(2);
  });

  it("take __proto__ for a name like any other", () => {
    file(`{"__proto__": ${JSON.stringify(entry("U8", [1], [0, 1]))}}`, Buffer.from([5]));
    const { tensors } = torch.loadSafetensors(path);
    expect(Object.keys(tensors)).toEqual(["__proto__"]);
    expect(Object.getPrototypeOf(tensors)).toBeNull();
    expect(({} as Record<string, unknown>).dtype).toBeUndefined();
  });
});

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

describe("readSafetensorsMetadata", () => {
  it("gives the texts and reads no data", () => {
    torch.saveSafetensors(path, { w: torch.ones([1000]) }, { note: "as it was" });
    const bytes = readFileSync(path);
    bytes[bytes.length - 1]! ^= 1;
    writeFileSync(path, bytes);
    expect(torch.readSafetensorsMetadata(path)).toEqual({ note: "as it was" });
    file({ x: entry("U8", [2 ** 41], [0, 2 ** 41]), __metadata__: { of: "another program" } });
    truncateSync(path, readFileSync(path).length + 2 ** 41);
    expect(torch.readSafetensorsMetadata(path)).toEqual({ of: "another program" });
    rmSync(path);
  });

  it.each<[string, () => void, RegExp]>([
    ["of no safetensors", () => writeFileSync(path, "some text, and not a little"), /not a safetensors file/],
    [
      "whose header is longer than any real one",
      () => {
        file({}, new Uint8Array(), 2n ** 24n + 1n);
        truncateSync(path, 2 ** 25);
      },
      /a header of 16777217 bytes cannot be in a file/,
    ],
    ["of numbers", () => file({ __metadata__: { a: 1 } }), /must map names to text/],
  ])("refuses a file %s", (_, write, reason) => {
    write();
    expect(() => torch.readSafetensorsMetadata(path)).toThrow(reason);
    expect(() => torch.readSafetensorsMetadata(path)).toThrow(path);
  });
});

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
          detach: () => gone.detach(),
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
