/** The native addon, loaded once: the only door to libtorch. */
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import { physicalCores } from "./cores.js";

/** An operator's parameter as its schema gives it. */
export interface ParameterInfo {
  name: string;
  type: string;
  keywordOnly: boolean;
  /** False for kinds that the bridge cannot pass (dictionaries, TorchScript classes). */
  carried: boolean;
  /** Written to by the operator (`self` of `add_`). */
  written: boolean;
  default?: string;
}

export interface OperatorInfo {
  text: string;
  parameters: ParameterInfo[];
  results: string[];
  returnsArguments: boolean;
}

/**
 * Tensors and generators are handles: indices into tables of the addon, 0 for none. A tensor's is even where little hangs
 * on it: a small block of memory, no graph.
 */
export interface Native {
  resolve(name: string, overload: string): number;
  schema(id: number): OperatorInfo;
  operators(): string[];
  // biome-ignore lint/suspicious/noExplicitAny: the dispatcher takes and gives values of every kind
  call(id: number, ...args: any[]): any;
  // biome-ignore lint/suspicious/noExplicitAny: as above
  callAsync(id: number, ...args: any[]): Promise<any>;

  /** The first `count` of the handles. */
  release(handles: Int32Array, count: number): void;
  releaseOne(handle: number): void;
  /**
   * Lets the tensor live as long as the object does, and tells V8 of the memory that hangs on it. Returns whether it is
   * time to collect young objects and to sweep.
   */
  leaveToCollector(handle: number, object: object): boolean;
  /** The same of the first `count` tensors together. */
  leaveLitter(handles: Int32Array, count: number, object: object): boolean;
  takeFromCollector(handle: number): void;
  /**
   * Frees tensors whose objects were collected: looks at the young and at some older ones, or at all. Returns the objects
   * of litters that live on, and forgets these: their members must be left anew.
   */
  sweep(all: boolean): object[] | undefined;
  shape(handle: number): number[];
  strides(handle: number): number[];
  dtype(handle: number): string;
  device(handle: number): string;
  numel(handle: number): number;
  isContiguous(handle: number, memoryFormat: string): boolean;
  fromBytes(data: ArrayBufferView, dtype: string, shape: readonly number[]): number;
  fromShared(data: ArrayBufferView, dtype: string, shape: readonly number[]): number;
  read(handle: number, into: ArrayBufferView): void;
  memory(): { tensors: number; bytes: number };

  requiresGrad(handle: number): boolean;
  setRequiresGrad(handle: number, on: boolean): void;
  grad(handle: number): number;
  setGrad(handle: number, gradient: number): void;
  backward(outputs: number[], gradients: number[], retainGraph: boolean): void;
  gradient(
    outputs: number[],
    inputs: number[],
    gradients: number[],
    retainGraph: boolean,
    createGraph: boolean,
  ): number[];
  setGradMode(on: boolean): boolean;
  enterInference(): void;
  leaveInference(): void;

  createGenerator(device: string): number;
  disposeGenerator(handle: number): void;
  seedGenerator(handle: number, seed: number): void;
  generatorState(handle: number): number;
  setGeneratorState(handle: number, state: number): void;

  version(): string;
  buildSettings(): string;
  cudaAvailable(): boolean;
  setCudnn(benchmark: boolean, deterministic: boolean, allowTF32: boolean): void;
  numThreads(): number;
  setNumThreads(threads: number): void;
  keepLargeBlocks(): boolean;
  keepSmallBlocks(): boolean;
}

/** What is there only in a build for a libtorch with CUDA, beside CUDA's headers. */
export interface NativeCuda {
  cudaDevice(device: string): { name: string; free: number; total: number };
  cudaSynchronize(device: string): void;
  createGraph(device: string): number;
  disposeGraph(graph: number): void;
  enterGraph(graph: number): void;
  leaveGraph(graph: number): void;
  beginRecording(graph: number): void;
  endRecording(graph: number): void;
  replayGraph(graph: number): void;
}

/** Where the addon is: `$LYCEUM_NATIVE`, else what `setup` built in the package's folder. */
export function nativePath(): string {
  // The same relative path from src/torch and from dist/chunks (bundle.mjs).
  return (
    process.env.LYCEUM_NATIVE ?? fileURLToPath(new URL("../../build/native/lyceum.node", import.meta.url))
  );
}

/**
 * OpenMP's threads wait for each other at the end of every loop. By default GNU's spin for milliseconds, and when
 * another program takes one core away, the other spins in vain: a step then takes ten times as long. Spinning briefly
 * and then sleeping costs little when the machine is quiet. Read by the runtime when the addon brings it in.
 */
function waitPatiently(): void {
  if (!process.env.OMP_WAIT_POLICY) process.env.GOMP_SPINCOUNT ??= "3000";
}

/**
 * A thread for each core, unless the environment says otherwise. By the environment, since libtorch starts a second pool of
 * threads when it is told later, which spin against the first for milliseconds.
 *
 * @returns how many threads are wanted; a worker's settings of the environment do not reach libtorch
 */
function chooseThreads(): number | undefined {
  if (process.env.OMP_NUM_THREADS) return undefined;
  const threads = physicalCores();
  process.env.OMP_NUM_THREADS = String(threads);
  return threads;
}

function load(): Native {
  const path = nativePath();
  waitPatiently();
  const threads = chooseThreads();
  if (!existsSync(path)) {
    throw new Error(
      `${path} does not exist: run ./setup, which builds it, or let LYCEUM_NATIVE name the built file`,
    );
  }
  try {
    const addon = createRequire(import.meta.url)(path) as Native;
    if (threads !== undefined) addon.setNumThreads(threads);
    return addon;
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    if (reason.includes("LYCEUM_ISA")) throw cause;
    throw new Error(
      `${path} cannot be loaded (${reason}): run ./setup again, it builds for the libtorch at hand`,
      {
        cause,
      },
    );
  }
}

export const native: Native = load();

/** Undefined in a build without CUDA. */
export const nativeCuda: NativeCuda | undefined =
  "createGraph" in native ? (native as Native & NativeCuda) : undefined;

// Before the first tensor is made.
native.keepLargeBlocks();
// With LYCEUM_SMALL_BLOCKS=0 they are malloc's, whose checks and tools find operators that write past their memory.
if (process.env.LYCEUM_SMALL_BLOCKS !== "0") native.keepSmallBlocks();
