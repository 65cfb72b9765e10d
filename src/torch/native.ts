/**
 * The functions of the native addon: the only door to libtorch. The addon is loaded when one of them is first asked
 * for, so that importing Lyceum, reading a recipe or printing help needs no libtorch and does not wait for it.
 */
import { loadAddon } from "./addon.js";

/** A parameter of an operator, as its schema describes it. */
export interface ParameterInfo {
  name: string;
  type: string;
  keywordOnly: boolean;
  /** Whether the bridge can pass values of this kind: not dictionaries and TorchScript classes. */
  carried: boolean;
  /** Whether the operator writes to it, as `add_` does to `self`. */
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
 * Tensors and generators are handles: indices into tables of the addon, 0 for none. The handle of a tensor is even
 * where the tensor keeps little alive, a small block of memory and no graph, and odd elsewhere.
 */
export interface Native {
  resolve(name: string, overload: string): number;
  schema(id: number): OperatorInfo;
  operators(): string[];
  // biome-ignore lint/suspicious/noExplicitAny: the dispatcher takes and gives values of every kind
  call(id: number, ...args: any[]): any;
  // biome-ignore lint/suspicious/noExplicitAny: as above
  callAsync(id: number, ...args: any[]): Promise<any>;

  /** Frees the first `count` of the handles. */
  release(handles: Int32Array, count: number): void;
  releaseOne(handle: number): void;
  /**
   * Lets the tensor live as long as the object does, and tells V8 how much memory the tensor keeps alive. Returns
   * whether it is time to collect young objects and to sweep.
   */
  leaveToCollector(handle: number, object: object): boolean;
  /** Lets the first `count` tensors live as long as the one object does (unscoped.ts); otherwise as leaveToCollector. */
  leaveGroup(handles: Int32Array, count: number, object: object): boolean;
  takeFromCollector(handle: number): void;
  /**
   * Frees tensors whose objects were collected: looks at those made lately and at some older ones, or at all.
   * Returns the objects given to leaveGroup that live on, and forgets them: their tensors must be left to the
   * collector anew.
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
  copyOut(handle: number, into: ArrayBufferView): void;
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
  exitAtSecondSignal(file: number, words: string, echo: number): boolean;
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

/** What is there only in a build with Gloo. Groups and averagers are numbers, as tensors are. */
export interface NativeDistributed {
  joinGroup(
    rank: number,
    size: number,
    host: string,
    port: number,
    holdsStore: boolean,
    agentStore: boolean,
    prefix: string,
    address: string,
    networkInterface: string,
    storeAddress: string,
    timeoutSeconds: number,
  ): Promise<number>;
  cancelJoining(): void;
  groupRun(group: number, action: number, tensor: number, parameter: number): Promise<number>;
  groupRunNow(group: number, action: number, tensor: number, parameter: number): number;
  groupSum(group: number, tensor: number): number;
  groupExchange(group: number, key: string, text: string): Promise<string[]>;
  groupLeave(group: number): Promise<void>;
  createAverager(group: number, tensors: number[], bucketBytes: number): number;
  disposeAverager(averager: number): void;
  averagerBegin(averager: number, notes: readonly number[]): void;
  /** Seconds of waiting and of running, then each rank's notes in turn. */
  averagerFinish(averager: number): Promise<number[]>;
  averagerFinishNow(averager: number): number[];
  hasNccl(): boolean;
}

/**
 * Stands behind {@link native} as its prototype, which is asked for whatever the object does not have itself:
 * before the addon is loaded that is everything. Loading makes the addon's functions properties of the object, so
 * that from then on a call costs what a call of any object's function costs, without a test of whether the addon is
 * there.
 */
const loader = new Proxy(
  {},
  {
    get(_, name) {
      // What inspects a value asks for symbols; that is no use of the addon.
      if (typeof name === "symbol") return undefined;
      const addon = loadAddon();
      Object.defineProperties(native, Object.getOwnPropertyDescriptors(addon));
      return Reflect.get(addon, name);
    },
  },
);

/**
 * The addon's functions.
 *
 * @throws Error at each use while the addon is missing or cannot be loaded, see {@link loadAddon}
 */
export const native: Native = Object.create(loader);

/** The functions of a build with CUDA; undefined in any other. */
export function nativeCuda(): NativeCuda | undefined {
  const all = native as Native & Partial<NativeCuda>;
  return all.createGraph ? (all as Native & NativeCuda) : undefined;
}

/** The functions of a build with Gloo; undefined in any other. */
export function nativeDistributed(): NativeDistributed | undefined {
  const all = native as Native & Partial<NativeDistributed>;
  return all.joinGroup ? (all as Native & NativeDistributed) : undefined;
}
