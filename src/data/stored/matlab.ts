/**
 * Reads the one MATLAB file that ILSVRC2012 needs, `meta.mat` of its development kit: an array of structures whose fields are
 * numbers and texts, in the file format of level 5 (MathWorks, "MAT-File Format", 2023).
 */
import { inflateSync } from "node:zlib";

/** A structure's fields: the first number of a numeric one, or its text; others are left out. */
export type MatlabStructure = Readonly<Record<string, number | string>>;

const types = { int8: 1, uint8: 2, int16: 3, uint16: 4, int32: 5, uint32: 6, single: 7, double: 9 } as const;
const matrix = 14;
const compressed = 15;
const utf8 = 16;
const structureClass = 2;
const charClass = 4;
/** The kit's own file is 0.5 MB unpacked. */
const mostBytes = 1 << 26;

interface Element {
  readonly type: number;
  readonly data: Buffer;
  /** Where the next one begins. */
  readonly next: number;
}

/**
 * Reads the structures of the first array of structures in a file.
 *
 * @throws Error when it is no such file, or damaged
 */
export function readMatlabStructures(file: Buffer): MatlabStructure[] {
  if (file.length < 128 || file.toString("latin1", 126, 128) !== "IM")
    throw new Error("is no MATLAB file of level 5 in little-endian order");
  for (let position = 128; position < file.length; ) {
    const element = elementAt(file, position);
    position = element.next;
    const inner =
      element.type === compressed
        ? elementAt(inflateSync(element.data, { maxOutputLength: mostBytes }), 0)
        : element;
    if (inner.type !== matrix) continue;
    const found = structuresOf(inner.data);
    if (found) return found;
  }
  throw new Error("holds no array of structures");
}

function elementAt(bytes: Buffer, position: number): Element {
  if (position + 8 > bytes.length) throw new Error("is cut short");
  const tag = bytes.readUInt32LE(position);
  // A small element has its size beside its type, and its data in the tag.
  const small = tag >>> 16;
  if (small > 4) throw new Error("is damaged");
  const type = small ? tag & 0xffff : tag;
  const size = small || bytes.readUInt32LE(position + 4);
  const start = position + (small ? 4 : 8);
  if (start + size > bytes.length) throw new Error("is cut short");
  const whole = small ? 8 : 8 + (type === compressed ? size : Math.ceil(size / 8) * 8);
  return { type, data: bytes.subarray(start, start + size), next: position + whole };
}

/** Gives the structures of a matrix; undefined where it holds something else. */
function structuresOf(data: Buffer): MatlabStructure[] | undefined {
  const flags = elementAt(data, 0);
  const dimensions = elementAt(data, flags.next);
  const name = elementAt(data, dimensions.next);
  if ((flags.data[0] ?? 0) !== structureClass) return undefined;
  const longest = elementAt(data, name.next);
  const names = elementAt(data, longest.next);
  const width = longest.data.readInt32LE(0);
  if (width < 1 || names.data.length % width !== 0) throw new Error("is damaged");
  const fields = Array.from({ length: names.data.length / width }, (_, i) =>
    names.data.toString("latin1", i * width, (i + 1) * width).replace(/\0.*$/s, ""),
  );
  const structures: MatlabStructure[] = [];
  let position = names.next;
  while (position < data.length && fields.length > 0) {
    const structure: Record<string, number | string> = Object.create(null);
    for (const field of fields) {
      const element = elementAt(data, position);
      position = element.next;
      const value = element.type === matrix && element.data.length > 0 ? valueIn(element.data) : undefined;
      if (value !== undefined) structure[field] = value;
    }
    structures.push(structure);
  }
  return structures;
}

/** Gives a matrix's text or its first number. */
function valueIn(data: Buffer): number | string | undefined {
  const flags = elementAt(data, 0);
  const dimensions = elementAt(data, flags.next);
  const name = elementAt(data, dimensions.next);
  if (name.next >= data.length) return undefined;
  const { type, data: values } = elementAt(data, name.next);
  if (flags.data[0] === charClass)
    return values.toString(type === utf8 || type === types.uint8 ? "utf8" : "utf16le");
  if (values.length === 0) return undefined;
  switch (type) {
    case types.int8:
      return values.readInt8(0);
    case types.uint8:
      return values.readUInt8(0);
    case types.int16:
      return values.readInt16LE(0);
    case types.uint16:
      return values.readUInt16LE(0);
    case types.int32:
      return values.readInt32LE(0);
    case types.uint32:
      return values.readUInt32LE(0);
    case types.single:
      return values.readFloatLE(0);
    case types.double:
      return values.readDoubleLE(0);
    default:
      return undefined;
  }
}
