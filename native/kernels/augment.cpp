// lyceum::augment: uint8 images to normalised, cropped, flipped float32 batches, channels-last.
//
// Single-threaded on purpose: it runs on a background thread while the training step owns the
// cores. The same computation out of ATen operators is in src/data/augment.ts; tests hold the two
// equal to the bit.
#include <ATen/core/Tensor.h>
#include <ATen/ops/empty.h>
#include <torch/library.h>

#include <algorithm>
#include <cmath>
#include <vector>

namespace {

struct Planes {
  int64_t channels, height, width;
  // The normalised value of each byte, by channel: [channels, 256].
  const float* table;
};

struct Crop {
  // The row and column of the image at which the result begins; what lies outside the image is
  // black.
  int64_t top, left;
  bool flip;
};

// One image, [C, H, W] to [H, W, C]. kChannels is their number, or 0 for any.
template <int64_t kChannels>
void crop_image(const Planes& planes, const uint8_t* from, const Crop& crop, float* to) {
  const int64_t channels = kChannels > 0 ? kChannels : planes.channels;
  const int64_t height = planes.height, width = planes.width;
  const float* table = planes.table;
  // Columns of the result that lie in the image.
  const int64_t begin = std::max<int64_t>(0, crop.flip ? crop.left : -crop.left);
  const int64_t end = width - std::max<int64_t>(0, crop.flip ? -crop.left : crop.left);
  const int64_t first = crop.flip ? width - 1 + crop.left : crop.left, step = crop.flip ? -1 : 1;
  for (int64_t y = 0; y < height; y++, to += width * channels) {
    const int64_t row = y + crop.top;
    const bool inside = row >= 0 && row < height;
    const auto fill_black = [&](int64_t from, int64_t until) {
      for (int64_t x = from; x < until; x++) {
        for (int64_t c = 0; c < channels; c++) to[x * channels + c] = table[256 * c];
      }
    };
    fill_black(0, inside ? begin : width);
    if (!inside) continue;
    const uint8_t* pixels = from + row * width + first;
    for (int64_t x = begin; x < end; x++) {
      for (int64_t c = 0; c < channels; c++) {
        to[x * channels + c] = table[256 * c + pixels[c * height * width + x * step]];
      }
    }
    fill_black(end, width);
  }
}

// images   uint8 [N, C, H, W], contiguous
// indices  int64 [B]
// offsets  int32 [B, 3]: dy, dx in 0..2 pad; flip 0 or 1
// Result float32 [B, C, H, W], channels-last: image indices[b] with `pad` rows and columns of zeros
// (black) around it, cropped to H x W at (dy, dx), mirrored when flip is 1, then (value / 255 -
// mean[c]) / std[c].
at::Tensor augment(const at::Tensor& images, const at::Tensor& indices_in,
                   const at::Tensor& offsets_in, int64_t pad, at::ArrayRef<double> mean,
                   at::ArrayRef<double> std) {
  TORCH_CHECK(images.is_cpu() && indices_in.is_cpu() && offsets_in.is_cpu(),
              "augment: all tensors must be on the CPU");
  TORCH_CHECK(images.dim() == 4 && images.scalar_type() == at::kByte,
              "augment: images must be uint8 [N, C, H, W], got ", images.scalar_type(), " ",
              images.sizes());
  TORCH_CHECK(images.is_contiguous(), "augment: images must be contiguous");
  const int64_t count = images.size(0), channels = images.size(1);
  const int64_t height = images.size(2), width = images.size(3);
  TORCH_CHECK(height > 0 && width > 0 && channels > 0, "augment: images must not be empty, got ",
              images.sizes());
  TORCH_CHECK(indices_in.dim() == 1 && indices_in.scalar_type() == at::kLong,
              "augment: indices must be int64 [B], got ", indices_in.scalar_type(), " ",
              indices_in.sizes());
  const int64_t batch = indices_in.size(0);
  TORCH_CHECK(
      offsets_in.scalar_type() == at::kInt && offsets_in.sizes() == at::IntArrayRef({batch, 3}),
      "augment: offsets must be int32 [", batch, ", 3], got ", offsets_in.scalar_type(), " ",
      offsets_in.sizes());
  TORCH_CHECK(pad >= 0 && pad < height && pad < width,
              "augment: pad must be 0 or more and less than the image's ", height, " x ", width,
              ", got ", pad);
  TORCH_CHECK(int64_t(mean.size()) == channels && int64_t(std.size()) == channels,
              "augment: mean and std must have one value per channel (", channels, "), got ",
              mean.size(), " and ", std.size());
  for (int64_t c = 0; c < channels; c++) {
    TORCH_CHECK(std::isfinite(mean[c]) && std::isfinite(std[c]) && std[c] > 0,
                "augment: mean must be finite and std above 0, got ", mean[c], " and ", std[c],
                " for channel ", c);
  }
  const at::Tensor indices = indices_in.contiguous(), offsets = offsets_in.contiguous();
  const int64_t* index = indices.data_ptr<int64_t>();
  const int32_t* offset = offsets.data_ptr<int32_t>();
  for (int64_t b = 0; b < batch; b++) {
    TORCH_CHECK(index[b] >= 0 && index[b] < count, "augment: indices[", b, "] must be 0..",
                count - 1, ", got ", index[b]);
    const int32_t dy = offset[3 * b], dx = offset[3 * b + 1], flip = offset[3 * b + 2];
    TORCH_CHECK(dy >= 0 && dy <= 2 * pad && dx >= 0 && dx <= 2 * pad && flip >= 0 && flip <= 1,
                "augment: offsets[", b, "] must be dy, dx in 0..", 2 * pad,
                " and flip 0 or 1, got ", dy, ", ", dx, ", ", flip);
  }

  // Each of the 256 values, normalised once per channel: the pixel loop then only copies.
  std::vector<float> table(256 * channels);
  for (int64_t c = 0; c < channels; c++) {
    for (int value = 0; value < 256; value++) {
      table[256 * c + value] = (float(value) / 255.0f - float(mean[c])) / float(std[c]);
    }
  }

  at::Tensor result = at::empty({batch, channels, height, width},
                                images.options().dtype(at::kFloat), at::MemoryFormat::ChannelsLast);
  const Planes planes{channels, height, width, table.data()};
  const auto crop = channels == 1 ? crop_image<1> : channels == 3 ? crop_image<3> : crop_image<0>;
  for (int64_t b = 0; b < batch; b++) {
    crop(planes, images.data_ptr<uint8_t>() + index[b] * channels * height * width,
         {offset[3 * b] - pad, offset[3 * b + 1] - pad, offset[3 * b + 2] != 0},
         result.data_ptr<float>() + b * channels * height * width);
  }
  return result;
}

}  // namespace

TORCH_LIBRARY_FRAGMENT(lyceum, m) {
  m.def(
      "augment(Tensor images, Tensor indices, Tensor offsets, int pad, float[] mean, float[] std) "
      "-> Tensor");
}

TORCH_LIBRARY_IMPL(lyceum, CPU, m) { m.impl("augment", augment); }
