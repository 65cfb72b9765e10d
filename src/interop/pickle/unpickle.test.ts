import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Meaning } from "./machine.js";
import { unpickle } from "./unpickle.js";
import { Dict, List, Tuple, type Value } from "./values.js";

const refuse = (what: unknown) => {
  throw new Error(`refused ${String(what)}`);
};
const nothing: Meaning = { named: refuse, call: refuse, persistent: refuse };

const bytes = (...parts: (string | number[])[]) =>
  Uint8Array.from(Buffer.concat(parts.map((part) => Buffer.from(part as string, "latin1"))));
const read = (...parts: (string | number[])[]) => unpickle(bytes("\x80\x02", ...parts, "."), nothing);

/** As plain JavaScript. */
const plain = (value: Value): unknown => {
  if (value instanceof Tuple || value instanceof List) return value.items.map(plain);
  if (value instanceof Dict) return [...value.entries].map(([key, inner]) => [plain(key), plain(inner)]);
  return value;
};

describe("plain data, by pickletools' names of opcodes", () => {
  it.each([
    ["NONE", "N", null],
    ["NEWTRUE", "\x88", true],
    ["NEWFALSE", "\x89", false],
    ["BININT1", "K\xff", 255],
    ["BININT2", "M\x01\x02", 513],
    ["BININT", "J\xfe\xff\xff\xff", -2],
    ["LONG1 of no bytes", "\x8a\x00", 0],
    ["LONG1", "\x8a\x02\xff\x7f", 32767],
    ["LONG1 below 0", "\x8a\x01\x80", -128],
    ["LONG1 beyond 2^53", "\x8a\x08\x01\x00\x00\x00\x00\x00\x20\x00", 2n ** 53n + 1n],
    ["BINFLOAT", "G\x3f\xe0\x00\x00\x00\x00\x00\x00", 0.5],
    ["BINUNICODE", "X\x02\x00\x00\x00\xc3\xa9", "é"],
    ["SHORT_BINUNICODE", "\x8c\x01a", "a"],
    ["BINUNICODE8", "\x8d\x01\x00\x00\x00\x00\x00\x00\x00a", "a"],
    ["SHORT_BINBYTES", "C\x02\x00\xff", Uint8Array.of(0, 255)],
    ["TUPLE", "(K\x01K\x02K\x03K\x04t", [1, 2, 3, 4]],
    ["TUPLE3", "K\x01K\x02K\x03\x87", [1, 2, 3]],
    ["EMPTY_TUPLE", ")", []],
    ["APPEND and APPENDS", "]K\x01a(K\x02K\x03e", [1, 2, 3]],
    [
      "SETITEM and SETITEMS",
      "}K\x01K\x02s(K\x03K\x04u",
      [
        [1, 2],
        [3, 4],
      ],
    ],
    ["BINPUT and BINGET", "K\x07q\x00h\x00\x86", [7, 7]],
    ["MEMOIZE and LONG_BINGET", "K\x07\x94j\x00\x00\x00\x00\x86", [7, 7]],
    ["FRAME", "\x95\x02\x00\x00\x00\x00\x00\x00\x00K\x01", 1],
    ["POP", "K\x01K\x020", 1],
  ])("%s", (_, program, expected) => {
    expect(plain(read(program))).toEqual(expected);
  });
});

describe("memory and stack are bounded", () => {
  const many = (byte: string, count: number) => byte.repeat(count);
  it.each([
    ["a stack", many("N", 2 ** 20 + 1), "holds more than 1048576 values at a time"],
    ["marks", many("(", 2 ** 20 + 1), "opens more than 1048576 marks"],
    ["instructions", `]${many("N0", 2 ** 20)}`, "its pickle has more than 2097152 instructions"],
    ["bytes", many("N", 2 ** 24), "its pickle has 16777219 bytes, but at most 16777216 are read"],
  ])("%s", (_, program, message) => {
    expect(() => read(program)).toThrow(message);
  });

  it("lists within lists take no stack of JavaScript's", () => {
    const depth = 2 ** 18;
    expect(read(many("]", depth), many("a", depth - 1))).toBeInstanceOf(List);
  });
});

it("any bytes give a value or an error", () => {
  // Opcodes are likelier than other bytes, so that programs get further than their first step.
  const opcode = fc.constantFrom(
    ...Buffer.from("NKMJGX]}()taesuqhcRQb0.\x80\x85\x86\x87\x88\x8a\x8c\x93\x94\x95", "latin1"),
  );
  const byte = fc.oneof({ weight: 3, arbitrary: opcode }, fc.integer({ min: 0, max: 255 }));
  fc.assert(
    fc.property(fc.array(byte, { maxLength: 60 }), (program) => {
      try {
        unpickle(Uint8Array.from(program), nothing);
      } catch (error) {
        expect((error as Error).message).toMatch(/^its pickle/);
      }
    }),
    { numRuns: 2000 },
  );
});
