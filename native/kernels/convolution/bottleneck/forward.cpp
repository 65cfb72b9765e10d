#include <ATen/ops/empty_like.h>

#include "kernels/convolution/bottleneck/training.h"

namespace lyceum::bottleneck {
namespace {

void check(const at::Tensor& x, const Stage& stage) {
  TORCH_CHECK(is_blocked(x) && x.scalar_type() == at::kFloat && x.numel() > 0,
              "bottleneck_stage: x must be float32 [N, C / 16, H, W, 16], got ", x.scalar_type(),
              " ", x.sizes());
  TORCH_CHECK(stage.count() > 0 && stage.parameters.size() == kParameters * stage.count() &&
                  stage.averages.size() == kAverages * stage.count(),
              "bottleneck_stage: nine parameters and six averages for each block, got ",
              stage.parameters.size(), " and ", stage.averages.size());
  for (size_t i = 0; i < stage.count(); i++) {
    for (size_t layer = 0; layer < kLayers; layer++) {
      const at::Tensor& weight = stage.weight(i, layer);
      const int64_t window = layer == 1 ? 3 : 1;
      TORCH_CHECK(weight.dim() == 4 && weight.size(2) == window && weight.size(3) == window,
                  "bottleneck_stage: weights must be [K, C, ", window, ", ", window, "], got ",
                  weight.sizes());
    }
  }
}

// Writes relu(z · scale + shift + shortcut) to `y`; the shortcut may be undefined.
void write(const at::Tensor& z, const Scaling& scaling, const at::Tensor& shortcut,
           const at::Tensor& y) {
  const Channels c = channels_in(z);
  const batch_norm::Apply<float> given{
      z.data_ptr<float>(),  shortcut.defined() ? shortcut.data_ptr<float>() : nullptr,
      scaling.scale.data(), scaling.shift.data(),
      y.data_ptr<float>(),  true};
  for_parts(c, [&](int64_t, int64_t begin, int64_t end) {
    kernels().batch_norm.apply(given, c, begin, end);
  });
}

// What is not written yet: relu(z · scale + shift + shortcut).
struct Pending {
  at::Tensor z, shortcut, y;
  Scaling scaling;

  void write(const ImageGroups& groups, int64_t group) const {
    const at::Tensor added = shortcut.defined() ? groups.of(shortcut, group) : shortcut;
    bottleneck::write(groups.of(z, group), scaling, added, groups.of(y, group));
  }
};

// A 1x1 convolution of what is pending, if anything is, a few images at a time.
at::Tensor convolve_pointwise(const at::Tensor& x, const Pending* pending, const at::Tensor& weight,
                              PartMoments& moments) {
  const at::Tensor z = empty_convolution(x, weight, Stage::pointwise());
  const ImageGroups groups(x.numel() > z.numel() ? x : z);
  for (int64_t group = 0; group < groups.count(); group++) {
    if (pending) pending->write(groups, group);
    const at::Tensor some = groups.of(z, group);
    convolve_to(groups.of(x, group), weight, Stage::pointwise(), some);
    const Channels c = channels_in(some);
    for_parts(c, [&](int64_t part, int64_t begin, int64_t end) {
      kernels().batch_norm.find_moments(some.data_ptr<float>(), c, begin, end, moments[part]);
    });
  }
  return z;
}

Settled settle_layer(const at::Tensor& z, const Norm& norm, PartMoments& moments) {
  check_norm(z, norm, {});
  return settle(norm, moments.all());
}

void keep(Saved& saved, size_t layer, const at::Tensor& z, const at::Tensor& y,
          const Settled& settled) {
  saved.z[layer] = z;
  saved.y[layer] = y;
  saved.mean[layer] = settled.mean;
  saved.inverse[layer] = settled.inverse;
}

}  // namespace

// Each block's result is written by the block that reads it first.
std::vector<Saved> forward(const at::Tensor& x_given, const Stage& stage,
                           const at::Tensor& shortcut) {
  check(x_given, stage);
  std::vector<Saved> all(stage.count());
  at::Tensor x = x_given.contiguous();
  Pending pending;
  for (size_t i = 0; i < all.size(); i++) {
    PartMoments first(kParts, stage.scale(i, 0).numel()), last(kParts, stage.scale(i, 2).numel());
    const at::Tensor z1 =
        convolve_pointwise(x, i == 0 ? nullptr : &pending, stage.weight(i, 0), first);
    const Settled norm1 = settle_layer(z1, stage.norm(i, 0), first);
    const at::Tensor y1 = scaled(z1, norm1.scaling, {}, true);

    const at::Tensor z2 = convolve(y1, stage.weight(i, 1), {}, stage.window(i, y1));
    check_norm(z2, stage.norm(i, 1), {});
    const Settled norm2 = settle(stage.norm(i, 1), statistics_of(z2));
    pending = {z2, {}, at::empty_like(z2), norm2.scaling};

    const at::Tensor y2 = pending.y;
    const at::Tensor z3 = convolve_pointwise(y2, &pending, stage.weight(i, 2), last);
    const at::Tensor added = i == 0 && shortcut.defined() ? shortcut.contiguous() : x;
    check_norm(z3, stage.norm(i, 2), added);
    const Settled norm3 = settle_layer(z3, stage.norm(i, 2), last);
    pending = {z3, added, at::empty_like(z3), norm3.scaling};
    x = pending.y;

    keep(all[i], 0, z1, y1, norm1);
    keep(all[i], 1, z2, y2, norm2);
    keep(all[i], 2, z3, x, norm3);
  }
  write(pending.z, pending.scaling, pending.shortcut, pending.y);
  for (size_t i = 0; i < all.size(); i++) {
    for (size_t layer = 0; layer < kLayers; layer++) stage.norm(i, layer).bump_versions();
  }
  return all;
}

}  // namespace lyceum::bottleneck
