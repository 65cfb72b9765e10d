/** Asks and sets up CUDA devices, as far as the build can. */
import { native, nativeCuda } from "./native.js";
import type { Device } from "./types.js";

/** Whether libtorch has CUDA and there is a card. */
export function cudaAvailable(): boolean {
  return native.cudaAvailable();
}

/** A card's name and its memory in bytes; undefined where the build cannot ask it. */
export function cudaDevice(device: Device): { name: string; free: number; total: number } | undefined {
  return nativeCuda()?.cudaDevice(device);
}

/** The free memory that a card is taken to have where the build cannot ask it, in bytes. */
const modestCard = 4 * 2 ** 30;

/** The bytes that are free on a CUDA device. */
export function freeMemory(device: Device): number {
  return cudaDevice(device)?.free ?? modestCard;
}

/**
 * Says how cuDNN chooses its convolutions. With `benchmark` it tries them and takes the fastest, with
 * `deterministic` only those that give the same bits every time; TF32 multiplies float32 in 10 bits. libtorch's
 * defaults: no, no, yes.
 */
export function setCudnn(options: { benchmark: boolean; deterministic: boolean; allowTF32: boolean }): void {
  native.setCudnn(options.benchmark, options.deterministic, options.allowTF32);
}
