// lyceum::option_a_shortcut, differentiable (once). The same out of ATen operators is in
// src/nn/option-a-shortcut.ts.
#include "kernels/option_a_shortcut.h"

#include <ATen/Parallel.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/zeros.h>
#include <torch/csrc/autograd/custom_function.h>
#include <torch/library.h>

#include <algorithm>
#include <cstring>
#include <type_traits>

#include "kernels/channels.h"

namespace lyceum {
namespace {

using torch::autograd::variable_list;

struct Places {
  int64_t batch, blocks, height, width;
  int64_t out_blocks, out_height, out_width;
  int64_t stride;
  // The number of channels of zeros before x's.
  int64_t before;
};

Places places_of(at::IntArrayRef x, int64_t channels, int64_t stride) {
  Places p{x[0], x[1], x[2], x[3], channels / kLanes, 0, 0, stride, (channels - x[1] * kLanes) / 2};
  p.out_height = (p.height + stride - 1) / stride;
  p.out_width = (p.width + stride - 1) / stride;
  return p;
}

// Calls `body(place in x, place in the result, channels)` for each run of channels that lie
// together in both. Runs are of a length that the compiler knows where half a block of zeros comes
// before, as from 16 channels to 32, or whole ones.
template <class Body, class Lane>
void each_run_from(const Places& p, int64_t image, const Body& body, Lane lane) {
  for (int64_t block = 0; block < p.blocks; block++) {
    const int64_t channel = block * kLanes + p.before;
    for (int64_t row = 0; row < p.out_height; row++) {
      const int64_t from =
          (((image * p.blocks + block) * p.height + row * p.stride) * p.width) * kLanes;
      const int64_t to =
          (((image * p.out_blocks + channel / kLanes) * p.out_height + row) * p.out_width) * kLanes;
      const int64_t next = p.out_height * p.out_width * kLanes;
      for (int64_t column = 0; column < p.out_width; column++) {
        const int64_t pixel = from + column * p.stride * kLanes, result = to + column * kLanes;
        body(pixel, result + lane, kLanes - lane);
        if (lane > 0) body(pixel + kLanes - lane, result + next, lane);
      }
    }
  }
}

template <class Body>
void each_run(const Places& p, int64_t image, const Body& body) {
  const int64_t lane = p.before % kLanes;
  if (lane == 0) {
    each_run_from(p, image, body, std::integral_constant<int64_t, 0>());
  } else if (lane == kLanes / 2) {
    each_run_from(p, image, body, std::integral_constant<int64_t, kLanes / 2>());
  } else {
    each_run_from(p, image, body, lane);
  }
}

// Becomes a few instructions where the count is a constant.
LYCEUM_INLINE void copy(const float* from, int64_t count, float* to) {
  std::memcpy(to, from, count * sizeof(float));
}

}  // namespace

at::Tensor option_a_shortcut(const at::Tensor& x_in, int64_t channels, int64_t stride) {
  TORCH_CHECK(x_in.is_cpu() && x_in.layout() == at::kStrided && x_in.scalar_type() == at::kFloat &&
                  is_blocked(x_in),
              "option_a_shortcut: x must be float32 [N, C / 16, H, W, 16] on the CPU, got ",
              x_in.scalar_type(), " ", x_in.sizes());
  TORCH_CHECK(channels % kLanes == 0 && channels >= channels_of(x_in) && channels < (1 << 24),
              "option_a_shortcut: channels must be a multiple of 16 and at least ",
              channels_of(x_in), ", got ", channels);
  TORCH_CHECK(stride >= 1 && stride <= (1 << 16),
              "option_a_shortcut: stride must be 1 or more, got ", stride);
  const at::Tensor x = x_in.contiguous();
  const Places p = places_of(x.sizes(), channels, stride);
  at::Tensor y = at::empty({p.batch, p.out_blocks, p.out_height, p.out_width, kLanes}, x.options());
  const float* from = x.data_ptr<float>();
  float* to = y.data_ptr<float>();
  at::parallel_for(0, p.batch, 8, [&](int64_t begin, int64_t end) {
    const int64_t size = p.out_blocks * p.out_height * p.out_width * kLanes;
    for (int64_t image = begin; image < end; image++) {
      std::fill_n(to + image * size, size, 0.0f);
      each_run(
          p, image, [&](int64_t pixel, int64_t result, auto count) __attribute__((always_inline)) {
            copy(from + pixel, count, to + result);
          });
    }
  });
  return y;
}

void add_option_a_gradient(const at::Tensor& dy, int64_t stride, const at::Tensor& dx) {
  const Places p = places_of(dx.sizes(), channels_of(dy), stride);
  const float* from = dy.data_ptr<float>();
  float* to = dx.data_ptr<float>();
  at::parallel_for(0, p.batch, 8, [&](int64_t begin, int64_t end) {
    for (int64_t image = begin; image < end; image++) {
      each_run(
          p, image, [&](int64_t pixel, int64_t result, auto count) __attribute__((always_inline)) {
            for (int64_t i = 0; i < count; i++) to[pixel + i] += from[result + i];
          });
    }
  });
}

namespace {

class Shortcut : public torch::autograd::Function<Shortcut> {
 public:
  static at::Tensor forward(torch::autograd::AutogradContext* context, const at::Tensor& x,
                            int64_t channels, int64_t stride) {
    at::AutoDispatchBelowADInplaceOrView below;
    context->saved_data["sizes"] = x.sizes().vec();
    context->saved_data["stride"] = stride;
    return option_a_shortcut(x, channels, stride);
  }

  static variable_list backward(torch::autograd::AutogradContext* context,
                                variable_list gradients) {
    TORCH_CHECK(!at::GradMode::is_enabled(),
                "option_a_shortcut: has no second derivative; float64 takes ATen's "
                "operators, which have");
    const at::Tensor dx =
        at::zeros(context->saved_data["sizes"].toIntVector(), gradients[0].options());
    add_option_a_gradient(gradients[0].contiguous(), context->saved_data["stride"].toInt(), dx);
    return {dx, at::Tensor(), at::Tensor()};
  }
};

at::Tensor option_a_shortcut_autograd(const at::Tensor& x, int64_t channels, int64_t stride) {
  return Shortcut::apply(x, channels, stride);
}

}  // namespace
}  // namespace lyceum

TORCH_LIBRARY_FRAGMENT(lyceum, m) {
  m.def("option_a_shortcut(Tensor x, int channels, int stride) -> Tensor");
}

TORCH_LIBRARY_IMPL(lyceum, CPU, m) { m.impl("option_a_shortcut", lyceum::option_a_shortcut); }

TORCH_LIBRARY_IMPL(lyceum, AutogradCPU, m) {
  m.impl("option_a_shortcut", lyceum::option_a_shortcut_autograd);
}
