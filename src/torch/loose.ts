/**
 * Tensors outside any scope. Each lives until the garbage collector has taken its object. Those who make more of them
 * run it now and then, and the sweep that frees the memory of what it took.
 */
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { native } from "./native.js";

/** A tensor that no scope owns. */
interface Loose {
  handle: number;
  litter: Litter | undefined;
  /** Of its litter, the one that joined before it. */
  elder: Loose | undefined;
}

/**
 * Small tensors made one after the other, which hold each other: the collector takes them together, and one weak
 * reference tells so. A litter of which any lives on is broken up at the first sweep. (No array: V8 would learn from some
 * that live on to make later ones old, whose members it collects only with all that is old.)
 */
export class Litter {
  size = 0;
  youngest: Loose | undefined = undefined;
}

const litterSize = 16;
let litter = new Litter();
const handles = new Int32Array(litterSize);
let held = 0;

/** Leaves a tensor to the garbage collector. */
export function leave(tensor: Loose): void {
  // Odd where much hangs on it, which must not wait for others.
  const due = tensor.handle & 1 ? native.leaveToCollector(tensor.handle, tensor) : join(tensor);
  if (due && held === 0 && collectYoung()) sweep(false);
}

function join(tensor: Loose): boolean {
  tensor.litter = litter;
  tensor.elder = litter.youngest;
  litter.youngest = tensor;
  litter.size++;
  return litter.size === litterSize && closeLitter();
}

function closeLitter(): boolean {
  const closed = litter;
  litter = new Litter();
  let count = 0;
  for (let tensor = closed.youngest; tensor; tensor = tensor.elder) handles[count++] = tensor.handle;
  return native.leaveLitter(handles, count, closed);
}

/** Frees tensors whose objects were collected: looks at the young and at some older ones, or at all. */
export function sweep(all: boolean): void {
  if (all) closeLitter();
  for (const { youngest } of (native.sweep(all) as Litter[] | undefined) ?? []) {
    for (let tensor = youngest; tensor; ) {
      const { handle, elder } = tensor;
      tensor.litter = undefined;
      tensor.elder = undefined;
      // Not if it was disposed of, or its handle taken over.
      if (handle !== 0) native.leaveToCollector(handle, tensor);
      tensor = elder;
    }
  }
}

let minor: (() => void) | undefined;
let notBefore = 0;
// Tests may put a clock of their own in its place.
const now = performance.now.bind(performance);

/** Milliseconds; longer only if another program had the processor meanwhile. */
const longestPause = 20;

/**
 * Collects V8's young objects, unless it would take more than a tenth of the time: it takes some 40 µs where few of them
 * live, and more where many do. Returns whether it has.
 */
function collectYoung(): boolean {
  minor ??= findMinor();
  const start = now();
  if (start < notBefore) return false;
  minor();
  const end = now();
  notBefore = end + Math.min(9 * (end - start), longestPause);
  return true;
}

/** V8 shows its collector to contexts that are made after it was told to. Where it does not, it collects when it likes. */
function findMinor(): () => void {
  setFlagsFromString("--expose-gc");
  const gc = runInNewContext("typeof gc === 'function' ? gc : () => {}") as (options: {
    type: "minor";
  }) => void;
  const options = { type: "minor" } as const;
  return () => gc(options);
}

/**
 * Runs `read`, which takes handles out of tensors. An array's getter may make tensors there, and a sweep would free those
 * of which only the handle is left.
 */
export function withoutSweeping<T>(read: () => T): T {
  held++;
  try {
    return read();
  } finally {
    held--;
  }
}

// Should nobody make any more: the collection of a worthless object says that it is time to look.
const collections = new FinalizationRegistry<undefined>(() => {
  sweep(true);
  awaitCollection();
});

function awaitCollection(): void {
  collections.register({}, undefined);
}

awaitCollection();
