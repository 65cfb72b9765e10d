/** Asks libtorch for its version, and sets its threads. */
import { op } from "./dispatch.js";
import { native } from "./native.js";

/** The version of libtorch, such as "1.13.0". */
export function version(): string {
  return native.version();
}

/** libtorch's own account of how it was built, several lines. */
export function buildSettings(): string {
  return native.buildSettings();
}

/** The number of threads that an operator may use. */
export function getNumThreads(): number {
  return native.numThreads();
}

/** Sets the number of threads that an operator may use. @throws TypeError outside 1 … 1024 */
export function setNumThreads(threads: number): void {
  native.setNumThreads(threads);
}

/** Counts the tensors that JavaScript holds, and the bytes of their memory. */
export function memoryStats(): { tensors: number; bytes: number } {
  return native.memory();
}

/** Says which instruction set Lyceum's own kernels use: "avx512", "avx2" or "none". */
export function isa(): string {
  return op("lyceum::isa") as string;
}
