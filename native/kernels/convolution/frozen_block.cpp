// lyceum::frozen_block_: a basic block of a frozen residual network, whose batch norms are folded into its convolutions,
//
//   x = relu(conv2(relu(conv1(x))) + x)
//
// in place, with 3x3 convolutions of stride 1, in blocks of channels (kernels/channels.h), float32, without gradient.
// A few images at a time go through both convolutions, so that what lies between stays in a core's own cache.
//
// The same out of separate layers is in src/nn/residual-block.ts; tests hold the two together.
#include <ATen/core/grad_mode.h>
#include <torch/library.h>

#include "kernels/channels.h"
#include "kernels/convolution/convolution.h"
#include "kernels/convolution/winograd.h"

namespace {

constexpr int64_t kOnes[2] = {1, 1};

at::Tensor& frozen_block_(at::Tensor& x, const at::Tensor& weight1, const at::Tensor& bias1, const at::Tensor& weight2,
                          const at::Tensor& bias2, bool coarse) {
  TORCH_CHECK(lyceum::is_blocked(x) && x.scalar_type() == at::kFloat && x.is_contiguous(),
              "frozen_block_: x must be contiguous float32 [N, C / 16, H, W, 16], got ", x.scalar_type(), " ", x.sizes());
  const int64_t channels = lyceum::channels_of(x);
  for (const at::Tensor* weight : {&weight1, &weight2}) {
    TORCH_CHECK(weight->sizes() == at::IntArrayRef({channels, channels, 3, 3}), "frozen_block_: weights must be [",
                channels, ", ", channels, ", 3, 3], got ", weight->sizes());
    TORCH_CHECK(!weight->is_alias_of(x), "frozen_block_: weights must not share x's memory");
  }
  const lyceum::Window window{kOnes, kOnes, coarse};
  lyceum::convolve_block(x, {weight1, bias1}, {weight2, bias2}, window);
  return x;
}

at::Tensor& frozen_block_autograd(at::Tensor& x, const at::Tensor& weight1, const at::Tensor& bias1,
                                  const at::Tensor& weight2, const at::Tensor& bias2, bool coarse) {
  for (const at::Tensor* input : std::initializer_list<const at::Tensor*>{&x, &weight1, &bias1, &weight2, &bias2}) {
    TORCH_CHECK(!(at::GradMode::is_enabled() && input->requires_grad()),
                "frozen_block_ has no gradient: call it in noGrad, or lyceum::residual_block");
  }
  at::AutoDispatchBelowADInplaceOrView below;
  frozen_block_(x, weight1, bias1, weight2, bias2, coarse);
  x.unsafeGetTensorImpl()->bump_version();
  return x;
}

}  // namespace

TORCH_LIBRARY_FRAGMENT(lyceum, m) {
  m.def(
      "frozen_block_(Tensor(a!) self, Tensor weight1, Tensor bias1, Tensor weight2, Tensor bias2, bool coarse) -> "
      "Tensor(a!)");
}

TORCH_LIBRARY_IMPL(lyceum, CPU, m) { m.impl("frozen_block_", frozen_block_); }

TORCH_LIBRARY_IMPL(lyceum, AutogradCPU, m) { m.impl("frozen_block_", frozen_block_autograd); }
