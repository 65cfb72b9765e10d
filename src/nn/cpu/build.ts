/** What this build of Lyceum and this processor can do. Asked when first needed: importing this file loads no addon. */
import * as torch from "../../torch/index.js";

/** Calls `find` the first time only, and remembers what it returned. */
export function once<T>(find: () => T): () => T {
  let found: { value: T } | undefined;
  return () => {
    found ??= { value: find() };
    return found.value;
  };
}

/** Whether the build has Lyceum's own convolutions. */
export const hasConvolution = once(() => torch.hasOperator("lyceum::conv2d"));

/** The instruction set of Lyceum's own kernels: avx512, avx2 or none. */
export const isa = once((): string => torch.op("lyceum::isa"));

/** Whether the build calls oneDNN itself. */
export const hasOneDnn = once((): boolean => torch.op("lyceum::has_onednn"));

/** Whether Lyceum's own 3x3 convolutions run here, which need AVX-512 or AVX2 (`LYCEUM_ISA` may choose less). */
export const hasOwnKernels = once(() => hasConvolution() && isa() !== "none");

/** Whether the processor has AVX-512, without which oneDNN computes neither bfloat16 nor blocks of channels. */
export const hasAvx512 = once((): boolean => hasConvolution() && torch.op("lyceum::has_avx512"));

/**
 * Whether the processor has units for bfloat16 (AMX) and the build uses them: only then is `precision: bfloat16` faster
 * than float32 on the CPU.
 */
export const hasAmx = once((): boolean => hasConvolution() && torch.op("lyceum::has_amx"));

/** Whether `lyceum::conv2d` takes CPU tensors of this dtype. */
export function convolves(dtype: torch.DType): boolean {
  return hasConvolution() && (dtype === "float32" || (dtype === "bfloat16" && hasAvx512()));
}

/** Whether the build has the operators for whole stages of residual blocks. */
export const hasResidualOperators = once(() => torch.hasOperator("lyceum::residual_stage"));

/** Whether the build has the operator for whole stages of bottlenecks. */
export const hasBottleneckOperator = once(() => torch.hasOperator("lyceum::bottleneck_stage"));

/** Whether the build has the operators for whole dense blocks, and kernels for this processor behind them. */
export const hasDenseOperators = once(
  () => hasOwnKernels() && torch.hasOperator("lyceum::frozen_dense_block"),
);
