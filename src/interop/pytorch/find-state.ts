/** Finds the state dict in what a checkpoint holds. */
import { Dict, Foreign, type Value } from "../pickle/values.js";
import { TensorRecord } from "./records.js";

/** A state dict as the pickle describes it. */
export interface FoundState {
  tensors: Map<string, TensorRecord>;
  /** Sentences on what was left out or renamed, for people. */
  notes: string[];
}

/** The keys under which training programs keep the state dict in a checkpoint, in the order in which they are looked for. */
const wrappers = ["state_dict", "model_state_dict", "model", "net", "network"];
/** What DataParallel and torch.compile put before every name. */
const prefixes = ["module.", "_orig_mod."];
/** How many checkpoints may be wrapped in each other. */
const DEEPEST = 3;

/**
 * Takes the state dict out of a checkpoint, and the prefixes of wrappers off its names.
 *
 * @throws Error when there is none
 */
export function findState(root: Value): FoundState {
  const notes: string[] = [];
  let found = root;
  for (let depth = 0; ; depth++) {
    if (!(found instanceof Dict)) throw new Error(`holds ${kindOf(found)}, not a state dict`);
    const tensors = tensorsOf(found);
    if (tensors.size > 0) {
      const others = found.entries.size - tensors.size;
      if (others > 0)
        notes.push(
          `${others} ${others === 1 ? "entry is no tensor, and is" : "entries are no tensors, and are"} left out`,
        );
      return { tensors: withoutPrefixes(tensors, notes), notes };
    }
    const { entries }: Dict = found;
    const key = wrappers.find((wrapper) => entries.get(wrapper) instanceof Dict);
    if (key === undefined || depth === DEEPEST)
      throw new Error(`holds no state dict: neither tensors by name, nor one under ${wrappers.join(", ")}`);
    const others = [...entries.keys()]
      .filter((other) => other !== key)
      .map((other) => String(other).slice(0, 40));
    notes.push(
      `the state dict stands under ${JSON.stringify(key)}` +
        (others.length > 0
          ? `; left out: ${others.slice(0, 10).join(", ")}${others.length > 10 ? ", …" : ""}`
          : ""),
    );
    found = entries.get(key)!;
  }
}

function tensorsOf({ entries }: Dict): Map<string, TensorRecord> {
  const tensors = new Map<string, TensorRecord>();
  for (const [name, value] of entries) {
    if (typeof name === "string" && value instanceof Foreign && value.value instanceof TensorRecord)
      tensors.set(name, value.value);
  }
  return tensors;
}

function withoutPrefixes(tensors: Map<string, TensorRecord>, notes: string[]): Map<string, TensorRecord> {
  let named = [...tensors];
  for (let again = true; again; ) {
    const prefix = prefixes.find((each) => named.every(([name]) => name.startsWith(each)));
    again = prefix !== undefined;
    if (prefix === undefined) break;
    named = named.map(([name, tensor]) => [name.slice(prefix.length), tensor]);
    notes.push(`every name began with ${JSON.stringify(prefix)}, which is left out`);
  }
  return new Map(named);
}

function kindOf(value: Value): string {
  if (value instanceof Foreign) return value.value instanceof TensorRecord ? "one tensor" : "a storage";
  return value === null || typeof value !== "object" ? `the value ${String(value).slice(0, 40)}` : "a list";
}
