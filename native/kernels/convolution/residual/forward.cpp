#include <ATen/Parallel.h>
#include <ATen/ops/empty_like.h>

#include "kernels/convolution/residual/training.h"
#include "kernels/option_a_shortcut.h"

namespace lyceum::residual {
namespace {

const batch_norm::Kernels<float>& table() { return kernels().batch_norm; }

void check(const at::Tensor& x, const Stage& stage) {
  TORCH_CHECK(is_blocked(x) && x.scalar_type() == at::kFloat,
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

// Writes a block's result, of some images.
void write_result(const Kept& block, int64_t begin, int64_t end) {
  const auto [at, c] = Images(channels_in(block.z2), begin, end);
  const auto& [scale, shift] = block.second.scaling;
  table().apply(batch_norm::Apply<float>{block.z2.data_ptr<float>() + at,
                                         block.shortcut.data_ptr<float>() + at, scale.data(),
                                         shift.data(), block.y2.data_ptr<float>() + at, true},
                c, 0, c.tiles());
}

void write_results(const Kept& block) {
  at::parallel_for(0, block.z2.size(0), 1,
                   [&](int64_t begin, int64_t end) { write_result(block, begin, end); });
}

using Before = std::function<void(int64_t begin, int64_t end, float* x)>;

// Convolves x, which `before` writes some images of; or, where x is undefined, what `before` writes
// to where it is told to.
void convolve_and_settle(const StreamedConvolution& convolution, const at::Tensor& x,
                         const Norm& norm, const Before& before, std::vector<Prefetched> prefetched,
                         at::Tensor& z, Settled& settled) {
  PartMoments moments(convolution.parts(), norm.weight.numel());
  z = convolution.empty_result();
  check_norm(z, norm, {});
  const auto after = [&](int64_t part, int64_t begin, int64_t end) {
    const auto [at, c] = Images(channels_in(z), begin, end);
    table().find_moments(z.data_ptr<float>() + at, c, 0, c.tiles(), moments[part]);
  };
  prefetched.push_back(images_of(z));
  convolution.forward(x, z, {before, after, std::move(prefetched)});
  settled = settle(norm, moments.all());
}

Settled settle_all(const at::Tensor& z, const Norm& norm) {
  check_norm(z, norm, {});
  return settle(norm, statistics_of(z));
}

// What the first block adds.
at::Tensor first_shortcut(const at::Tensor& x, const Stage& stage, const at::Tensor& given) {
  const int64_t channels = stage[0].weight2.size(0);
  if (given.defined()) return given.contiguous();
  if (stage.strides[0] == 1 && channels == channels_of(x)) return x;
  return option_a_shortcut(x, channels, stage.strides[0]);
}

}  // namespace

void write_inner(const at::Tensor& z, const Scaling& scaling, int64_t begin, int64_t end,
                 float* y) {
  const auto [at, c] = Images(channels_in(z), begin, end);
  table().apply(batch_norm::Apply<float>{z.data_ptr<float>() + at, nullptr, scaling.scale.data(),
                                         scaling.shift.data(), y, true},
                c, 0, c.tiles());
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
    if (const auto streamed = StreamedConvolution::of(x, weight1, window1)) {
      Before before;
      std::vector<Prefetched> prefetched{images_of(x)};
      if (previous) {
        before = [&](int64_t begin, int64_t end, float*) { write_result(*previous, begin, end); };
        prefetched = {images_of(previous->z2), images_of(previous->shortcut), images_of(x)};
      }
      convolve_and_settle(*streamed, x, norm1, before, std::move(prefetched), block.z1,
                          block.first);
    } else {
      if (previous) write_results(*previous);
      block.z1 = convolve(x, weight1, {}, window1);
      block.first = settle_all(block.z1, norm1);
    }
    if (const auto streamed = StreamedConvolution::of(block.z1, weight2, window2)) {
      const auto before = [&](int64_t begin, int64_t end, float* y) {
        write_inner(block.z1, block.first.scaling, begin, end, y);
      };
      convolve_and_settle(*streamed, {}, norm2, before, {images_of(block.z1)}, block.z2,
                          block.second);
    } else {
      block.y1 = scaled(block.z1, block.first.scaling, {}, true);
      block.z2 = convolve(block.y1, weight2, {}, window2);
      block.second = settle_all(block.z2, norm2);
    }
    block.shortcut = i == 0 ? first_shortcut(x, stage, shortcut) : x;
    check_norm(block.z2, norm2, block.shortcut);
    x = block.y2 = at::empty_like(block.z2);
  }
  write_results(all.back());
  for (size_t i = 0; i < all.size(); i++) {
    stage[i].norm1.bump_versions();
    stage[i].norm2.bump_versions();
  }
  return all;
}

}  // namespace lyceum::residual
