import { createHash } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, describe, expect, it } from "vitest";
import * as torch from "../index.js";
import { entry, writeRaw } from "../testing/raw-safetensors.js";

const root = mkdtempSync(join(tmpdir(), "lyceum-safetensors-"));
afterAll(() => rmSync(root, { recursive: true }));
const path = join(root, "x.safetensors");

const file = (header: unknown, data?: Uint8Array, length?: bigint) => writeRaw(path, header, data, length);

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
