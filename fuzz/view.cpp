// Views of images of any size, with pixels that are decoded already: boxes, plans, weights and the
// kernels that resize, of which each instruction set's must give the same bytes.
#include <algorithm>
#include <cmath>
#include <vector>

#include "image/decode.h"
#include "image/record.h"
#include "input.h"
#include "kernels.h"

using namespace lyceum::image;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  fuzz::Input input(data, size);
  // Most images are small, some long.
  const bool tall = input.byte() % 8 == 0, wide = input.byte() % 8 == 0;
  const int64_t height = input.between(1, tall ? 300 : 24),
                width = input.between(1, wide ? 300 : 24);
  if (height * width > 4000) return 0;
  View view{};
  view.random = input.byte() % 2 == 1;
  view.height = input.between(1, 24);
  view.width = input.between(1, 24);
  view.resize = input.between(1, 90);
  // Any range that the operator lets pass: fractions above 0, ratios above 0 and finite.
  const double reach = input.byte() % 4 == 0 ? 1000 : 10;
  const double exponents[2] = {reach * (2 * input.fraction() - 1),
                               reach * (2 * input.fraction() - 1)};
  view.range.least_area = 1e-9 + (1 - 1e-9) * input.fraction();
  view.range.greatest_area = view.range.least_area + (1 - view.range.least_area) * input.fraction();
  view.range.least_ratio = std::exp2(std::min(exponents[0], exponents[1]));
  view.range.greatest_ratio = std::exp2(std::max(exponents[0], exponents[1]));
  const Choice choice{input.word() << 32 | input.word(), input.byte() % 2 == 1};

  std::vector<uint8_t> image(3 * height * width), pixels(3 * view.height * view.width);
  uint8_t least = 255, most = 0;
  for (size_t i = 0; i < image.size(); i++) {
    const int64_t rest = input.rest_size();
    image[i] = rest > 0 ? input.rest()[i % rest] : 9;
    least = std::min(least, image[i]);
    most = std::max(most, image[i]);
  }
  const Outcome outcome = view_pixels(image.data(), height, width, view, choice, pixels.data());
  fuzz::check(outcome.status == Status::kOk);
  const Box& box = outcome.box;
  fuzz::check(box.top >= 0 && box.left >= 0 && box.height >= 1 && box.width >= 1 &&
              box.top + box.height <= height && box.left + box.width <= width);
  for (int set = 0; set < fuzz::kernel_sets(); set++) {
    std::vector<uint8_t> same(pixels.size());
    fuzz::use_kernels(set);
    view_pixels(image.data(), height, width, view, choice, same.data());
    fuzz::check(same == pixels);
  }
  // Means of pixels lie between them; a margin is black.
  for (const uint8_t pixel : pixels) {
    fuzz::check((pixel >= least && pixel <= most) || (!view.random && pixel == 0));
  }

  std::vector<uint8_t> file;
  const int64_t shorter = input.between(1, 64);
  fuzz::check(fit_pixels(image.data(), height, width, shorter, file).status == Status::kOk);
  const Record record = open_record({file.data(), int64_t(file.size())});
  fuzz::check(record.pixels &&
              std::min(record.width, record.height) <= std::max(shorter, int64_t(1)));
  return 0;
}
