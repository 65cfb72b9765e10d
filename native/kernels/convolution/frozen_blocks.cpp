// lyceum::frozen_blocks_: basic blocks of a frozen residual network, whose batch norms are folded into its convolutions,
//
//   x = relu(conv2(relu(conv1(x))) + x)
//
// one after the other and in place, with 3x3 convolutions of stride 1, in blocks of channels (kernels/channels.h),
// float32, without gradient. A few images at a time go through all of them, so that what lies between stays in a core's
// own cache. Weights and biases lie in the order in which they serve.
//
// The same out of separate layers is in src/nn/residual-block.ts; tests hold the two together.
#include <ATen/core/grad_mode.h>
#include <torch/library.h>

#include "kernels/channels.h"
#include "kernels/convolution/convolution.h"

namespace {

constexpr int64_t kOnes[2] = {1, 1};

at::Tensor& frozen_blocks_(at::Tensor& x, at::TensorList weights, at::TensorList biases, bool coarse) {
  TORCH_CHECK(lyceum::is_blocked(x) && x.scalar_type() == at::kFloat && x.is_contiguous(),
              "frozen_blocks_: x must be contiguous float32 [N, C / 16, H, W, 16], got ", x.scalar_type(), " ", x.sizes());
  TORCH_CHECK(weights.size() == biases.size() && weights.size() % 2 == 0,
              "frozen_blocks_: two weights and two biases for each block, got ", weights.size(), " and ", biases.size());
  const int64_t channels = lyceum::channels_of(x);
  for (const at::Tensor& weight : weights) {
    TORCH_CHECK(weight.sizes() == at::IntArrayRef({channels, channels, 3, 3}), "frozen_blocks_: weights must be [",
                channels, ", ", channels, ", 3, 3], got ", weight.sizes());
  }
  std::vector<std::array<lyceum::Filters, 2>> blocks(weights.size() / 2);
  for (size_t i = 0; i < weights.size(); i++) {
    TORCH_CHECK(!weights[i].is_alias_of(x) && !biases[i].is_alias_of(x),
                "frozen_blocks_: weights and biases must not share x's memory");
    blocks[i / 2][i % 2] = {weights[i], biases[i]};
  }
  lyceum::convolve_blocks(x, blocks, {kOnes, kOnes, coarse});
  return x;
}

at::Tensor& frozen_blocks_autograd(at::Tensor& x, at::TensorList weights, at::TensorList biases, bool coarse) {
  const auto check = [](const at::Tensor& input) {
    TORCH_CHECK(!(at::GradMode::is_enabled() && input.requires_grad()),
                "frozen_blocks_ has no gradient: call it in noGrad, or lyceum::residual_block");
  };
  check(x);
  for (const at::Tensor& weight : weights) check(weight);
  for (const at::Tensor& bias : biases) check(bias);
  at::AutoDispatchBelowADInplaceOrView below;
  frozen_blocks_(x, weights, biases, coarse);
  x.unsafeGetTensorImpl()->bump_version();
  return x;
}

}  // namespace

TORCH_LIBRARY_FRAGMENT(lyceum, m) {
  m.def("frozen_blocks_(Tensor(a!) self, Tensor[] weights, Tensor[] biases, bool coarse) -> Tensor(a!)");
}

TORCH_LIBRARY_IMPL(lyceum, CPU, m) { m.impl("frozen_blocks_", frozen_blocks_); }

TORCH_LIBRARY_IMPL(lyceum, AutogradCPU, m) { m.impl("frozen_blocks_", frozen_blocks_autograd); }
