#include "kernels/convolution/engine.h"

#include "kernels/convolution/engines.h"
#include "kernels/level.h"

#if defined(__x86_64__)
#include <cpuid.h>
#endif

namespace lyceum::engine {

#ifdef LYCEUM_ONEDNN

namespace {

// Without AVX-512 it has only its reference kernels for blocks of sixteen channels.
bool serves(const ConvolutionShape& s) { return !s.blocked || has_avx512(); }

}  // namespace

Layout packed_layout(const ConvolutionShape& s) { return serves(s) ? onednn::packed_layout(s) : Layout{0}; }

void pack(const ConvolutionShape& s, const void* weight, float* packed) { onednn::pack(s, weight, packed); }

void convolve(const ConvolutionShape& s, const ForwardMemory& memory) {
  (serves(s) ? onednn::convolve : libtorch::convolve)(s, memory);
}

void convolve_backward_data(const ConvolutionShape& s, const BackwardDataMemory& memory) {
  (serves(s) ? onednn::convolve_backward_data : libtorch::convolve_backward_data)(s, memory);
}

void convolve_backward_weights(const ConvolutionShape& s, const BackwardWeightsMemory& memory) {
  (serves(s) ? onednn::convolve_backward_weights : libtorch::convolve_backward_weights)(s, memory);
}

bool has_onednn() { return true; }

bool has_avx512() { return level() == Level::kAvx512 && onednn::has_avx512(); }

bool has_amx() { return has_avx512() && onednn::has_amx(); }

#else

Layout packed_layout(const ConvolutionShape&) { return {0}; }

void pack(const ConvolutionShape&, const void*, float*) {}

void convolve(const ConvolutionShape& s, const ForwardMemory& memory) { libtorch::convolve(s, memory); }

void convolve_backward_data(const ConvolutionShape& s, const BackwardDataMemory& memory) {
  libtorch::convolve_backward_data(s, memory);
}

void convolve_backward_weights(const ConvolutionShape& s, const BackwardWeightsMemory& memory) {
  libtorch::convolve_backward_weights(s, memory);
}

bool has_onednn() { return false; }

bool has_avx512() {
#if defined(__x86_64__)
  return level() == Level::kAvx512 && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl") &&
         __builtin_cpu_supports("avx512dq");
#else
  return false;
#endif
}

bool has_amx() {
#if defined(__x86_64__)
  unsigned a = 0, b = 0, c = 0, d = 0;
  constexpr unsigned kTiles = 1u << 24, kBfloat16 = 1u << 22;
  return has_avx512() && __get_cpuid_count(7, 0, &a, &b, &c, &d) && (d & kTiles) && (d & kBfloat16);
#else
  return false;
#endif
}

#endif

}  // namespace lyceum::engine
