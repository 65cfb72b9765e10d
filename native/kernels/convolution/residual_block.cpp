// lyceum::residual_block: a whole basic block of a residual network (He et al. 2016) in training,
//
//   y = relu(norm2(conv2(relu(norm1(conv1(x))))) + shortcut)
//
// with 3x3 convolutions, in blocks of channels (kernels/channels.h), float32, differentiable (once). Where the kernels
// can (ThroughConvolution), a few images at a time go through several layers while they are in a core's own cache:
//
//   forward    conv1, its moments | norm1, conv2, its moments | norm2 with the sum
//   backward   norm2's sums | norm2's gradient, conv2's, norm1's sums | norm1's gradient, conv1's
//
// where a bar is a statistic of the whole batch, which what follows has to wait for. What lies between conv2 and norm1
// is worked out again backward rather than kept.
//
// The same out of separate layers is in src/nn/residual-block.ts; tests hold the two together.
#include <torch/library.h>
#include <torch/torch.h>

#include "kernels/batch_norm_steps.h"
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
  lyceum::Settled first, second;
  // Undefined where it was not kept.
  at::Tensor y1;
  at::Tensor z1, z2, y2;
};

constexpr int64_t kOnes[2] = {1, 1};

// Some images of a tensor in blocks: where they begin, in floats, and how their channels lie.
struct Images {
  Images(const lyceum::Channels& all, int64_t begin, int64_t end) : offset(begin * all.segment_stride), channels(all) {
    channels.segments = end - begin;
  }

  int64_t offset;
  lyceum::Channels channels;
};

// relu(norm(z)) of some images.
void write_inner(const at::Tensor& z, const lyceum::Scaling& scaling, int64_t begin, int64_t end, float* y) {
  const Images images(lyceum::channels_in(z), begin, end);
  lyceum::apply(lyceum::Apply<float>{z.data_ptr<float>() + images.offset, nullptr, scaling.scale.data(),
                                     scaling.shift.data(), y, true},
                images.channels, 0, images.channels.tiles());
}

// Convolves what `before` writes, or else x, and finds the moments of the result.
std::pair<at::Tensor, lyceum::Settled> convolve_and_settle(
    const lyceum::ThroughConvolution& convolution, const at::Tensor& x, const Norm& norm,
    const std::function<void(int64_t, int64_t, float*)>& before) {
  lyceum::PartMoments moments(convolution.parts(), norm.weight.numel());
  const at::Tensor z = convolution.empty_result();
  lyceum::check_norm(z, norm, {});
  const auto after = [&](int64_t part, int64_t begin, int64_t end) {
    const Images images(lyceum::channels_in(z), begin, end);
    lyceum::find_moments(z.data_ptr<float>() + images.offset, images.channels, 0, images.channels.tiles(),
                         moments[part]);
  };
  convolution.forward(x, z, {before, after});
  return {z, lyceum::settle(norm, moments.all())};
}

Forward forward(const at::Tensor& x, const Layer& one, const Layer& two, const at::Tensor& shortcut_given,
                int64_t stride, bool coarse) {
  TORCH_CHECK(lyceum::is_blocked(x) && x.scalar_type() == at::kFloat,
              "residual_block: x must be float32 [N, C / 16, H, W, 16], got ", x.scalar_type(), " ", x.sizes());
  for (const at::Tensor* weight : {&one.weight, &two.weight}) {
    TORCH_CHECK(weight->dim() == 4 && weight->size(2) == 3 && weight->size(3) == 3,
                "residual_block: weights must be [K, C, 3, 3], got ", weight->sizes());
  }
  const int64_t strides[2] = {stride, stride};
  const lyceum::Window window1{strides, kOnes, coarse}, window2{kOnes, kOnes, coarse};
  const auto settle_all = [](const at::Tensor& z, const Norm& norm) {
    lyceum::check_norm(z, norm, {});
    return lyceum::settle(norm, lyceum::statistics_of(z));
  };
  Forward found;
  if (const auto through = lyceum::ThroughConvolution::of(x, one.weight, window1)) {
    std::tie(found.z1, found.first) = convolve_and_settle(*through, x, one.norm, {});
  } else {
    found.z1 = lyceum::convolve(x, one.weight, {}, window1);
    found.first = settle_all(found.z1, one.norm);
  }
  if (const auto through = lyceum::ThroughConvolution::of(found.z1, two.weight, window2)) {
    std::tie(found.z2, found.second) =
        convolve_and_settle(*through, {}, two.norm, [&](int64_t begin, int64_t end, float* y) {
          write_inner(found.z1, found.first.scaling, begin, end, y);
        });
  } else {
    found.y1 = lyceum::scaled(found.z1, found.first.scaling, {}, true);
    found.z2 = lyceum::convolve(found.y1, two.weight, {}, window2);
    found.second = settle_all(found.z2, two.norm);
  }
  const at::Tensor shortcut = shortcut_given.defined() ? shortcut_given.contiguous() : x;
  lyceum::check_norm(found.z2, two.norm, shortcut);
  found.y2 = lyceum::scaled(found.z2, found.second.scaling, shortcut, true);
  return found;
}

at::Tensor residual_block(const at::Tensor& x, const at::Tensor& weight1, const at::Tensor& norm1_weight,
                          const at::Tensor& norm1_bias, const at::Tensor& norm1_mean, const at::Tensor& norm1_var,
                          const at::Tensor& weight2, const at::Tensor& norm2_weight, const at::Tensor& norm2_bias,
                          const at::Tensor& norm2_mean, const at::Tensor& norm2_var, const OptionalTensor& shortcut,
                          int64_t stride, bool coarse, double momentum, double eps) {
  const Layer one{weight1, {norm1_weight, norm1_bias, norm1_mean, norm1_var, momentum, eps}};
  const Layer two{weight2, {norm2_weight, norm2_bias, norm2_mean, norm2_var, momentum, eps}};
  return forward(x, one, two, shortcut.has_value() ? *shortcut : at::Tensor(), stride, coarse).y2;
}

using NormGradient = lyceum::NormGradient<float>;

double values_of(const lyceum::Channels& c) { return double(std::max<int64_t>(1, c.segments * c.rows)); }

void sum_all(NormGradient& norm, const NormGradient::Memory& memory, const lyceum::Channels& c) {
  lyceum::for_parts(c, [&](int64_t part, int64_t begin, int64_t end) { norm.sum(part, memory, c, begin, end); });
}

void input_all(const NormGradient& norm, const float* dy, const float* x, float* dx, bool through,
               const lyceum::Channels& c) {
  lyceum::for_parts(c, [&](int64_t, int64_t begin, int64_t end) { norm.input(dy, x, dx, through, c, begin, end); });
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
    const auto& [first, second, y1, z1, z2, y2] = found;
    context->save_for_backward({x, z1, y1, z2, y2, weight1, norm1_weight, norm1_bias, first.mean, first.inverse,
                                weight2, norm2_weight, norm2_bias, second.mean, second.inverse});
    context->saved_data["stride"] = stride;
    context->saved_data["coarse"] = coarse;
    context->saved_data["identity"] = !given.defined();
    return y2;
  }

  static variable_list backward(torch::autograd::AutogradContext* context, variable_list gradients) {
    TORCH_CHECK(!at::GradMode::is_enabled(),
                "residual_block: has no second derivative; float64 takes separate layers, which have");
    const variable_list s = context->get_saved_variables();
    const at::Tensor &x = s[0], &z1 = s[1], &y1 = s[2], &z2 = s[3], &y2 = s[4];
    const at::Tensor &weight1 = s[5], &weight2 = s[10];
    const int64_t stride = context->saved_data["stride"].toInt(), strides[2] = {stride, stride};
    const bool coarse = context->saved_data["coarse"].toBool(), identity = context->saved_data["identity"].toBool();

    const lyceum::Window window1{strides, kOnes, coarse}, window2{kOnes, kOnes, coarse};
    const lyceum::Channels c1 = lyceum::channels_in(z1), c2 = lyceum::channels_in(z2);

    NormGradient norm2(s[11], s[12], s[13], s[14], true, lyceum::kParts);
    const at::Tensor dy = gradients[0].contiguous(), passed = at::empty_like(z2);
    sum_all(norm2, {dy.data_ptr<float>(), z2.data_ptr<float>(), y2.data_ptr<float>(), passed.data_ptr<float>()}, c2);
    norm2.settle(values_of(c2));

    // Of what lies between conv2 and norm1.
    at::Tensor d_inner, d_weight2;
    const float *inner = z1.data_ptr<float>(), *outer = z2.data_ptr<float>(), *d_outer = passed.data_ptr<float>();
    const auto through2 = y1.defined() ? c10::nullopt : lyceum::ThroughConvolution::of(z1, weight2, window2);
    NormGradient norm1(s[6], s[7], s[8], s[9], true, through2 ? through2->parts() : lyceum::kParts);
    if (through2) {
      d_inner = at::empty_like(z1);
      const float* found = d_inner.data_ptr<float>();
      const auto before = [&](int64_t begin, int64_t end, float* dz, float* y) {
        const auto [at, c] = Images(c2, begin, end);
        norm2.input(d_outer + at, outer + at, dz, false, c, 0, c.tiles());
        write_inner(z1, norm1.scaling(), begin, end, y);
      };
      const auto after = [&](int64_t part, int64_t begin, int64_t end) {
        const auto [at, c] = Images(c1, begin, end);
        norm1.sum(part, {found + at, inner + at}, c, 0, c.tiles());
      };
      d_weight2 = through2->backward({}, d_inner, false, {before, after});
    } else {
      const at::Tensor dz = at::empty_like(z2);
      input_all(norm2, d_outer, outer, dz.data_ptr<float>(), false, c2);
      const auto found = lyceum::convolve_backward(dz, y1, weight2, window2, {true, true, false});
      d_inner = found.x;
      d_weight2 = found.weight;
      sum_all(norm1, {d_inner.data_ptr<float>(), inner}, c1);
    }
    norm1.settle(values_of(c1));

    lyceum::ConvolutionGradients conv1;
    const at::Tensor none;
    float* d_inner_data = d_inner.data_ptr<float>();
    if (const auto through1 = lyceum::ThroughConvolution::of(x, weight1, window1)) {
      conv1.x = identity ? passed : at::empty_like(x);
      const auto before = [&](int64_t begin, int64_t end, float* dz, float*) {
        const auto [at, c] = Images(c1, begin, end);
        norm1.input(d_inner_data + at, inner + at, dz, true, c, 0, c.tiles());
      };
      conv1.weight = through1->backward(x, conv1.x, identity, {before, {}});
    } else {
      input_all(norm1, d_inner_data, inner, d_inner_data, true, c1);
      conv1 = lyceum::convolve_backward(d_inner, x, weight1, window1,
                                        {context->needs_input_grad(0), context->needs_input_grad(1), false},
                                        identity ? passed : none);
    }
    return {conv1.x,    conv1.weight, norm1.weight, norm1.bias, none, none, d_weight2, norm2.weight,
            norm2.bias, none,         none,         identity ? none : passed, none, none, none, none};
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
