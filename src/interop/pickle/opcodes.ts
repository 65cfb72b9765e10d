import type { Machine } from "./machine.js";
import { Dict, List, Named, Tuple, type Value } from "./values.js";

/** An instruction of a pickle, by the name that Python's `pickletools` gives it. */
interface Opcode {
  name: string;
  run(machine: Machine): void;
}

/** The opcode that ends a pickle. */
export const STOP = 0x2e;

/**
 * The opcodes that state dicts are made of, by their bytes: those that Python writes with the protocols 2 to 5. They make
 * plain data; what would call something goes through the machine's `meaning`.
 */
export const opcodes: ReadonlyMap<number, Opcode> = new Map<number, Opcode>([
  [0x80, { name: "PROTO", run: ({ bytes }) => checkProtocol(bytes.uint8()) }],
  // A frame only says how many bytes to fetch at once.
  [0x95, { name: "FRAME", run: ({ bytes }) => void bytes.length64() }],

  ...constant("N", "NONE", null),
  ...constant(0x88, "NEWTRUE", true),
  ...constant(0x89, "NEWFALSE", false),
  ...value("K", "BININT1", ({ bytes }) => bytes.uint8()),
  ...value("M", "BININT2", ({ bytes }) => bytes.uint16()),
  ...value("J", "BININT", ({ bytes }) => bytes.int32()),
  ...value(0x8a, "LONG1", ({ bytes }) => bytes.integer(bytes.uint8())),
  ...value("G", "BINFLOAT", ({ bytes }) => bytes.float64()),
  ...value(0x8c, "SHORT_BINUNICODE", ({ bytes }) => bytes.text(bytes.uint8())),
  ...value("X", "BINUNICODE", ({ bytes }) => bytes.text(bytes.uint32())),
  ...value(0x8d, "BINUNICODE8", ({ bytes }) => bytes.text(bytes.length64())),
  ...value("C", "SHORT_BINBYTES", ({ bytes }) => bytes.take(bytes.uint8())),
  ...value("B", "BINBYTES", ({ bytes }) => bytes.take(bytes.uint32())),
  ...value(0x8e, "BINBYTES8", ({ bytes }) => bytes.take(bytes.length64())),

  ...value("]", "EMPTY_LIST", () => new List()),
  ...value("}", "EMPTY_DICT", () => new Dict()),
  ...value(")", "EMPTY_TUPLE", () => new Tuple([])),
  ...value("t", "TUPLE", (machine) => new Tuple(machine.popToMark())),
  ...does(0x85, "TUPLE1", (machine) => machine.pushTuple(1)),
  ...does(0x86, "TUPLE2", (machine) => machine.pushTuple(2)),
  ...does(0x87, "TUPLE3", (machine) => machine.pushTuple(3)),
  ...does("(", "MARK", (machine) => machine.mark()),
  ...does("a", "APPEND", (machine) => machine.append([machine.pop()])),
  ...does("e", "APPENDS", (machine) => machine.append(machine.popToMark())),
  ...does("s", "SETITEM", (machine) => machine.setItems([machine.pop(), machine.pop()].reverse())),
  ...does("u", "SETITEMS", (machine) => machine.setItems(machine.popToMark())),
  ...does("0", "POP", (machine) => void machine.pop()),

  ...does("q", "BINPUT", (machine) => machine.remember(machine.bytes.uint8())),
  ...does("r", "LONG_BINPUT", (machine) => machine.remember(machine.bytes.uint32())),
  ...does(0x94, "MEMOIZE", (machine) => machine.remember()),
  ...does("h", "BINGET", (machine) => machine.recall(machine.bytes.uint8())),
  ...does("j", "LONG_BINGET", (machine) => machine.recall(machine.bytes.uint32())),

  ...value("c", "GLOBAL", ({ bytes, meaning }) => meaning.named(`${bytes.line()}.${bytes.line()}`)),
  ...value(0x93, "STACK_GLOBAL", (machine) => {
    const [name, module] = [machine.pop(), machine.pop()];
    if (typeof name !== "string" || typeof module !== "string") throw new Error("names a class by no text");
    return machine.meaning.named(`${module}.${name}`);
  }),
  ...value("R", "REDUCE", (machine) => {
    const [args, callable] = [machine.pop(), machine.pop()];
    if (!(callable instanceof Named) || !(args instanceof Tuple))
      throw new Error("calls what is no function");
    machine.handOver(args.items);
    return machine.meaning.call(callable, args.items);
  }),
  ...value("Q", "BINPERSID", (machine) => machine.meaning.persistent(machine.pop())),
  ...does("b", "BUILD", (machine) => {
    // The attributes of an OrderedDict: `_metadata` in every state dict, which says the versions of layers.
    machine.pop();
    if (!(machine.top() instanceof Dict)) throw new Error("gives attributes to what is no dict (BUILD)");
  }),
]);

/** The other opcodes of Python, which no state dict needs, for messages. */
const refused: ReadonlyMap<number, string> = new Map(
  Object.entries({
    "(": "MARK",
    "1": "POP_MARK",
    "2": "DUP",
    F: "FLOAT",
    I: "INT",
    L: "LONG",
    P: "PERSID",
    S: "STRING",
    T: "BINSTRING",
    U: "SHORT_BINSTRING",
    V: "UNICODE",
    d: "DICT",
    g: "GET",
    l: "LIST",
    p: "PUT",
    "\x81": "NEWOBJ",
    "\x82": "EXT1",
    "\x83": "EXT2",
    "\x84": "EXT4",
    "\x8b": "LONG4",
    "\x8f": "EMPTY_SET",
    "\x90": "ADDITEMS",
    "\x91": "FROZENSET",
    "\x92": "NEWOBJ_EX",
    "\x96": "BYTEARRAY8",
    "\x97": "NEXT_BUFFER",
    "\x98": "READONLY_BUFFER",
    i: "INST",
    o: "OBJ",
  }).map(([byte, name]) => [byte.charCodeAt(0), name]),
);

/**
 * Says why an opcode is refused that is none of {@link opcodes}.
 *
 * @param machine stands right behind the opcode; INST is followed by the name of a class, which must be refused by it
 */
export function refuse(code: number, machine: Machine): Error {
  const name = refused.get(code);
  if (name === undefined) return new Error(`0x${code.toString(16).padStart(2, "0")} is no opcode`);
  if (name !== "INST") return new Error(`state dicts need no ${name}`);
  try {
    const { bytes } = machine;
    return new Error(`would make an object of ${bytes.line()}.${bytes.line()} (INST)`);
  } catch (error) {
    return error as Error;
  }
}

type Code = number | string;

function does(code: Code, name: string, run: (machine: Machine) => void): [number, Opcode][] {
  return [[typeof code === "number" ? code : code.charCodeAt(0), { name, run }]];
}

function value(code: Code, name: string, make: (machine: Machine) => Value): [number, Opcode][] {
  return does(code, name, (machine) => machine.push(make(machine)));
}

function constant(code: Code, name: string, made: Value): [number, Opcode][] {
  return value(code, name, () => made);
}

function checkProtocol(protocol: number): void {
  if (protocol < 2 || protocol > 5) throw new Error(`is of protocol ${protocol}, where 2 to 5 can be read`);
}
