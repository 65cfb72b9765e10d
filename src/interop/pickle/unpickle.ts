/**
 * Reads pickles, Python's own format for objects, without running anything. A pickle is a program for a small stack
 * machine, and Python's reader calls whatever function it names. This one makes plain data, and leaves names and calls
 * to a {@link Meaning} that knows a short list of them.
 */
import { Machine, type Meaning } from "./machine.js";
import { opcodes, refuse, STOP } from "./opcodes.js";
import type { Value } from "./values.js";

/** In bytes; a state dict takes about a hundred for a tensor. */
const LONGEST = 2 ** 24;
/** The most instructions; a state dict takes about thirty for a tensor. */
const MOST_STEPS = 2 ** 21;

/**
 * Reads one pickle. It takes memory in proportion to its bytes, whatever stands in it; values may contain themselves.
 *
 * @throws Error that says what is wrong, and at which byte
 */
export function unpickle(bytes: Uint8Array, meaning: Meaning): Value {
  if (bytes.length > LONGEST)
    throw new Error(`its pickle has ${bytes.length} bytes, but at most ${LONGEST} are read`);
  const machine = new Machine(bytes, meaning);
  for (let steps = 0; steps < MOST_STEPS; steps++) {
    const at = machine.bytes.position;
    if (machine.bytes.atEnd) throw new Error(`its pickle ends at byte ${at} without an end`);
    const code = machine.bytes.uint8();
    try {
      if (code === STOP) return machine.result();
      const opcode = opcodes.get(code);
      if (!opcode) throw refuse(code, machine);
      opcode.run(machine);
    } catch (cause) {
      throw new Error(`its pickle, at byte ${at}: ${(cause as Error).message}`, { cause });
    }
  }
  throw new Error(`its pickle has more than ${MOST_STEPS} instructions`);
}
