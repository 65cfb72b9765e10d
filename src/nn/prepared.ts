/** What oneDNN's prepared convolutions can do on this machine, and whether the build has them. */
import * as torch from "../torch/index.js";

const hasPrepared = torch.hasOperator("lyceum::conv2d");

/** Whether blocks of channels are faster: our own convolutions want them so. */
export const hasLevels: boolean = hasPrepared && torch.op("lyceum::isa") !== "none";

/** Whether bfloat16 can be computed at all. */
export const hasAvx512: boolean = hasPrepared && torch.op("lyceum::has_avx512");

/** Whether the processor has units for bfloat16, so that it is several times as fast as float32. */
export const hasAmx: boolean = hasPrepared && torch.op("lyceum::has_amx");

/** Whether prepared convolutions serve CPU tensors of this dtype. */
export function isPrepared(dtype: torch.DType): boolean {
  return hasPrepared && (dtype === "float32" || (dtype === "bfloat16" && hasAvx512));
}
