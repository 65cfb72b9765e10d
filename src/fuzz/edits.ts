/** Ways to damage a file, as plain data, so that fast-check can draw, shrink and print them. */
import fc from "fast-check";

/** Where something is done in a file of any length: a fraction of it, or of its first bytes, where headers are. */
interface Place {
  /** From 0 to 1. */
  at: number;
  near: boolean;
}

/** One change of a file's bytes. */
export type Edit = Place &
  (
    | { way: "flip"; bit: number }
    | { way: "set"; byte: number }
    | { way: "cut" }
    | { way: "insert"; bytes: Uint8Array }
    | { way: "remove"; length: number }
    | { way: "repeat"; length: number; times: number }
    | { way: "swap"; other: number; length: number }
    | { way: "number"; width: 1 | 2 | 4 | 8; big: boolean; value: bigint }
    | { way: "word"; text: string }
    | { way: "line"; times: number }
  );

const headerBytes = 256;
/** No input becomes longer than this, however often parts of it are repeated. */
const mostBytes = 1 << 18;

const place = { at: fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true }), near: fc.boolean() };
const length = fc.oneof(fc.integer({ min: 1, max: 16 }), fc.integer({ min: 1, max: 1000 }));

/** Numbers at which readers of lengths and offsets go wrong. */
const numbers = fc.oneof(
  fc.constantFrom(0n, 1n, 2n, 7n, 0x7fn, 0x80n, 0xffn, 0x7fffn, 0x8000n, 0xffffn, 0x7fffffffn, 0x80000000n),
  fc.constantFrom(
    0xffffffffn,
    2n ** 32n,
    2n ** 40n,
    2n ** 53n - 1n,
    2n ** 53n,
    2n ** 63n - 1n,
    2n ** 63n,
    2n ** 64n - 1n,
  ),
  fc.bigInt({ min: 0n, max: 2n ** 16n }),
);

/** What stands for a number or a word in JSON and YAML. */
const words = fc.oneof(
  fc.constantFrom(
    ...[
      "0",
      "-1",
      "1e400",
      "-0",
      "NaN",
      "Infinity",
      ".nan",
      "-.inf",
      "99999999999999999999",
      "1e-400",
      "0x10",
      "1_000",
    ],
    ...[
      "null",
      "true",
      "~",
      "[]",
      "{}",
      "[[[]]]",
      '"__proto__"',
      "__proto__",
      "constructor",
      "toString",
      '""',
      "''",
    ],
    ...[
      '"../../outside"',
      "/etc/passwd",
      '"\\u0000"',
      '"\\ud800"',
      "*a",
      "&a",
      "!!binary",
      "<<",
      "---",
      "...",
      "- ",
      "? ",
      ":",
    ],
    ...[
      "<script>",
      "9".repeat(400),
      "x".repeat(2000),
      "[".repeat(300),
      "%",
      "@",
      "`",
      "#",
      "|",
      ">",
      "\t",
      "\r",
      "\ufeff",
    ],
  ),
  fc.string({ unit: "binary", maxLength: 8 }),
  fc.double().map(String),
);

const edit: fc.Arbitrary<Edit> = fc.oneof(
  fc.record({ ...place, way: fc.constant("flip" as const), bit: fc.nat(7) }),
  fc.record({ ...place, way: fc.constant("set" as const), byte: fc.nat(255) }),
  fc.record({ ...place, way: fc.constant("cut" as const) }),
  fc.record({
    ...place,
    way: fc.constant("insert" as const),
    bytes: fc.uint8Array({ minLength: 1, maxLength: 20 }),
  }),
  fc.record({ ...place, way: fc.constant("remove" as const), length }),
  fc.record({
    ...place,
    way: fc.constant("repeat" as const),
    length,
    times: fc.integer({ min: 1, max: 20 }),
  }),
  fc.record({ ...place, way: fc.constant("swap" as const), other: place.at, length }),
  fc.record({
    ...place,
    way: fc.constant("number" as const),
    width: fc.constantFrom(1 as const, 2 as const, 4 as const, 8 as const),
    big: fc.boolean(),
    value: numbers,
  }),
  fc.record({ ...place, way: fc.constant("word" as const), text: words }),
  fc.record({ ...place, way: fc.constant("line" as const), times: fc.integer({ min: 0, max: 3 }) }),
);

/** What becomes of one file: it is edited some times, or replaced by random bytes. */
export type Damage = { edits: Edit[] } | { bytes: Uint8Array };

export const damage: fc.Arbitrary<Damage> = fc.oneof(
  // One change alone is what most readers get furthest with.
  { weight: 8, arbitrary: edit.map((one) => ({ edits: [one] })) },
  { weight: 6, arbitrary: fc.array(edit, { minLength: 2, maxLength: 6 }).map((edits) => ({ edits })) },
  { weight: 1, arbitrary: fc.uint8Array({ maxLength: 600 }).map((bytes) => ({ bytes })) },
);

/** Damages a file. The bytes that are given stay as they are. */
export function damaged(bytes: Uint8Array, how: Damage): Uint8Array {
  if ("bytes" in how) return how.bytes;
  return how.edits.reduce<Buffer>((now, one) => edited(now, one), Buffer.from(bytes)).subarray(0, mostBytes);
}

function edited(bytes: Buffer, edit: Edit): Buffer {
  const reach = edit.near ? Math.min(bytes.length, headerBytes) : bytes.length;
  const at = Math.floor(edit.at * reach);
  const spliced = (end: number, ...parts: Uint8Array[]) =>
    Buffer.concat([bytes.subarray(0, at), ...parts, bytes.subarray(end)]);
  switch (edit.way) {
    case "flip":
      if (at < bytes.length) bytes[at]! ^= 1 << edit.bit;
      return bytes;
    case "set":
      if (at < bytes.length) bytes[at] = edit.byte;
      return bytes;
    case "cut":
      return bytes.subarray(0, at);
    case "insert":
      return spliced(at, edit.bytes);
    case "remove":
      return spliced(at + edit.length);
    case "repeat":
      return spliced(at, ...Array<Buffer>(edit.times).fill(bytes.subarray(at, at + edit.length)));
    case "swap": {
      const other = Math.floor(edit.other * bytes.length);
      const [a, b] = [Math.min(at, other), Math.max(at, other)];
      const length = Math.min(edit.length, b - a, bytes.length - b);
      const first = Buffer.from(bytes.subarray(a, a + length));
      bytes.copy(bytes, a, b, b + length);
      first.copy(bytes, b);
      return bytes;
    }
    case "number": {
      if (at + edit.width > bytes.length) return bytes;
      const digits = Array.from({ length: edit.width }, (_, i) =>
        Number((edit.value >> BigInt(8 * i)) & 0xffn),
      );
      bytes.set(edit.big ? digits.reverse() : digits, at);
      return bytes;
    }
    case "word": {
      // Latin-1 keeps bytes as they are, so that a word in a binary file is replaced as well.
      const found = /"(?:[^"\\\n]|\\.)*"|[-+\w.]+/.exec(bytes.toString("latin1", at, at + 4000));
      if (!found) return spliced(at, Buffer.from(edit.text));
      const start = at + found.index;
      return Buffer.concat([
        bytes.subarray(0, start),
        Buffer.from(edit.text),
        bytes.subarray(start + found[0].length),
      ]);
    }
    case "line": {
      const start = bytes.lastIndexOf(10, at) + 1;
      const next = bytes.indexOf(10, at);
      const end = next < 0 ? bytes.length : next + 1;
      const lines = Array<Buffer>(edit.times).fill(bytes.subarray(start, end));
      return Buffer.concat([bytes.subarray(0, start), ...lines, bytes.subarray(end)]);
    }
  }
}
