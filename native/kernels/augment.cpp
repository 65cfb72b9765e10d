// lyceum::augment: uint8 images to normalised, cropped, flipped float32 batches, channels-last.
// Where that is asked for, a policy's operations are applied to the bytes first, and rectangles are
// erased at last.
//
// Single-threaded on purpose: it runs on a background thread while the training step owns the
// cores. Crops and flips out of ATen operators are in src/data/augment.ts; tests hold the two equal
// to the bit.
#include <ATen/core/Tensor.h>
#include <ATen/ops/empty.h>
#include <torch/library.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "kernels/image_operations.h"
#include "optional.h"

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

struct Rectangle {
  int64_t top, left, height, width;
};

// The noise of a seed at a place: a byte. It is the finaliser of MurmurHash3 on a counter, as in
// src/data/random.ts.
uint8_t noise_byte(uint32_t seed, uint32_t place) {
  uint32_t word = seed + (place + 1) * 0x9e3779b1u;
  word = (word ^ (word >> 16)) * 0x85ebca6bu;
  word = (word ^ (word >> 13)) * 0xc2b2ae35u;
  return uint8_t((word ^ (word >> 16)) >> 24);
}

// Overwrites a rectangle of an image [H, W, C]: by zeros, or by normalised random bytes.
void erase(const Planes& planes, const Rectangle& rectangle, bool noise, uint32_t seed,
           float* image) {
  const int64_t channels = planes.channels;
  uint32_t place = 0;
  for (int64_t y = rectangle.top; y < rectangle.top + rectangle.height; y++) {
    float* row = image + (y * planes.width + rectangle.left) * channels;
    for (int64_t x = 0; x < rectangle.width; x++) {
      for (int64_t c = 0; c < channels; c++, place++) {
        row[x * channels + c] = noise ? planes.table[256 * c + noise_byte(seed, place)] : 0.0f;
      }
    }
  }
}

// The rectangles to erase, int32 [B, 5]: top, left, height, width, and the seed of the noise.
at::Tensor checked_erasures(const at::Tensor& given, int64_t batch, int64_t height, int64_t width) {
  TORCH_CHECK(given.is_cpu() && given.scalar_type() == at::kInt &&
                  given.sizes() == at::IntArrayRef({batch, 5}),
              "augment: erasures must be int32 [", batch, ", 5] on the CPU, got ",
              given.scalar_type(), " ", given.sizes());
  const at::Tensor erasures = given.contiguous();
  const int32_t* values = erasures.data_ptr<int32_t>();
  for (int64_t b = 0; b < batch; b++) {
    const int64_t top = values[5 * b], left = values[5 * b + 1];
    const int64_t tall = values[5 * b + 2], wide = values[5 * b + 3];
    TORCH_CHECK(top >= 0 && left >= 0 && tall >= 0 && wide >= 0 && top + tall <= height &&
                    left + wide <= width,
                "augment: erasures[", b, "] must lie in ", height, " x ", width, ", got ", tall,
                " x ", wide, " at ", top, ", ", left);
  }
  return erasures;
}

// What a policy does to each image of a batch: operations int32 [B, n] one after the other, with
// magnitudes float64 [B, n].
class Policy {
 public:
  Policy(const at::Tensor& operations, const at::Tensor& magnitudes, int64_t batch,
         const lyceum::ImageShape& shape)
      : shape_(shape) {
    TORCH_CHECK(operations.is_cpu() && operations.scalar_type() == at::kInt &&
                    operations.dim() == 2 && operations.size(0) == batch,
                "augment: operations must be int32 [", batch, ", n] on the CPU, got ",
                operations.scalar_type(), " ", operations.sizes());
    TORCH_CHECK(magnitudes.is_cpu() && magnitudes.scalar_type() == at::kDouble &&
                    magnitudes.sizes() == operations.sizes(),
                "augment: magnitudes must be float64 ", operations.sizes(), " on the CPU, got ",
                magnitudes.scalar_type(), " ", magnitudes.sizes());
    TORCH_CHECK(shape.channels == 1 || shape.channels == 3,
                "augment: operations are for images of 1 or 3 channels, got ", shape.channels);
    operations_ = operations.contiguous();
    magnitudes_ = magnitudes.contiguous();
    steps_ = operations.size(1);
    for (int64_t i = 0; i < operations_.numel(); i++) {
      const int32_t operation = operations_.data_ptr<int32_t>()[i];
      const double magnitude = magnitudes_.data_ptr<double>()[i];
      TORCH_CHECK(operation >= 0 && operation < lyceum::kImageOperations,
                  "augment: an operation must be 0..", lyceum::kImageOperations - 1, ", got ",
                  operation);
      TORCH_CHECK(std::abs(magnitude) <= lyceum::kLargestMagnitude,
                  "augment: a magnitude must be a number up to ", lyceum::kLargestMagnitude,
                  " either way, got ", magnitude);
    }
    for (auto& buffer : buffers_) buffer.resize(shape.channels * shape.height * shape.width);
  }

  // The image with the operations for place b in the batch applied; it is valid until the next
  // call.
  const uint8_t* apply(int64_t b, const uint8_t* image) {
    for (int64_t i = b * steps_; i < (b + 1) * steps_; i++) {
      uint8_t* to = buffers_[i % 2].data();
      lyceum::apply_operation(lyceum::ImageOperation(operations_.data_ptr<int32_t>()[i]),
                              magnitudes_.data_ptr<double>()[i], shape_, image, to);
      image = to;
    }
    return image;
  }

 private:
  const lyceum::ImageShape shape_;
  at::Tensor operations_, magnitudes_;
  int64_t steps_;
  std::vector<uint8_t> buffers_[2];
};

// images   uint8 [N, C, H, W], contiguous
// indices  int64 [B]
// offsets  int32 [B, 3]: dy, dx in 0..2 pad; flip 0 or 1
// Result float32 [B, C, H, W], channels-last: image indices[b], after the operations of a policy,
// with `pad` rows and columns of zeros (black) around it, cropped to H x W at (dy, dx), mirrored
// when flip is 1, then (value / 255 - mean[c]) / std[c]; at last the rectangle of `erasures` is
// overwritten.
at::Tensor augment(const at::Tensor& images, const at::Tensor& indices_in,
                   const at::Tensor& offsets_in, int64_t pad, at::ArrayRef<double> mean,
                   at::ArrayRef<double> std, const lyceum::Optional<at::Tensor>& erasures_in,
                   bool noise, const lyceum::Optional<at::Tensor>& operations,
                   const lyceum::Optional<at::Tensor>& magnitudes) {
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

  at::Tensor erasures;
  if (erasures_in) erasures = checked_erasures(*erasures_in, batch, height, width);

  TORCH_CHECK(bool(operations) == bool(magnitudes),
              "augment: operations and magnitudes must be given together");
  lyceum::Optional<Policy> policy;
  if (operations) {
    policy.emplace(*operations, *magnitudes, batch, lyceum::ImageShape{channels, height, width});
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
  const int64_t values = channels * height * width;
  for (int64_t b = 0; b < batch; b++) {
    float* to = result.data_ptr<float>() + b * values;
    const uint8_t* from = images.data_ptr<uint8_t>() + index[b] * values;
    if (policy) from = policy->apply(b, from);
    crop(planes, from, {offset[3 * b] - pad, offset[3 * b + 1] - pad, offset[3 * b + 2] != 0}, to);
    if (erasures.defined()) {
      const int32_t* of = erasures.data_ptr<int32_t>() + 5 * b;
      erase(planes, {of[0], of[1], of[2], of[3]}, noise, uint32_t(of[4]), to);
    }
  }
  return result;
}

}  // namespace

TORCH_LIBRARY_FRAGMENT(lyceum, m) {
  m.def(
      "augment(Tensor images, Tensor indices, Tensor offsets, int pad, float[] mean, float[] std, "
      "Tensor? erasures=None, bool noise=False, Tensor? operations=None, Tensor? magnitudes=None) "
      "-> Tensor");
}

TORCH_LIBRARY_IMPL(lyceum, CPU, m) { m.impl("augment", augment); }
