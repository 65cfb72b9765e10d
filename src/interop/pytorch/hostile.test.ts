import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { settled } from "../../torch/testing/settled.js";
import { readWeightsFile } from "../index.js";

const fixtures = new URL("../fixtures/", import.meta.url).pathname;
const temporary = mkdtempSync(join(tmpdir(), "lyceum-hostile-"));
afterAll(() => rmSync(temporary, { recursive: true }));

// Python's own reader would leave this file behind for every pickle that runs a command.
afterEach(() => expect(existsSync("lyceum-was-here")).toBe(false));

/** What each file of fixtures/hostile gives; fixtures/make_hostile.py says what is in it. */
const refusals: Record<string, string> = {
  // Pickles that would run a command, or call something.
  "system-reduce": "at byte 9: names posix.system, which no state dict needs: nothing was run",
  "system-inst": "at byte 29: would make an object of posix.system (INST)",
  "system-obj": "at byte 3: names posix.system",
  "popen-newobj": "names subprocess.Popen",
  "system-stack-global": "names os.system",
  "system-in-tensor": "at byte 127: names posix.system",
  "system-in-build": "names posix.system",
  eval: "names builtins.eval",
  getattr: "names __builtin__.getattr",
  "torch-hub": "names torch.hub.load",
  "torch-load": "names torch.load",
  "whole-model": "names torch.nn.modules.linear.Linear",
  "build-of-list": "gives attributes to what is no dict (BUILD)",
  "storage-called": "calls torch.FloatStorage, which is not to be called",
  "newobj-of-dict": "state dicts need no NEWOBJ",
  "extension-code": "state dicts need no EXT1",
  "odd-persistent-id": "refers to what is no storage",
  "text-persistent-id": "state dicts need no PERSID",
  // Broken pickles.
  "protocol-0": "state dicts need no DICT",
  "protocol-6": "is of protocol 6, where 2 to 5 can be read",
  "list-in-itself": "holds a list, not a state dict",
  "device-of-itself": "names a device that is none",
  "one-list-many-dicts": "hands more than 1048576 values to calls",
  "long-text": "ends at byte 8, within the value at byte 7",
  "longer-text": "a length of 18446744073709551615 bytes is impossible",
  "no-utf-8": "the text at byte 8 is not UTF-8",
  "unknown-memo": "recalls value 7, which was never kept",
  "empty-stack": "takes a value that is not there",
  "values-left": "leaves values behind at its end",
  "no-end": "its pickle ends at byte 3 without an end",
  "empty-pickle": "its pickle ends at byte 0 without an end",
  "no-opcode": "0xff is no opcode",
  // Tensors out of their storages.
  "beyond-storage": 'out of the range of its storage "0", which has 4 elements',
  "offset-beyond-storage": "sizes [2,2], strides [2,1] and offset 1 is out of the range",
  "stride-beyond-storage": "strides [1099511627776,1] and offset 0 is out of the range",
  "impossible-sizes": "a tensor of sizes [2147483648,2147483648] is impossible",
  expanded: "sizes [1048576,1024], strides [0,0] and offset 0 is out of the range",
  "negative-size": "are no counts: [-1,2]",
  "negative-stride": "are no counts: [2,2], [-2,1]",
  "negative-offset": "are no counts: [2,2], [2,1], -1",
  "overflowing-size": "are no counts: [4611686018427388000,4]",
  "empty-and-huge": "are no counts: [0,1152921504606847000]",
  "seventy-dimensions": "a tensor has 70 sizes and 70 strides",
  "strides-missing": "a tensor has 2 sizes and 1 strides",
  "storage-too-small":
    'tensor "w": its storage "0" has 16 bytes, where 1099511627776 of float32 take 4398046511104',
  "storage-too-large": 'out of the range of its storage "0", which has 2 elements',
  "storage-missing": 'tensor "w": its storage "1" is not in the archive',
  "storage-elsewhere": 'tensor "w": its storage "../../../etc/passwd" is not in the archive',
  complex: "has a torch.ComplexFloatStorage, a type that Lyceum does not have",
  quantised: "has a torch.QInt8Storage, a type that Lyceum does not have",
  "shared-beyond-bound": "its tensors take more than 4 times the bytes of the file",
  // Archives.
  bomb: 'its entry "a/data/0" is compressed (16310 bytes to 16777216), as torch.save never does',
  "overlapping-entries": "more than the file's 3117",
  "path-outside": "invalid relative path: ../../lyceum-was-here",
  "path-absolute": "absolute path: /tmp/lyceum-was-here",
  "path-backslash": "invalid characters in fileName: a\\..\\..\\x",
  "duplicate-entry": 'its entry "state-dict/data/0" is there twice',
  "encrypted-entry": 'its entry "state-dict/data.pkl" is encrypted',
  "flipped-bit": "is damaged: its entry state-dict/data/0 is not what was written, by its CRC-32",
  "entry-beyond-file": "lists what would lie beyond its end",
  "directory-beyond-numbers": "lists what would lie beyond its end",
  "no-directory": "End of central directory record signature not found",
  "two-pickles": "it has not one data.pkl in a folder",
  "no-pickle": "it has not one data.pkl in a folder",
  "empty-archive": "it has not one data.pkl in a folder",
  torchscript: "is a TorchScript archive, a program: save the state dict alone in PyTorch",
  "big-endian": 'its numbers are in the byte order "big", where only "little" can be read',
  // Other formats, and other contents.
  legacy:
    "is in the format of PyTorch before 1.6, which cannot be read here: load it in PyTorch and write it anew",
  tar: "is a tar archive, the format of PyTorch before 0.2",
  "bare-pickle": "is a bare pickle, no file of torch.save's",
  "no-archive": "End of central directory record signature not found",
  empty: "0 bytes are too few",
  "one-tensor": "holds one tensor, not a state dict",
  list: "holds a list, not a state dict",
  "no-tensors":
    "holds no state dict: neither tensors by name, nor one under state_dict, model_state_dict, model",
  "wrapped-too-often": "holds no state dict",
};

describe("hostile and broken files are refused by name", () => {
  let before: number;
  beforeAll(() => {
    before = settled().tensors;
  });
  afterAll(() => expect(settled().tensors).toBe(before));

  it.each(Object.entries(refusals))("%s: %s", async (name, message) => {
    const path = join(fixtures, "hostile", `${name}.pt`);
    const refused = expect(readWeightsFile(path)).rejects;
    await refused.toThrow(message);
    await refused.toThrow(`${path}: `);
  });

  it("and none of the folder is left out", () => {
    const files = readdirSync(join(fixtures, "hostile")).map((file) => file.replace(".pt", ""));
    expect(files.sort()).toEqual([...Object.keys(refusals), "shared-200-times"].sort());
  });

  it("but tensors may share a storage", async () => {
    using file = await readWeightsFile(join(fixtures, "hostile", "shared-200-times.pt"));
    expect(Object.keys(file.tensors)).toHaveLength(200);
    expect(file.tensors.w199!.tolist()).toEqual([0, 0, 0, 0]);
  });
});

describe("whatever bytes are changed or missing", () => {
  const whole = readFileSync(join(fixtures, "good", "checkpoint.pt"));
  const path = join(temporary, "changed.pt");
  const outcome = async (bytes: Uint8Array) => {
    writeFileSync(path, bytes);
    try {
      (await readWeightsFile(path))[Symbol.dispose]();
      return "read";
    } catch (error) {
      return error instanceof Error ? error.message : "no error";
    }
  };

  it("a truncated file is an error that names it", async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(whole.length - 1), async (length) => {
        expect(await outcome(whole.subarray(0, length))).toMatch(`${path}: `);
      }),
      { numRuns: 100 },
    );
  });

  it("a file with changed bytes is read, or is an error that names it", async () => {
    // The list of entries at the end says where everything is: half of the changes are made there.
    const list = whole.indexOf("PK\x01\x02", 0, "latin1");
    const place = fc.oneof(fc.nat(whole.length - 1), fc.integer({ min: list, max: whole.length - 1 }));
    const changes = fc.array(fc.tuple(place, fc.integer({ min: 0, max: 255 })), {
      minLength: 1,
      maxLength: 8,
    });
    await fc.assert(
      fc.asyncProperty(changes, async (changed) => {
        const bytes = Uint8Array.from(whole);
        for (const [at, value] of changed) bytes[at] = value;
        const found = await outcome(bytes);
        if (found !== "read") expect(found).toMatch(`${path}: `);
      }),
      { numRuns: 200 },
    );
  });
});
