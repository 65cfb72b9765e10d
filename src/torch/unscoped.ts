/**
 * Tensors that no scope owns. Each lives until the garbage collector has taken its object. A program that makes many of
 * them runs the collector now and then, and after it a sweep, which frees the memory of the tensors that it took.
 */
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { native } from "./native.js";

/** A tensor that no scope owns. */
interface Unscoped {
  handle: number;
  group: WeakGroup | undefined;
  /** The tensor that joined the group before this one. */
  older: Unscoped | undefined;
}

/**
 * Small tensors made one after the other, which refer to each other through the group. The collector takes them all
 * at once, so one weak reference, to the group, tells that all of them are gone; a reference for each would cost
 * more than a small operator. The first sweep that finds a group alive dissolves it and gives each member a
 * reference of its own.
 *
 * The members form a linked list rather than an array: when many arrays have lived long, V8 allocates later ones
 * among its old objects, whose members only a full collection takes.
 */
export class WeakGroup {
  size = 0;
  newest: Unscoped | undefined = undefined;
}

const groupSize = 16;
let group = new WeakGroup();
const handles = new Int32Array(groupSize);
let held = 0;

/** Leaves a tensor to the garbage collector. */
export function leaveToCollector(tensor: Unscoped): void {
  if (!watching) watchCollections();
  // The bridge gives odd handles to tensors that hold much memory, which must not wait for others.
  const due = tensor.handle & 1 ? native.leaveToCollector(tensor.handle, tensor) : join(tensor);
  if (due && held === 0 && collectYoung()) sweep(false);
}

/** @returns whether it is time to collect and sweep */
function join(tensor: Unscoped): boolean {
  tensor.group = group;
  tensor.older = group.newest;
  group.newest = tensor;
  group.size++;
  return group.size === groupSize && closeGroup();
}

/** Gives the present group its weak reference and begins another one. */
function closeGroup(): boolean {
  const closed = group;
  group = new WeakGroup();
  let count = 0;
  for (let tensor = closed.newest; tensor; tensor = tensor.older) handles[count++] = tensor.handle;
  return native.leaveGroup(handles, count, closed);
}

/**
 * Frees the tensors whose objects were collected.
 *
 * @param all looks at every tensor; otherwise at those made since the last sweep and at some older ones
 */
export function sweep(all: boolean): void {
  if (all) closeGroup();
  for (const { newest } of (native.sweep(all) as WeakGroup[] | undefined) ?? []) {
    for (let tensor = newest; tensor; ) {
      const { handle, older } = tensor;
      tensor.group = undefined;
      tensor.older = undefined;
      // A handle of 0 was disposed of, or taken over by another tensor.
      if (handle !== 0) native.leaveToCollector(handle, tensor);
      tensor = older;
    }
  }
}

let minor: (() => void) | undefined;
let notBefore = 0;
// Bound here, so that a test that puts a clock of its own in performance's place does not stop collections.
const now = performance.now.bind(performance);

/** In milliseconds: a collection that other programs delayed must not keep the next one away for longer. */
const longestPause = 20;

/**
 * Collects V8's young objects, unless that would take more than a tenth of the time: one collection takes some 40
 * microseconds where few of them live, and more where many do.
 *
 * @returns whether it did
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

/**
 * V8 shows its collector to contexts that are made after it was told to. In an embedder that does not, collections are
 * left to V8.
 */
function findMinor(): () => void {
  setFlagsFromString("--expose-gc");
  const gc = runInNewContext("typeof gc === 'function' ? gc : () => {}") as (options: {
    type: "minor";
  }) => void;
  const options = { type: "minor" } as const;
  return () => gc(options);
}

/**
 * Runs `read`, which takes handles out of tensors, without a sweep meanwhile. A getter of an array may make
 * tensors, and a sweep would free those of which only the handle is left.
 */
export function withoutSweeping<T>(read: () => T): T {
  held++;
  try {
    return read();
  } finally {
    held--;
  }
}

// The last tensors of a program are followed by no others whose making would sweep them. The collection of an
// object that nobody holds tells that V8 has collected, and that it is time to look. Begun by the first tensor: a
// sweep loads the addon.
let watching = false;
const collections = new FinalizationRegistry<undefined>(() => {
  sweep(true);
  watchCollections();
});

function watchCollections(): void {
  watching = true;
  collections.register({}, undefined);
}
