// The table of kernels that are compiled once for each instruction set: functions of plain pointers
// and sizes. Those of the instruction set in use are `kernels()` (kernels/isa.h).
#pragma once

#include "kernels/isa/batch_norm.h"
#include "kernels/isa/lanes.h"
#include "kernels/isa/pointwise/kernels.h"
#include "kernels/isa/resample.h"
#include "kernels/isa/sgd.h"
#include "kernels/isa/stem/kernels.h"
#include "kernels/isa/winograd/kernels.h"

namespace lyceum {

struct Kernels {
  batch_norm::Kernels<float> batch_norm;
  batch_norm::Kernels<BFloat16> batch_norm_bfloat16;
  lanes::Kernels lanes;
  resample::Kernels resample;
  sgd::Kernels sgd;

  // Null pointers where there is no fused multiply-add on registers of eight floats or more.
  pointwise::Kernels pointwise;
  stem::Kernels stem;
  winograd::Kernels winograd;

  bool has_convolutions() const { return winograd.convolve != nullptr; }
};

}  // namespace lyceum
