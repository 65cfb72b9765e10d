#include <ATen/ops/empty_like.h>
#include <ATen/ops/zeros_like.h>

#include <optional>

#include "kernels/convolution/bottleneck/training.h"

namespace lyceum::bottleneck {
namespace {

using Gradient = NormGradient<float>;

double values_of(const at::Tensor& z) {
  const Channels c = channels_in(z);
  return double(c.segments * c.rows);
}

float* data(const at::Tensor& x) { return x.data_ptr<float>(); }

Gradient gradient_of(const Stage& stage, const Saved& saved, size_t block, size_t layer) {
  return {stage.scale(block, layer),
          stage.shift(block, layer),
          saved.mean[layer],
          saved.inverse[layer],
          true,
          kParts};
}

void sum(Gradient& norm, const Gradient::Memory& memory, const Channels& c) {
  for_parts(
      c, [&](int64_t part, int64_t begin, int64_t end) { norm.sum(part, memory, c, begin, end); });
}

// Of the norm before a block's last ReLU; what passes it is written to `passed`, which may be dy.
void sum_outer(Gradient& norm, const at::Tensor& dy, const at::Tensor& z, const at::Tensor& y,
               const at::Tensor& passed) {
  sum(norm, {data(dy), data(z), data(y), data(passed)}, channels_in(z));
}

// z's gradient; `through` says whether dy has yet to come through the ReLU. `dz` may be dy.
void write_input(const Gradient& norm, const at::Tensor& dy, const at::Tensor& z, bool through,
                 const at::Tensor& dz) {
  const Channels c = channels_in(z);
  for_parts(c, [&](int64_t, int64_t begin, int64_t end) {
    norm.input(data(dy), data(z), data(dz), through, c, begin, end);
  });
}

void add_weight_gradient(const at::Tensor& dz, const at::Tensor& x, const at::Tensor& weight,
                         at::Tensor& d_weight) {
  const at::Tensor found =
      convolve_backward(dz, x, weight, Stage::pointwise(), {false, true, false}).weight;
  if (d_weight.defined()) {
    d_weight.add_(found);
  } else {
    d_weight = found;
  }
}

void keep(const Gradient& norm, at::Tensor* of) {
  of[1] = norm.weight;
  of[2] = norm.bias;
}

}  // namespace

Gradients backward(const at::Tensor& dy_given, const at::Tensor& first_x, const Stage& stage,
                   const std::vector<Saved>& saved, bool with_shortcut, bool x_wanted) {
  const size_t count = stage.count();
  Gradients found;
  found.parameters.resize(kParameters * count);
  const at::Tensor dy = dy_given.contiguous();
  // The part of the gradient of a block's result that came through the ReLU. In all blocks but
  // the last it lies where the gradient itself did.
  at::Tensor passed = at::empty_like(dy);
  std::optional<Gradient> norm3 = gradient_of(stage, saved.back(), count - 1, 2), previous;
  sum_outer(*norm3, dy, saved.back().z[2], saved.back().y[2], passed);
  for (size_t i = count; i-- > 0;) {
    const Saved& block = saved[i];
    at::Tensor* of = &found.parameters[kParameters * i];
    norm3->settle(values_of(block.z[2]));
    keep(*norm3, of + 6);

    Gradient norm2 = gradient_of(stage, block, i, 1);
    const at::Tensor d2 = at::empty_like(block.z[1]);
    {
      const ImageGroups groups(block.z[2]);
      const at::Tensor dz_all = at::empty_like(block.z[2].narrow(0, 0, groups.most()));
      for (int64_t group = 0; group < groups.count(); group++) {
        const at::Tensor dz = dz_all.narrow(0, 0, groups.size(group)),
                         y2 = groups.of(block.y[1], group), some = groups.of(d2, group),
                         z2 = groups.of(block.z[1], group);
        write_input(*norm3, groups.of(passed, group), groups.of(block.z[2], group), false, dz);
        convolve_backward_to(dz, y2, stage.weight(i, 2), Stage::pointwise(), some, false);
        add_weight_gradient(dz, y2, stage.weight(i, 2), of[6]);
        sum(norm2, {data(some), data(z2)}, channels_in(z2));
      }
    }
    norm2.settle(values_of(block.z[1]));
    keep(norm2, of + 3);
    write_input(norm2, d2, block.z[1], true, d2);

    const auto inner = convolve_backward(d2, block.y[0], stage.weight(i, 1),
                                         stage.window(i, block.y[0]), {true, true, false});
    of[3] = inner.weight;
    Gradient norm1 = gradient_of(stage, block, i, 0);
    const at::Tensor& d1 = inner.x;
    sum(norm1, {data(d1), data(block.z[0])}, channels_in(d1));
    norm1.settle(values_of(d1));
    keep(norm1, of);

    const at::Tensor& x = i == 0 ? first_x : saved[i - 1].y[2];
    // The shortcut's gradient and conv1's add up where the shortcut is x itself.
    const bool adds = i > 0 || !with_shortcut;
    const at::Tensor dx = adds ? passed : at::empty_like(x);
    if (i > 0) previous.emplace(gradient_of(stage, saved[i - 1], i - 1, 2));
    const ImageGroups groups(x);
    for (int64_t group = 0; group < groups.count(); group++) {
      const at::Tensor dz = groups.of(d1, group), some_x = groups.of(x, group),
                       some = groups.of(dx, group);
      write_input(norm1, dz, groups.of(block.z[0], group), true, dz);
      add_weight_gradient(dz, some_x, stage.weight(i, 0), of[0]);
      if (i > 0 || x_wanted) {
        convolve_backward_to(dz, some_x, stage.weight(i, 0), Stage::pointwise(), some, adds);
      }
      if (i > 0) {
        sum_outer(*previous, some, groups.of(saved[i - 1].z[2], group), some_x, some);
      }
    }
    if (i == 0) {
      if (with_shortcut) found.shortcut = passed;
      if (x_wanted) found.x = dx;
    }
    passed = dx;
    norm3 = std::move(previous);
  }
  return found;
}

}  // namespace lyceum::bottleneck
