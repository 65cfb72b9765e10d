/** The library under the tensors: its version, threads and devices. */
import { native } from "./native.js";

/** The version of libtorch, such as "1.13.0". */
export function version(): string {
  return native.version();
}

/** libtorch's own account of how it was built. */
export function buildSettings(): string {
  return native.buildSettings();
}

/** How many threads an operator may use. */
export function getNumThreads(): number {
  return native.numThreads();
}

/** @throws TypeError outside 1 … 1024 */
export function setNumThreads(threads: number): void {
  native.setNumThreads(threads);
}

/** Live tensors that JavaScript holds, and their bytes. */
export function memoryStats(): { tensors: number; bytes: number } {
  return native.memory();
}
