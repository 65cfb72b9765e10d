/**
 * What computes a network on the CPU:
 *
 * - `fast`: Lyceum's own operators; 3x3 convolutions take Winograd's algorithm where that is fastest, which needs a
 *   quarter of the products and rounds more coarsely
 * - `exact`: Lyceum's own operators, with convolutions that round as the definition does
 * - `libtorch`: none but libtorch's operators, to compare with
 */
export type Kernels = "fast" | "exact" | "libtorch";

let chosen: Kernels = "fast";

/** What {@link setKernels} has chosen. */
export function kernels(): Kernels {
  return chosen;
}

/** Chooses for the whole process, as the number of threads is. Default: `fast`. */
export function setKernels(kernels: Kernels): void {
  chosen = kernels;
}
