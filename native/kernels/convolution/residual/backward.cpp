#include <ATen/ops/empty_like.h>

#include <algorithm>
#include <optional>

#include "kernels/convolution/residual/training.h"
#include "kernels/option_a_shortcut.h"

namespace lyceum::residual {
namespace {

using FloatNormGradient = NormGradient<float>;

double values_of(const Channels& c) { return double(std::max<int64_t>(1, c.segments * c.rows)); }

void sum_all(FloatNormGradient& norm, const FloatNormGradient::Memory& memory, const Channels& c) {
  for_parts(
      c, [&](int64_t part, int64_t begin, int64_t end) { norm.sum(part, memory, c, begin, end); });
}

void input_all(const FloatNormGradient& norm, const float* dy, const float* x, float* dx,
               bool through, const Channels& c) {
  for_parts(c, [&](int64_t, int64_t begin, int64_t end) {
    norm.input(dy, x, dx, through, c, begin, end);
  });
}

using Memory = FloatNormGradient::Memory;

Memory outer(const Saved& block, const float* dy, float* passed, int64_t at) {
  return {dy + at, block.z2.data_ptr<float>() + at, block.y2.data_ptr<float>() + at, passed + at};
}

// The gradient of what lies between norm1 and conv1; `passed` is that of norm2's result. Norm1 is
// settled then.
at::Tensor backward_outer(const Saved& block, const at::Tensor* parameters, const Window& window,
                          const FloatNormGradient& norm2, const at::Tensor& passed,
                          std::optional<FloatNormGradient>& norm1, at::Tensor& d_weight2) {
  const Channels c = channels_in(block.z2);
  at::Tensor d_inner;
  const float *inner = block.z1.data_ptr<float>(), *outer = block.z2.data_ptr<float>();
  const float* d_outer = passed.data_ptr<float>();
  const auto streamed =
      block.y1.defined() ? std::nullopt : StreamedConvolution::of(block.z1, parameters[3], window);
  norm1.emplace(parameters[1], parameters[2], block.mean1, block.inverse1, true,
                streamed ? streamed->parts() : kParts);
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
    const std::vector<Prefetched> prefetched{images_of(passed), images_of(block.z2),
                                             images_of(block.z1)};
    d_weight2 =
        streamed->backward({}, d_inner, false, {before, after, prefetched, {images_of(d_inner)}});
  } else {
    const at::Tensor dz = at::empty_like(block.z2);
    input_all(norm2, d_outer, outer, dz.data_ptr<float>(), false, c);
    const auto found = convolve_backward(dz, block.y1, parameters[3], window, {true, true, false});
    d_inner = found.x;
    d_weight2 = found.weight;
    sum_all(*norm1, {d_inner.data_ptr<float>(), inner}, c);
  }
  norm1->settle(values_of(c));
  return d_inner;
}

}  // namespace

Gradients backward(const at::Tensor& dy_given, const at::Tensor& first_x, const Stage& stage,
                   at::TensorList saved, bool with_shortcut, bool x_wanted,
                   const std::vector<bool>& weights1_wanted) {
  const size_t count = stage.count();
  const auto block_of = [&](size_t i) { return Saved::of(&saved[Saved::kTensors * i]); };
  const auto parameters_of = [&](size_t i) { return &stage.parameters[kParameters * i]; };
  const auto norm2_of = [&](size_t i, int64_t parts) {
    const at::Tensor* p = parameters_of(i);
    const Saved block = block_of(i);
    return FloatNormGradient(p[4], p[5], block.mean2, block.inverse2, true, parts);
  };
  Gradients found;
  found.parameters.resize(kParameters * count);
  // The part of the gradient of a block's result that came through the ReLU. In all blocks but
  // the last it lies where the gradient itself did.
  const at::Tensor dy = dy_given.contiguous();
  at::Tensor passed = at::empty_like(dy);
  std::optional<FloatNormGradient> norm2 = norm2_of(count - 1, kParts), norm1, previous;
  sum_all(*norm2, outer(block_of(count - 1), dy.data_ptr<float>(), passed.data_ptr<float>(), 0),
          channels_in(passed));
  for (size_t i = count; i-- > 0;) {
    const Saved block = block_of(i);
    const Channels c = channels_in(block.z1);
    at::Tensor* of = &found.parameters[kParameters * i];
    norm2->settle(values_of(c));
    at::Tensor d_inner =
        backward_outer(block, parameters_of(i), stage.window2(), *norm2, passed, norm1, of[3]);
    of[1] = norm1->weight;
    of[2] = norm1->bias;
    of[4] = norm2->weight;
    of[5] = norm2->bias;

    const at::Tensor& x = i == 0 ? first_x : block_of(i - 1).y2;
    const bool sum = i > 0 || (!with_shortcut && x.sizes() == block.z1.sizes());
    float* d_inner_data = d_inner.data_ptr<float>();
    const float* inner = block.z1.data_ptr<float>();
    at::Tensor dx;
    if (const auto streamed = StreamedConvolution::of(x, parameters_of(i)[0], stage.window1(i))) {
      dx = sum ? passed : at::empty_like(x);
      const auto before = [&](int64_t begin, int64_t end, float* dz, float*) {
        const auto [at, some] = Images(c, begin, end);
        norm1->input(d_inner_data + at, inner + at, dz, true, some, 0, some.tiles());
      };
      std::function<void(int64_t, int64_t, int64_t)> after;
      std::vector<Prefetched> prefetched_after{images_of(dx)};
      if (i > 0) {
        prefetched_after.push_back(images_of(block_of(i - 1).z2));
        previous.emplace(norm2_of(i - 1, streamed->parts()));
        after = [&, block_before = block_of(i - 1), data = dx.data_ptr<float>()](
                    int64_t part, int64_t begin, int64_t end) {
          const auto [at, some] = Images(c, begin, end);
          previous->sum(part, outer(block_before, data, data, at), some, 0, some.tiles());
        };
      }
      const std::vector<Prefetched> prefetched{images_of(d_inner), images_of(block.z1),
                                               images_of(x)};
      of[0] = streamed->backward(x, dx, sum, {before, after, prefetched, prefetched_after});
    } else {
      input_all(*norm1, d_inner_data, inner, d_inner_data, true, c);
      const auto conv1 = convolve_backward(d_inner, x, parameters_of(i)[0], stage.window1(i),
                                           {i > 0 || x_wanted, weights1_wanted[i], false},
                                           sum ? passed : at::Tensor());
      dx = conv1.x;
      of[0] = conv1.weight;
      if (i > 0) {
        previous.emplace(norm2_of(i - 1, kParts));
        sum_all(*previous, outer(block_of(i - 1), dx.data_ptr<float>(), dx.data_ptr<float>(), 0),
                c);
      }
    }
    if (i == 0) {
      if (!with_shortcut && !sum && dx.defined())
        add_option_a_gradient(passed, stage.strides[0], dx);
      if (with_shortcut) found.shortcut = passed;
      found.x = dx;
    }
    passed = dx;
    norm2 = std::move(previous);
  }
  return found;
}

}  // namespace lyceum::residual
