import { hasAmx, hasConvolution, hasOneDnn, isa } from "./build.js";

/** Says in words whose convolutions this machine trains with, and by which instruction set. */
export function describeKernels(): string {
  if (!hasConvolution()) return "libtorch's";
  const own = { avx512: "our own by AVX-512, ", avx2: "our own by AVX2, " }[isa()] ?? "";
  const others = hasOneDnn() ? "oneDNN's" : "libtorch's";
  return `${own}${others}; ${hasAmx() ? "bfloat16 by AMX" : "no units for bfloat16"}`;
}
