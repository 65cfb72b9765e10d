/** CUDA devices, as far as the build knows of them. */
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

/** What a card has at least, where the build cannot ask it. */
const modestCard = 4 * 2 ** 30;

/** Bytes that are free on a CUDA device. */
export function freeMemory(device: Device): number {
  return cudaDevice(device)?.free ?? modestCard;
}

/**
 * How cuDNN chooses its convolutions. `benchmark` tries them and takes the fastest, `deterministic` takes only those that
 * give the same bits every time; TF32 multiplies float32 in 10 bits. libtorch's defaults: no, no, yes.
 */
export function setCudnn(options: { benchmark: boolean; deterministic: boolean; allowTF32: boolean }): void {
  native.setCudnn(options.benchmark, options.deterministic, options.allowTF32);
}
