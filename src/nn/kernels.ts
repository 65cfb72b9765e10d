import { setCudnn } from "../torch/index.js";

/**
 * What computes a network. On the CPU:
 *
 * - `fast`: Lyceum's own operators; 3x3 convolutions take Winograd's algorithm where that is fastest, which needs a
 *   quarter of the products and rounds less finely
 * - `exact`: Lyceum's own operators, with convolutions that round as the definition does
 * - `libtorch`: none but libtorch's operators, to compare with
 *
 * On a card all are libtorch's operators:
 *
 * - `fast`: cuDNN tries its convolutions and takes the fastest; they may multiply in TF32 and add in any order
 * - `exact`: float32 throughout, and only convolutions that give the same bits every time
 * - `libtorch`: as libtorch comes, and step by step, not as a CUDA graph
 */
export type Kernels = "fast" | "exact" | "libtorch";

let chosen: Kernels = "fast";
/** What cuDNN was last told. Nothing at first: telling it loads the addon, which importing this file must not do. */
let told: Kernels | undefined;

/** What {@link setKernels} has chosen. */
export function kernels(): Kernels {
  return chosen;
}

/** Chooses for the whole process, as the number of threads is. Default: `fast`. */
export function setKernels(kernels: Kernels): void {
  chosen = kernels;
  applyToCudnn();
}

/** @internal Tells cuDNN what was chosen, if it does not know yet. To be called before a convolution that it may take. */
export function applyToCudnn(): void {
  if (told === chosen) return;
  const exact = chosen === "exact";
  setCudnn({ benchmark: chosen === "fast", deterministic: exact, allowTF32: !exact });
  told = chosen;
}
