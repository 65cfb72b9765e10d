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

/**
 * Makes a second SIGINT or SIGTERM end the process at once, with code 130, while an operator runs too: JavaScript hears of
 * signals only between operators. At the first one the words are written, and Node hears of it as ever: a program that
 * does not listen to it ends by it.
 *
 * @param file the number of the file that the words are written to, such as 1 for the standard output
 * @param words at most 512 bytes
 * @param echo milliseconds within which a signal counts as the first one's echo
 * @returns false where that cannot be done
 */
export function exitAtSecondSignal(file: number, words: string, echo: number): boolean {
  return native.exitAtSecondSignal(file, words, echo);
}

/** Says which instruction set Lyceum's own kernels use: "avx512", "avx2" or "none". */
export function isa(): string {
  return op("lyceum::isa") as string;
}
