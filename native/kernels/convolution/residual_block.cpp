// lyceum::residual_block: a whole basic block of a residual network (He et al. 2016) in training,
//
//   y = relu(norm2(conv2(relu(norm1(conv1(x))))) + shortcut)
//
// with 3x3 convolutions, in blocks of channels (kernels/channels.h), float32, differentiable (once). Done as one, the
// block's gradient with respect to x is summed where it is computed, and gradients between the layers take the memory of
// those before them.
//
// The same out of separate layers is in src/nn/residual-block.ts; tests hold the two together.
#include <torch/library.h>
#include <torch/torch.h>

#include "kernels/batch_norm.h"
#include "kernels/channels.h"
#include "kernels/convolution/convolution.h"

namespace {

using lyceum::Norm;
using OptionalTensor = c10::optional<at::Tensor>;
using torch::autograd::variable_list;

// Of the two layers: convolution's weight, norm's weight, bias, running mean and variance.
struct Layer {
  const at::Tensor& weight;
  Norm norm;
};

struct Forward {
  lyceum::Normalised first, second;
  at::Tensor z1, z2;
};

constexpr int64_t kOnes[2] = {1, 1};

Forward forward(const at::Tensor& x, const Layer& one, const Layer& two, const at::Tensor& shortcut, int64_t stride,
                bool coarse) {
  TORCH_CHECK(lyceum::is_blocked(x) && x.scalar_type() == at::kFloat,
              "residual_block: x must be float32 [N, C / 16, H, W, 16], got ", x.scalar_type(), " ", x.sizes());
  for (const at::Tensor* weight : {&one.weight, &two.weight}) {
    TORCH_CHECK(weight->dim() == 4 && weight->size(2) == 3 && weight->size(3) == 3,
                "residual_block: weights must be [K, C, 3, 3], got ", weight->sizes());
  }
  const int64_t strides[2] = {stride, stride};
  Forward found;
  found.z1 = lyceum::convolve(x, one.weight, {}, {strides, kOnes, coarse});
  found.first = lyceum::normalise(found.z1, one.norm, {}, true, true);
  found.z2 = lyceum::convolve(found.first.y, two.weight, {}, {kOnes, kOnes, coarse});
  found.second = lyceum::normalise(found.z2, two.norm, shortcut.defined() ? shortcut : x, true, true);
  return found;
}

at::Tensor residual_block(const at::Tensor& x, const at::Tensor& weight1, const at::Tensor& norm1_weight,
                          const at::Tensor& norm1_bias, const at::Tensor& norm1_mean, const at::Tensor& norm1_var,
                          const at::Tensor& weight2, const at::Tensor& norm2_weight, const at::Tensor& norm2_bias,
                          const at::Tensor& norm2_mean, const at::Tensor& norm2_var, const OptionalTensor& shortcut,
                          int64_t stride, bool coarse, double momentum, double eps) {
  const Layer one{weight1, {norm1_weight, norm1_bias, norm1_mean, norm1_var, momentum, eps}};
  const Layer two{weight2, {norm2_weight, norm2_bias, norm2_mean, norm2_var, momentum, eps}};
  return forward(x, one, two, shortcut.has_value() ? *shortcut : at::Tensor(), stride, coarse).second.y;
}

class ResidualBlock : public torch::autograd::Function<ResidualBlock> {
 public:
  static at::Tensor forward(torch::autograd::AutogradContext* context, const at::Tensor& x_in,
                            const at::Tensor& weight1, const at::Tensor& norm1_weight, const at::Tensor& norm1_bias,
                            const at::Tensor& norm1_mean, const at::Tensor& norm1_var, const at::Tensor& weight2,
                            const at::Tensor& norm2_weight, const at::Tensor& norm2_bias, const at::Tensor& norm2_mean,
                            const at::Tensor& norm2_var, const OptionalTensor& shortcut, int64_t stride, bool coarse,
                            double momentum, double eps) {
    at::AutoDispatchBelowADInplaceOrView below;
    const Layer one{weight1, {norm1_weight, norm1_bias, norm1_mean, norm1_var, momentum, eps}};
    const Layer two{weight2, {norm2_weight, norm2_bias, norm2_mean, norm2_var, momentum, eps}};
    const at::Tensor x = x_in.contiguous(), given = shortcut.has_value() ? *shortcut : at::Tensor();
    const Forward found = ::forward(x, one, two, given, stride, coarse);
    one.norm.bump_versions();
    two.norm.bump_versions();
    const auto& [first, second, z1, z2] = found;
    context->save_for_backward({x, z1, first.y, z2, second.y, weight1, norm1_weight, norm1_bias, first.mean,
                                first.inverse, weight2, norm2_weight, norm2_bias, second.mean, second.inverse});
    context->saved_data["stride"] = stride;
    context->saved_data["coarse"] = coarse;
    context->saved_data["identity"] = !given.defined();
    return second.y;
  }

  static variable_list backward(torch::autograd::AutogradContext* context, variable_list gradients) {
    TORCH_CHECK(!at::GradMode::is_enabled(),
                "residual_block: has no second derivative; float64 takes separate layers, which have");
    const variable_list s = context->get_saved_variables();
    const at::Tensor &x = s[0], &z1 = s[1], &y1 = s[2], &z2 = s[3], &y2 = s[4];
    const at::Tensor &weight1 = s[5], &weight2 = s[10];
    const int64_t stride = context->saved_data["stride"].toInt(), strides[2] = {stride, stride};
    const bool coarse = context->saved_data["coarse"].toBool(), identity = context->saved_data["identity"].toBool();

    const auto norm2 = lyceum::normalise_backward(gradients[0].contiguous(),
                                                  {z2, y2, s[11], s[12], s[13], s[14], true, true, true});
    const auto conv2 = lyceum::convolve_backward(norm2.x, y1, weight2, {kOnes, kOnes, coarse},
                                                 {true, context->needs_input_grad(6), false});
    const at::Tensor none;
    const auto norm1 =
        lyceum::normalise_backward(conv2.x, {z1, none, s[6], s[7], s[8], s[9], false, true, true}, true);
    const auto conv1 = lyceum::convolve_backward(
        norm1.x, x, weight1, {strides, kOnes, coarse},
        {context->needs_input_grad(0), context->needs_input_grad(1), false}, identity ? norm2.residual : none);
    return {conv1.x, conv1.weight, norm1.weight, norm1.bias, none, none, conv2.weight, norm2.weight,
            norm2.bias, none, none, identity ? none : norm2.residual, none, none, none, none};
  }
};

at::Tensor residual_block_autograd(const at::Tensor& x, const at::Tensor& weight1, const at::Tensor& norm1_weight,
                                   const at::Tensor& norm1_bias, const at::Tensor& norm1_mean,
                                   const at::Tensor& norm1_var, const at::Tensor& weight2,
                                   const at::Tensor& norm2_weight, const at::Tensor& norm2_bias,
                                   const at::Tensor& norm2_mean, const at::Tensor& norm2_var,
                                   const OptionalTensor& shortcut, int64_t stride, bool coarse, double momentum,
                                   double eps) {
  return ResidualBlock::apply(x, weight1, norm1_weight, norm1_bias, norm1_mean, norm1_var, weight2, norm2_weight,
                              norm2_bias, norm2_mean, norm2_var, shortcut, stride, coarse, momentum, eps);
}

}  // namespace

TORCH_LIBRARY_FRAGMENT(lyceum, m) {
  m.def(
      "residual_block(Tensor x, Tensor weight1, Tensor norm1_weight, Tensor norm1_bias, Tensor(a!) norm1_mean, "
      "Tensor(b!) norm1_var, Tensor weight2, Tensor norm2_weight, Tensor norm2_bias, Tensor(c!) norm2_mean, "
      "Tensor(d!) norm2_var, Tensor? shortcut, int stride, bool coarse, float momentum, float eps) -> Tensor");
}

TORCH_LIBRARY_IMPL(lyceum, CPU, m) { m.impl("residual_block", residual_block); }

TORCH_LIBRARY_IMPL(lyceum, AutogradCPU, m) { m.impl("residual_block", residual_block_autograd); }
