// Any file as an image: JPEG of every kind, records of decoded images, and neither. Every view of
// it ends, leaves zeros where it fails, and gives the same pixels again whatever was decoded in
// between.
#include <vector>

#include "image/decode.h"
#include "image/record.h"
#include "input.h"

using namespace lyceum::image;

namespace {

// Images of more pixels are refused, as in the product, where the limit is larger: what a pixel
// costs is not what is looked for.
constexpr int64_t kMostPixels = int64_t(1) << 14;

View view_of(fuzz::Input& input) {
  View view{};
  view.random = input.byte() % 2 == 1;
  view.height = input.between(1, 40);
  view.width = input.between(1, 40);
  view.resize = input.between(1, 64);
  view.range.least_area = 0.01 + 0.98 * input.fraction();
  view.range.greatest_area = view.range.least_area + (1 - view.range.least_area) * input.fraction();
  view.range.least_ratio = 0.1 + 2 * input.fraction();
  view.range.greatest_ratio = view.range.least_ratio + 4 * input.fraction();
  return view;
}

Place in_memory(const uint8_t* data, int64_t size, int64_t offset, int64_t length) {
  return {nullptr, data, size, offset, length, -1, -1};
}

std::vector<uint8_t> pixels_of(const Place& place, const View& view, const Choice& choice,
                               Outcome& outcome) {
  std::vector<uint8_t> pixels(3 * view.height * view.width, 7);
  outcome = decode_image(place, view, choice, kMostPixels, pixels.data());
  if (outcome.status != Status::kOk) {
    for (const uint8_t pixel : pixels) fuzz::check(pixel == 0);
  }
  return pixels;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  fuzz::Input input(data, size);
  const View view = view_of(input);
  const Choice choice{input.word(), input.byte() % 2 == 1};
  const int64_t shorter = input.between(1, 48);
  const bool only_once = input.byte() % 4 != 0;
  const bool is_part = input.byte() >= 230;
  const uint64_t part[2] = {input.word(), input.word()};
  // A copy of its own size, so that a byte read behind it is found.
  const std::vector<uint8_t> file(input.rest(), input.rest() + input.rest_size());
  // A part of the bytes, sometimes more than there are.
  const int64_t offset = is_part ? int64_t(part[0] % (file.size() + 1)) : 0;
  const int64_t length = is_part ? int64_t(part[1] % (file.size() + 3)) : -1;
  const Place place = in_memory(file.data(), int64_t(file.size()), offset, length);

  Outcome outcome, again;
  const auto pixels = pixels_of(place, view, choice, outcome);
  if (only_once) return 0;

  std::vector<uint8_t> record;
  const Outcome fitted = fit_image(place, shorter, kMostPixels, record);
  fuzz::check((fitted.status == Status::kOk) == !record.empty());
  if (!record.empty()) {
    Outcome of_record;
    pixels_of(in_memory(record.data(), int64_t(record.size()), 0, -1), view, choice, of_record);
    fuzz::check(of_record.status == Status::kOk);
  }
  fuzz::check(pixels_of(place, view, choice, again) == pixels && again.status == outcome.status);
  return 0;
}
