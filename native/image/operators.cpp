// lyceum::decode_images and its kin: encoded images to batches of bytes.
#include <ATen/core/Tensor.h>
#include <ATen/ops/empty.h>
#include <torch/library.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <string>
#include <vector>

#include "image/boxes.h"
#include "image/decode.h"
#include "image/jpeg.h"
#include "image/pool.h"
#include "kernels/isa.h"
#include "optional.h"

namespace {

using lyceum::image::BoxRange;
using lyceum::image::Choice;
using lyceum::image::Outcome;
using lyceum::image::Place;
using lyceum::image::View;

constexpr int64_t kPlaceNumbers = 5, kOutcomeNumbers = 10;
constexpr int64_t kLongestSide = 16384, kMostThreads = 256;

BoxRange checked_range(const char* name, at::ArrayRef<double> area, at::ArrayRef<double> ratio) {
  TORCH_CHECK(area.size() == 2 && area[0] > 0 && area[0] <= area[1] && area[1] <= 1, name,
              ": scale must be two fractions above 0 and up to 1, the smaller first, got ", area);
  TORCH_CHECK(ratio.size() == 2 && ratio[0] > 0 && ratio[0] <= ratio[1] && std::isfinite(ratio[1]),
              name, ": ratio must be two numbers above 0, the smaller first, got ", ratio);
  return {area[0], area[1], ratio[0], ratio[1]};
}

View checked_view(const char* name, bool random, at::ArrayRef<double> scale,
                  at::ArrayRef<double> ratio, int64_t resize, int64_t height, int64_t width) {
  TORCH_CHECK(height >= 1 && height <= kLongestSide && width >= 1 && width <= kLongestSide, name,
              ": height and width must be 1..", kLongestSide, ", got ", height, " x ", width);
  View view{random, {1, 1, 1, 1}, resize, height, width};
  if (random) {
    view.range = checked_range(name, scale, ratio);
  } else {
    TORCH_CHECK(resize >= 1 && resize <= kLongestSide, name, ": resize must be 1..", kLongestSide,
                ", got ", resize);
  }
  return view;
}

at::Tensor checked(const char* name, const char* argument, const at::Tensor& given,
                   at::ScalarType dtype, int64_t dimensions) {
  TORCH_CHECK(given.is_cpu() && given.scalar_type() == dtype && given.dim() == dimensions, name,
              ": ", argument, " must be ", dtype, " of ", dimensions,
              " dimensions on the CPU, got ", given.scalar_type(), " ", given.sizes());
  return given.contiguous();
}

at::Tensor checked_keys(const char* name, const at::Tensor& given, int64_t count) {
  const at::Tensor keys = checked(name, "keys", given, at::kLong, 1);
  TORCH_CHECK(keys.size(0) == count, name, ": keys must be one for each image (", count, "), got ",
              keys.size(0));
  return keys;
}

// Turns rows of numbers into places, after a check that no path and no image reaches out of what
// was given.
std::vector<Place> checked_places(const char* name, const at::Tensor& paths,
                                  const at::Tensor& places, const at::Tensor& bytes) {
  TORCH_CHECK(places.size(1) == kPlaceNumbers, name, ": places must be [B, ", kPlaceNumbers,
              "], got ", places.sizes());
  const char* text = reinterpret_cast<const char*>(paths.data_ptr<uint8_t>());
  const int64_t length = paths.numel();
  const uint8_t* memory = bytes.defined() ? bytes.data_ptr<uint8_t>() : nullptr;
  const int64_t memory_size = bytes.defined() ? bytes.numel() : 0;
  std::vector<Place> found;
  found.reserve(places.size(0));
  for (int64_t b = 0; b < places.size(0); b++) {
    const int64_t* of = places.data_ptr<int64_t>() + kPlaceNumbers * b;
    const int64_t path = of[0], offset = of[1], size = of[2];
    TORCH_CHECK(offset >= 0, name, ": the offset of places[", b, "] must be 0 or more, got ",
                offset);
    if (path < 0) {
      TORCH_CHECK(offset <= memory_size && size <= memory_size - offset, "decode_images: places[",
                  b, "] must lie in the ", memory_size, " bytes, got offset ", offset, ", length ",
                  size);
      found.push_back({nullptr, memory, memory_size, offset, size, -1, -1});
      continue;
    }
    TORCH_CHECK(path < length && std::memchr(text + path, 0, length - path),
                "decode_images: ", "places[", b, "] begins at ", path, ", but paths end at ",
                length, ", and each must end with a zero");
    found.push_back({text + path, nullptr, 0, offset, size, of[3], of[4]});
  }
  return found;
}

// The images of a batch, and the tensors whose memory they point to.
struct Batch {
  std::vector<Place> places;
  at::Tensor paths, bytes;
};

Batch checked_batch(const char* name, const at::Tensor& paths_in, const at::Tensor& places_in,
                    const lyceum::Optional<at::Tensor>& bytes_in, int64_t max_pixels,
                    int64_t threads) {
  Batch batch;
  batch.paths = checked(name, "paths", paths_in, at::kByte, 1);
  const at::Tensor places = checked(name, "places", places_in, at::kLong, 2);
  if (bytes_in) batch.bytes = checked(name, "bytes", *bytes_in, at::kByte, 1);
  TORCH_CHECK(max_pixels >= 1, name, ": max_pixels must be 1 or more, got ", max_pixels);
  TORCH_CHECK(threads >= 1 && threads <= kMostThreads, name, ": threads must be 1..", kMostThreads,
              ", got ", threads);
  batch.places = checked_places(name, batch.paths, places, batch.bytes);
  // Throws where LYCEUM_ISA is wrong, which the threads that decode could not.
  lyceum::kernels();
  return batch;
}

at::Tensor checked_image(const char* name, const at::Tensor& given) {
  const at::Tensor image = checked(name, "image", given, at::kByte, 3);
  TORCH_CHECK(image.size(2) == 3 && image.numel() > 0, name,
              ": image must be [H, W, 3] with pixels, got ", image.sizes());
  lyceum::kernels();
  return image;
}

void write_outcome(const Outcome& outcome, int64_t* to) {
  const int64_t numbers[kOutcomeNumbers] = {
      int64_t(outcome.status), outcome.detail,     outcome.width,      outcome.height,
      outcome.box.top,         outcome.box.left,   outcome.box.height, outcome.box.width,
      outcome.denominator,     outcome.orientation};
  std::memcpy(to, numbers, sizeof numbers);
}

// paths    uint8, the paths of files, each ended by a zero
// places   int64 [B, 5]: where the image's path begins in `paths`, or -1 for one that lies in
//          `bytes`; offset and length of the image in the file or in `bytes`, -1 for all that
//          follows; and what size in bytes and time of change in milliseconds the file must have,
//          -1 for any
// keys     int64 [B], for a random view: the numbers that decide the boxes
// mirrored uint8 [B], 1 for an image whose view is mirrored from left to right; none are when left
//          out
// scale, ratio  of a random view, resize of the other: see native/image/view.h
// Results: pixels uint8 [B, 3, height, width], and outcomes int64 [B, 10]: status, detail, width
// and height of the image, top, left, height and width of the box, denominator, orientation
// (native/image/outcome.h).
std::tuple<at::Tensor, at::Tensor> decode_images(
    const at::Tensor& paths_in, const at::Tensor& places_in,
    const lyceum::Optional<at::Tensor>& bytes_in, const lyceum::Optional<at::Tensor>& keys_in,
    at::ArrayRef<double> scale, at::ArrayRef<double> ratio, int64_t resize, int64_t height,
    int64_t width, int64_t max_pixels, int64_t threads,
    const lyceum::Optional<at::Tensor>& mirrored_in) {
  constexpr const char* kName = "decode_images";
  const View view = checked_view(kName, bool(keys_in), scale, ratio, resize, height, width);
  const Batch given = checked_batch(kName, paths_in, places_in, bytes_in, max_pixels, threads);
  const int64_t batch = int64_t(given.places.size());
  at::Tensor keys;
  if (keys_in) keys = checked_keys(kName, *keys_in, batch);
  at::Tensor mirrored;
  if (mirrored_in) {
    mirrored = checked(kName, "mirrored", *mirrored_in, at::kByte, 1);
    TORCH_CHECK(mirrored.size(0) == batch, kName, ": mirrored must be one for each image (", batch,
                "), got ", mirrored.size(0));
  }

  at::Tensor pixels = at::empty({batch, 3, height, width}, at::kByte);
  at::Tensor outcomes = at::empty({batch, kOutcomeNumbers}, at::kLong);
  uint8_t* const to = pixels.data_ptr<uint8_t>();
  int64_t* const numbers = outcomes.data_ptr<int64_t>();
  const int64_t* const key = keys.defined() ? keys.data_ptr<int64_t>() : nullptr;
  const uint8_t* const mirror = mirrored.defined() ? mirrored.data_ptr<uint8_t>() : nullptr;
  lyceum::image::for_each(batch, threads, [&](int64_t b) {
    const Choice choice{key ? uint64_t(key[b]) : 0, mirror && mirror[b] != 0};
    const Outcome outcome = lyceum::image::decode_image(given.places[b], view, choice, max_pixels,
                                                        to + b * 3 * height * width);
    write_outcome(outcome, numbers + kOutcomeNumbers * b);
  });
  return {pixels, outcomes};
}

// image  uint8 [H, W, 3], an image that is decoded already
// key    of a random view, a number that decides the box
// Results: pixels uint8 [3, height, width] and the outcome, int64 [10], as above.
std::tuple<at::Tensor, at::Tensor> view_pixels(const at::Tensor& image_in,
                                               lyceum::Optional<int64_t> key,
                                               at::ArrayRef<double> scale,
                                               at::ArrayRef<double> ratio, int64_t resize,
                                               int64_t height, int64_t width, bool mirrored) {
  constexpr const char* kName = "view_pixels";
  const View view = checked_view(kName, bool(key), scale, ratio, resize, height, width);
  const at::Tensor image = checked_image(kName, image_in);
  at::Tensor pixels = at::empty({3, height, width}, at::kByte);
  at::Tensor numbers = at::empty({kOutcomeNumbers}, at::kLong);
  const Outcome outcome = lyceum::image::view_pixels(
      image.data_ptr<uint8_t>(), image.size(0), image.size(1), view,
      Choice{key ? uint64_t(*key) : 0, mirrored}, pixels.data_ptr<uint8_t>());
  write_outcome(outcome, numbers.data_ptr<int64_t>());
  return {pixels, numbers};
}

int64_t checked_shorter(const char* name, int64_t shorter) {
  TORCH_CHECK(shorter >= 1 && shorter <= kLongestSide, name, ": shorter must be 1..", kLongestSide,
              ", got ", shorter);
  return shorter;
}

// paths, places, bytes, max_pixels, threads  as above
// shorter  what the shorter side of each image has at most
// Results: files uint8, records of the images (native/image/record.h) one behind the other; where
// each ends, int64 [B]; and outcomes int64 [B, 10], as above. An image that fails has an empty
// file.
std::tuple<at::Tensor, at::Tensor, at::Tensor> fit_images(
    const at::Tensor& paths_in, const at::Tensor& places_in,
    const lyceum::Optional<at::Tensor>& bytes_in, int64_t shorter, int64_t max_pixels,
    int64_t threads) {
  constexpr const char* kName = "fit_images";
  checked_shorter(kName, shorter);
  const Batch given = checked_batch(kName, paths_in, places_in, bytes_in, max_pixels, threads);
  const int64_t batch = int64_t(given.places.size());
  at::Tensor outcomes = at::empty({batch, kOutcomeNumbers}, at::kLong);
  at::Tensor ends = at::empty({batch}, at::kLong);
  int64_t* const numbers = outcomes.data_ptr<int64_t>();
  std::vector<std::vector<uint8_t>> files(batch);
  lyceum::image::for_each(batch, threads, [&](int64_t b) {
    const Outcome outcome =
        lyceum::image::fit_image(given.places[b], shorter, max_pixels, files[b]);
    write_outcome(outcome, numbers + kOutcomeNumbers * b);
  });
  int64_t total = 0;
  for (int64_t b = 0; b < batch; b++) {
    total += int64_t(files[b].size());
    ends.data_ptr<int64_t>()[b] = total;
  }
  at::Tensor joined = at::empty({total}, at::kByte);
  uint8_t* to = joined.data_ptr<uint8_t>();
  for (const auto& file : files) to = std::copy(file.begin(), file.end(), to);
  return {joined, ends, outcomes};
}

// image uint8 [H, W, 3], an image that is decoded already; the file and the outcome, as above.
std::tuple<at::Tensor, at::Tensor> fit_pixels(const at::Tensor& image_in, int64_t shorter) {
  constexpr const char* kName = "fit_pixels";
  checked_shorter(kName, shorter);
  const at::Tensor image = checked_image(kName, image_in);
  std::vector<uint8_t> file;
  const Outcome outcome = lyceum::image::fit_pixels(image.data_ptr<uint8_t>(), image.size(0),
                                                    image.size(1), shorter, file);
  at::Tensor numbers = at::empty({kOutcomeNumbers}, at::kLong);
  write_outcome(outcome, numbers.data_ptr<int64_t>());
  at::Tensor bytes = at::empty({int64_t(file.size())}, at::kByte);
  std::copy(file.begin(), file.end(), bytes.data_ptr<uint8_t>());
  return {bytes, numbers};
}

// keys int64 [B], sizes int64 [B, 2] (height, width); the boxes of a random view, int64 [B, 4]:
// top, left, height, width.
at::Tensor random_boxes(const at::Tensor& keys_in, const at::Tensor& sizes_in,
                        at::ArrayRef<double> scale, at::ArrayRef<double> ratio) {
  constexpr const char* kName = "random_boxes";
  const BoxRange range = checked_range(kName, scale, ratio);
  const at::Tensor sizes = checked(kName, "sizes", sizes_in, at::kLong, 2);
  const int64_t batch = sizes.size(0);
  TORCH_CHECK(sizes.size(1) == 2, "random_boxes: sizes must be [B, 2], got ", sizes.sizes());
  const at::Tensor keys = checked_keys(kName, keys_in, batch);
  at::Tensor boxes = at::empty({batch, 4}, at::kLong);
  for (int64_t b = 0; b < batch; b++) {
    const int64_t* size = sizes.data_ptr<int64_t>() + 2 * b;
    constexpr int64_t kMost = int64_t(1) << 24;
    TORCH_CHECK(size[0] >= 1 && size[1] >= 1 && size[0] <= kMost && size[1] <= kMost,
                "random_boxes: sizes must be 1..", kMost, ", got ", size[0], " x ", size[1]);
    const auto box =
        lyceum::image::draw_box(range, uint64_t(keys.data_ptr<int64_t>()[b]), size[0], size[1]);
    const int64_t numbers[4] = {box.top, box.left, box.height, box.width};
    std::memcpy(boxes.data_ptr<int64_t>() + 4 * b, numbers, sizeof numbers);
  }
  return boxes;
}

}  // namespace

TORCH_LIBRARY_FRAGMENT(lyceum, m) {
  m.def(
      "decode_images(Tensor paths, Tensor places, Tensor? bytes, Tensor? keys, float[] scale, "
      "float[] ratio, int resize, int height, int width, int max_pixels, int threads, "
      "Tensor? mirrored=None) -> (Tensor pixels, Tensor outcomes)");
  m.def(
      "view_pixels(Tensor image, int? key, float[] scale, float[] ratio, int resize, int height, "
      "int width, bool mirrored=False) -> (Tensor pixels, Tensor outcome)");
  m.def(
      "fit_images(Tensor paths, Tensor places, Tensor? bytes, int shorter, int max_pixels, "
      "int threads) -> (Tensor files, Tensor ends, Tensor outcomes)");
  m.def("fit_pixels(Tensor image, int shorter) -> (Tensor file, Tensor outcome)");
  m.def("random_boxes(Tensor keys, Tensor sizes, float[] scale, float[] ratio) -> Tensor");
  m.def("has_jpeg() -> bool", lyceum::image::has_jpeg);
  m.def("jpeg_message(int number) -> str", lyceum::image::jpeg_message);
}

TORCH_LIBRARY_IMPL(lyceum, CPU, m) {
  m.impl("decode_images", decode_images);
  m.impl("view_pixels", view_pixels);
  m.impl("fit_images", fit_images);
  m.impl("fit_pixels", fit_pixels);
  m.impl("random_boxes", random_boxes);
}
