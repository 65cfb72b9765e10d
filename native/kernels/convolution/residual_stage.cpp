// lyceum::residual_stage: basic blocks of a residual network (He et al. 2016) in training, one
// after the other,
//
//   x = relu(norm2(conv2(relu(norm1(conv1(x))))) + shortcut)
//
// with 3x3 convolutions, in blocks of channels (kernels/channels.h), float32, differentiable
// (once). The first block may have a stride, other channels than x, and a shortcut that is given;
// else it takes option A's where the shape changes (kernels/option_a_shortcut.h). The others add x
// as it is. Where the kernels can (StreamedConvolution), a few images at a time go through several
// layers while they are in a core's own cache:
//
//   forward    the previous block's norm2 and sum, conv1, its moments
//              | norm1, conv2, its moments
//   backward   norm2's gradient, conv2's, norm1's sums
//              | norm1's gradient, conv1's, the sums of the previous block's norm2
//
// where a bar is a statistic of the whole batch, which what follows has to wait for. What lies
// between conv2 and norm1 is worked out again backward rather than kept.
//
// The same out of separate layers is in src/nn/basic-block.ts; tests hold the two together.
#include <ATen/Parallel.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/zeros.h>
#include <torch/csrc/autograd/custom_function.h>
#include <torch/library.h>

#include <optional>

#include "bridge/optional.h"
#include "kernels/alias.h"
#include "kernels/batch_norm/steps.h"
#include "kernels/channels.h"
#include "kernels/convolution/convolution.h"
#include "kernels/option_a_shortcut.h"

namespace {

using lyceum::Norm;
using OptionalTensor = lyceum::Optional<at::Tensor>;
using torch::autograd::variable_list;

constexpr int64_t kOnes[2] = {1, 1};

const lyceum::batch_norm::Kernels<float>& table() { return lyceum::kernels().batch_norm; }

// The parameters of a block are the convolution's weight and the norm's weight and bias, twice; its
// averages the running mean and variance, twice.
constexpr size_t kParameters = 6, kAverages = 4;

struct Block {
  const at::Tensor& weight1;
  Norm norm1;
  const at::Tensor& weight2;
  Norm norm2;
  lyceum::Window window1, window2;
};

struct Stage {
  at::TensorList parameters, averages;
  int64_t strides[2];
  bool allow_winograd;
  double momentum, eps;

  size_t count() const { return parameters.size() / kParameters; }

  lyceum::Window window1(size_t i) const {
    return {i == 0 ? at::IntArrayRef(strides) : kOnes, kOnes, allow_winograd};
  }
  lyceum::Window window2() const { return {kOnes, kOnes, allow_winograd}; }

  Block operator[](size_t i) const {
    const at::Tensor *p = &parameters[kParameters * i], *a = &averages[kAverages * i];
    return {p[0],       {p[1], p[2], a[0], a[1], momentum, eps},
            p[3],       {p[4], p[5], a[2], a[3], momentum, eps},
            window1(i), window2()};
  }
};

void check(const at::Tensor& x, const Stage& stage) {
  TORCH_CHECK(lyceum::is_blocked(x) && x.scalar_type() == at::kFloat,
              "residual_stage: x must be float32 [N, C / 16, H, W, 16], got ", x.scalar_type(), " ",
              x.sizes());
  TORCH_CHECK(stage.count() > 0 && stage.parameters.size() == kParameters * stage.count() &&
                  stage.averages.size() == kAverages * stage.count(),
              "residual_stage: six parameters and four averages for each block, got ",
              stage.parameters.size(), " and ", stage.averages.size());
  for (size_t i = 0; i < stage.parameters.size(); i += kParameters / 2) {
    const at::Tensor& weight = stage.parameters[i];
    TORCH_CHECK(weight.dim() == 4 && weight.size(2) == 3 && weight.size(3) == 3,
                "residual_stage: weights must be [K, C, 3, 3], got ", weight.sizes());
  }
}

// What the forward pass makes of one block.
struct Kept {
  lyceum::Settled first, second;
  at::Tensor z1;
  // Undefined where the backward pass works it out again.
  at::Tensor y1;
  at::Tensor z2, shortcut, y2;
};

// Some images of a tensor in blocks: where they begin, in floats, and how their channels lie.
struct Images {
  Images(const lyceum::Channels& all, int64_t begin, int64_t end)
      : offset(begin * all.segment_stride), channels(all) {
    channels.segments = end - begin;
  }

  int64_t offset;
  lyceum::Channels channels;
};

// Writes relu(norm(z)) of some images.
void write_inner(const at::Tensor& z, const lyceum::Scaling& scaling, int64_t begin, int64_t end,
                 float* y) {
  const auto [at, c] = Images(lyceum::channels_in(z), begin, end);
  table().apply(
      lyceum::batch_norm::Apply<float>{z.data_ptr<float>() + at, nullptr, scaling.scale.data(),
                                       scaling.shift.data(), y, true},
      c, 0, c.tiles());
}

// Writes a block's result, of some images.
void write_result(const Kept& block, int64_t begin, int64_t end) {
  const auto [at, c] = Images(lyceum::channels_in(block.z2), begin, end);
  const auto& [scale, shift] = block.second.scaling;
  table().apply(
      lyceum::batch_norm::Apply<float>{block.z2.data_ptr<float>() + at,
                                       block.shortcut.data_ptr<float>() + at, scale.data(),
                                       shift.data(), block.y2.data_ptr<float>() + at, true},
      c, 0, c.tiles());
}

void write_results(const Kept& block) {
  at::parallel_for(0, block.z2.size(0), 1,
                   [&](int64_t begin, int64_t end) { write_result(block, begin, end); });
}

using Before = std::function<void(int64_t begin, int64_t end, float* x)>;
using Prefetched = std::vector<lyceum::Prefetched>;

lyceum::Prefetched images_of(const at::Tensor& x) {
  return {x.data_ptr(), x.stride(0) * x.element_size()};
}

// Convolves x, which `before` writes some images of; or, where x is undefined, what `before` writes
// to where it is told to.
void convolve_and_settle(const lyceum::StreamedConvolution& convolution, const at::Tensor& x,
                         const Norm& norm, const Before& before, Prefetched prefetched,
                         at::Tensor& z, lyceum::Settled& settled) {
  lyceum::PartMoments moments(convolution.parts(), norm.weight.numel());
  z = convolution.empty_result();
  lyceum::check_norm(z, norm, {});
  const auto after = [&](int64_t part, int64_t begin, int64_t end) {
    const auto [at, c] = Images(lyceum::channels_in(z), begin, end);
    table().find_moments(z.data_ptr<float>() + at, c, 0, c.tiles(), moments[part]);
  };
  prefetched.push_back(images_of(z));
  convolution.forward(x, z, {before, after, std::move(prefetched)});
  settled = lyceum::settle(norm, moments.all());
}

lyceum::Settled settle_all(const at::Tensor& z, const Norm& norm) {
  lyceum::check_norm(z, norm, {});
  return lyceum::settle(norm, lyceum::statistics_of(z));
}

// What the first block adds.
at::Tensor first_shortcut(const at::Tensor& x, const Stage& stage, const at::Tensor& given) {
  const int64_t channels = stage[0].weight2.size(0);
  if (given.defined()) return given.contiguous();
  if (stage.strides[0] == 1 && channels == lyceum::channels_of(x)) return x;
  return lyceum::option_a_shortcut(x, channels, stage.strides[0]);
}

// Each block's result is written by the block that reads it first.
std::vector<Kept> forward(const at::Tensor& x_given, const Stage& stage,
                          const at::Tensor& shortcut) {
  check(x_given, stage);
  std::vector<Kept> all(stage.count());
  at::Tensor x = x_given.contiguous();
  for (size_t i = 0; i < all.size(); i++) {
    const auto& [weight1, norm1, weight2, norm2, window1, window2] = stage[i];
    const Kept* previous = i == 0 ? nullptr : &all[i - 1];
    Kept& block = all[i];
    if (const auto streamed = lyceum::StreamedConvolution::of(x, weight1, window1)) {
      Before before;
      Prefetched prefetched{images_of(x)};
      if (previous) {
        before = [&](int64_t begin, int64_t end, float*) { write_result(*previous, begin, end); };
        prefetched = {images_of(previous->z2), images_of(previous->shortcut), images_of(x)};
      }
      convolve_and_settle(*streamed, x, norm1, before, std::move(prefetched), block.z1,
                          block.first);
    } else {
      if (previous) write_results(*previous);
      block.z1 = lyceum::convolve(x, weight1, {}, window1);
      block.first = settle_all(block.z1, norm1);
    }
    if (const auto streamed = lyceum::StreamedConvolution::of(block.z1, weight2, window2)) {
      const auto before = [&](int64_t begin, int64_t end, float* y) {
        write_inner(block.z1, block.first.scaling, begin, end, y);
      };
      convolve_and_settle(*streamed, {}, norm2, before, {images_of(block.z1)}, block.z2,
                          block.second);
    } else {
      block.y1 = lyceum::scaled(block.z1, block.first.scaling, {}, true);
      block.z2 = lyceum::convolve(block.y1, weight2, {}, window2);
      block.second = settle_all(block.z2, norm2);
    }
    block.shortcut = i == 0 ? first_shortcut(x, stage, shortcut) : x;
    lyceum::check_norm(block.z2, norm2, block.shortcut);
    x = block.y2 = at::empty_like(block.z2);
  }
  write_results(all.back());
  for (size_t i = 0; i < all.size(); i++) {
    stage[i].norm1.bump_versions();
    stage[i].norm2.bump_versions();
  }
  return all;
}

at::Tensor residual_stage(const at::Tensor& x, at::TensorList parameters, at::TensorList averages,
                          const OptionalTensor& shortcut, int64_t stride, bool allow_winograd,
                          double momentum, double eps) {
  const Stage stage{parameters, averages, {stride, stride}, allow_winograd, momentum, eps};
  return forward(x, stage, shortcut.has_value() ? *shortcut : at::Tensor()).back().y2;
}

using NormGradient = lyceum::NormGradient<float>;

double values_of(const lyceum::Channels& c) {
  return double(std::max<int64_t>(1, c.segments * c.rows));
}

void sum_all(NormGradient& norm, const NormGradient::Memory& memory, const lyceum::Channels& c) {
  lyceum::for_parts(
      c, [&](int64_t part, int64_t begin, int64_t end) { norm.sum(part, memory, c, begin, end); });
}

void input_all(const NormGradient& norm, const float* dy, const float* x, float* dx, bool through,
               const lyceum::Channels& c) {
  lyceum::for_parts(c, [&](int64_t, int64_t begin, int64_t end) {
    norm.input(dy, x, dx, through, c, begin, end);
  });
}

// What the forward pass saved of a block.
struct Saved {
  static constexpr size_t kTensors = 8;

  const at::Tensor &z1, &y1, &z2, &y2, &mean1, &inverse1, &mean2, &inverse2;
  const at::Tensor* parameters;

  // The gradient of the norm that the sum follows.
  NormGradient norm2(int64_t parts) const {
    return {parameters[4], parameters[5], mean2, inverse2, true, parts};
  }
  NormGradient norm1(int64_t parts) const {
    return {parameters[1], parameters[2], mean1, inverse1, true, parts};
  }

  NormGradient::Memory outer(const float* dy, float* passed, int64_t at) const {
    return {dy + at, z2.data_ptr<float>() + at, y2.data_ptr<float>() + at, passed + at};
  }
};

// The gradient of what lies between norm1 and conv1; `passed` is that of norm2's result. Norm1 is
// settled then.
at::Tensor backward_outer(const Saved& block, const lyceum::Window& window,
                          const NormGradient& norm2, const at::Tensor& passed,
                          std::optional<NormGradient>& norm1, at::Tensor& d_weight2) {
  const lyceum::Channels c = lyceum::channels_in(block.z2);
  at::Tensor d_inner;
  const float *inner = block.z1.data_ptr<float>(), *outer = block.z2.data_ptr<float>();
  const float* d_outer = passed.data_ptr<float>();
  const auto streamed =
      block.y1.defined() ? std::nullopt
                         : lyceum::StreamedConvolution::of(block.z1, block.parameters[3], window);
  norm1.emplace(block.norm1(streamed ? streamed->parts() : lyceum::kParts));
  if (streamed) {
    d_inner = at::empty_like(block.z1);
    const auto before = [&](int64_t begin, int64_t end, float* dz, float* y) {
      const auto [at, some] = Images(c, begin, end);
      norm2.input(d_outer + at, outer + at, dz, false, some, 0, some.tiles());
      write_inner(block.z1, norm1->scaling(), begin, end, y);
    };
    const auto after = [&](int64_t part, int64_t begin, int64_t end) {
      const auto [at, some] = Images(c, begin, end);
      norm1->sum(part, {d_inner.data_ptr<float>() + at, inner + at}, some, 0, some.tiles());
    };
    const Prefetched prefetched{images_of(passed), images_of(block.z2), images_of(block.z1)};
    d_weight2 =
        streamed->backward({}, d_inner, false, {before, after, prefetched, {images_of(d_inner)}});
  } else {
    const at::Tensor dz = at::empty_like(block.z2);
    input_all(norm2, d_outer, outer, dz.data_ptr<float>(), false, c);
    const auto found =
        lyceum::convolve_backward(dz, block.y1, block.parameters[3], window, {true, true, false});
    d_inner = found.x;
    d_weight2 = found.weight;
    sum_all(*norm1, {d_inner.data_ptr<float>(), inner}, c);
  }
  norm1->settle(values_of(c));
  return d_inner;
}

class ResidualStage : public torch::autograd::Function<ResidualStage> {
 public:
  static at::Tensor forward(torch::autograd::AutogradContext* context, const at::Tensor& x_in,
                            at::TensorList parameters_given, at::TensorList averages,
                            const OptionalTensor& shortcut, int64_t stride, bool allow_winograd,
                            double momentum, double eps) {
    const at::Tensor x_alias = lyceum::alias_of(x_in);
    const variable_list parameters = lyceum::aliases_of(parameters_given);
    at::AutoDispatchBelowADInplaceOrView below;
    const Stage stage{parameters, averages, {stride, stride}, allow_winograd, momentum, eps};
    const at::Tensor x = x_alias.contiguous(),
                     given = shortcut.has_value() ? *shortcut : at::Tensor();
    const std::vector<Kept> all = ::forward(x, stage, given);
    variable_list saved{x};
    saved.insert(saved.end(), parameters.begin(), parameters.end());
    for (size_t i = 0; i < all.size(); i++) {
      const auto& [first, second, z1, y1, z2, _, y2] = all[i];
      saved.insert(saved.end(),
                   {z1, y1, z2, y2, first.mean, first.inverse, second.mean, second.inverse});
    }
    context->save_for_backward(std::move(saved));
    context->saved_data["stride"] = stride;
    context->saved_data["allow_winograd"] = allow_winograd;
    context->saved_data["given"] = given.defined();
    return all.back().y2;
  }

  static variable_list backward(torch::autograd::AutogradContext* context,
                                variable_list gradients) {
    TORCH_CHECK(
        !at::GradMode::is_enabled(),
        "residual_stage: has no second derivative; float64 takes separate layers, which have");
    const variable_list saved = context->get_saved_variables();
    const size_t count = (saved.size() - 1) / (kParameters + Saved::kTensors);
    const int64_t stride = context->saved_data["stride"].toInt();
    const bool allow_winograd = context->saved_data["allow_winograd"].toBool(),
               given = context->saved_data["given"].toBool();
    const Stage stage{
        {saved.data() + 1, kParameters * count}, {}, {stride, stride}, allow_winograd, 0, 0};
    const auto block_of = [&](size_t i) {
      const at::Tensor* s = &saved[1 + kParameters * count + Saved::kTensors * i];
      return Saved{s[0], s[1], s[2], s[3], s[4], s[5], s[6], s[7], &saved[1 + kParameters * i]};
    };

    // The gradients of all inputs in their order; averages have none.
    variable_list found(1 + (kParameters + kAverages) * count + 5);
    // The part of the gradient of a block's result that came through the ReLU. In all blocks but
    // the last it lies where the gradient itself did.
    const at::Tensor dy = gradients[0].contiguous();
    at::Tensor passed = at::empty_like(dy);
    std::optional<NormGradient> norm2 = block_of(count - 1).norm2(lyceum::kParts), norm1, previous;
    sum_all(*norm2, block_of(count - 1).outer(dy.data_ptr<float>(), passed.data_ptr<float>(), 0),
            lyceum::channels_in(passed));
    for (size_t i = count; i-- > 0;) {
      const Saved block = block_of(i);
      const lyceum::Channels c = lyceum::channels_in(block.z1);
      at::Tensor* of = &found[1 + kParameters * i];
      norm2->settle(values_of(c));
      at::Tensor d_inner = backward_outer(block, stage.window2(), *norm2, passed, norm1, of[3]);
      of[1] = norm1->weight;
      of[2] = norm1->bias;
      of[4] = norm2->weight;
      of[5] = norm2->bias;

      const at::Tensor& x = i == 0 ? saved[0] : block_of(i - 1).y2;
      const bool sum = i > 0 || (!given && x.sizes() == block.z1.sizes());
      float* d_inner_data = d_inner.data_ptr<float>();
      const float* inner = block.z1.data_ptr<float>();
      at::Tensor dx;
      if (const auto streamed =
              lyceum::StreamedConvolution::of(x, block.parameters[0], stage.window1(i))) {
        dx = sum ? passed : at::empty_like(x);
        const auto before = [&](int64_t begin, int64_t end, float* dz, float*) {
          const auto [at, some] = Images(c, begin, end);
          norm1->input(d_inner_data + at, inner + at, dz, true, some, 0, some.tiles());
        };
        std::function<void(int64_t, int64_t, int64_t)> after;
        Prefetched prefetched_after{images_of(dx)};
        if (i > 0) {
          prefetched_after.push_back(images_of(block_of(i - 1).z2));
          previous.emplace(block_of(i - 1).norm2(streamed->parts()));
          after = [&, block_before = block_of(i - 1), data = dx.data_ptr<float>()](
                      int64_t part, int64_t begin, int64_t end) {
            const auto [at, some] = Images(c, begin, end);
            previous->sum(part, block_before.outer(data, data, at), some, 0, some.tiles());
          };
        }
        const Prefetched prefetched{images_of(d_inner), images_of(block.z1), images_of(x)};
        of[0] = streamed->backward(x, dx, sum, {before, after, prefetched, prefetched_after});
      } else {
        input_all(*norm1, d_inner_data, inner, d_inner_data, true, c);
        const auto conv1 =
            lyceum::convolve_backward(d_inner, x, block.parameters[0], stage.window1(i),
                                      {i > 0 || context->needs_input_grad(0),
                                       context->needs_input_grad(1 + kParameters * i), false},
                                      sum ? passed : at::Tensor());
        dx = conv1.x;
        of[0] = conv1.weight;
        if (i > 0) {
          previous.emplace(block_of(i - 1).norm2(lyceum::kParts));
          sum_all(*previous, block_of(i - 1).outer(dx.data_ptr<float>(), dx.data_ptr<float>(), 0),
                  c);
        }
      }
      if (i == 0) {
        if (!given && !sum && dx.defined()) lyceum::add_option_a_gradient(passed, stride, dx);
        if (given) found[1 + (kParameters + kAverages) * count] = passed;
        found[0] = dx;
      }
      passed = dx;
      norm2 = std::move(previous);
    }
    return found;
  }
};

at::Tensor residual_stage_autograd(const at::Tensor& x, at::TensorList parameters,
                                   at::TensorList averages, const OptionalTensor& shortcut,
                                   int64_t stride, bool allow_winograd, double momentum,
                                   double eps) {
  return ResidualStage::apply(x, parameters, averages, shortcut, stride, allow_winograd, momentum,
                              eps);
}

}  // namespace

TORCH_LIBRARY_FRAGMENT(lyceum, m) {
  m.def(
      "residual_stage(Tensor x, Tensor[] parameters, Tensor(a!)[] averages, Tensor? shortcut, int "
      "stride, bool allow_winograd, "
      "float momentum, float eps) -> Tensor");
}

TORCH_LIBRARY_IMPL(lyceum, CPU, m) { m.impl("residual_stage", residual_stage); }

TORCH_LIBRARY_IMPL(lyceum, AutogradCPU, m) { m.impl("residual_stage", residual_stage_autograd); }
