#include "kernels/image_operations.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace lyceum {
namespace {

using Table = std::array<uint8_t, 256>;
using Histogram = std::array<int64_t, 256>;

// A map from pixels of the result to those of the image: x to a x + b y + c, y to d x + e y + f.
struct Affine {
  double a, b, c, d, e, f;
};

int64_t to_fixed(double value) { return int64_t(std::floor(value * 65536.0 + 0.5)); }

// Takes the nearest pixel for each pixel of the result, with coordinates of 16 bits behind the
// point, as PIL does (ImagingTransformAffine).
void transform(const Affine& map, const ImageShape& shape, const uint8_t* from, uint8_t* to) {
  const int64_t height = shape.height, width = shape.width, plane = height * width;
  const int64_t a = to_fixed(map.a), b = to_fixed(map.b), d = to_fixed(map.d), e = to_fixed(map.e);
  // The centre of the first pixel.
  const int64_t first_x = to_fixed(map.c + map.a * 0.5 + map.b * 0.5);
  const int64_t first_y = to_fixed(map.f + map.d * 0.5 + map.e * 0.5);
  for (int64_t y = 0; y < height; y++) {
    for (int64_t x = 0; x < width; x++) {
      const int64_t column = (first_x + a * x + b * y) >> 16, row = (first_y + d * x + e * y) >> 16;
      const bool inside = column >= 0 && column < width && row >= 0 && row < height;
      for (int64_t c = 0; c < shape.channels; c++) {
        to[c * plane + y * width + x] = inside ? from[c * plane + row * width + column] : 0;
      }
    }
  }
}

// PIL rounds sines and cosines so that those of right angles are whole.
double to_15_digits(double value) { return std::round(value * 1e15) / 1e15; }

Affine rotation(double degrees, const ImageShape& shape) {
  constexpr double kPi = 3.14159265358979323846;
  double turn = std::fmod(degrees, 360.0);
  if (turn < 0) turn += 360.0;
  const double angle = -(turn * (kPi / 180.0));
  const double cosine = to_15_digits(std::cos(angle)), sine = to_15_digits(std::sin(angle));
  const double x = double(shape.width) / 2.0, y = double(shape.height) / 2.0;
  return {cosine, sine,   (cosine * -x + sine * -y) + x,
          -sine,  cosine, (-sine * -x + cosine * -y) + y};
}

void look_up(const Table& table, int64_t count, const uint8_t* from, uint8_t* to) {
  for (int64_t i = 0; i < count; i++) to[i] = table[from[i]];
}

// `degenerate` at factor 0, `value` at 1, and beyond that further away; in float32, cut off.
uint8_t blend(int degenerate, int value, float factor) {
  const float mixed = float(degenerate) + factor * float(value - degenerate);
  if (mixed <= 0.0f) return 0;
  return mixed >= 255.0f ? 255 : uint8_t(mixed);
}

Table blend_with(int degenerate, float factor) {
  Table table;
  for (int value = 0; value < 256; value++) table[value] = blend(degenerate, value, factor);
  return table;
}

// The luma of ITU-R 601 by fixed point, PIL's mode "L".
int luma(int red, int green, int blue) {
  return (red * 19595 + green * 38470 + blue * 7471 + 0x8000) >> 16;
}

int luma_at(const uint8_t* image, int64_t plane, int64_t pixel) {
  return luma(image[pixel], image[plane + pixel], image[2 * plane + pixel]);
}

void change_color(float factor, const ImageShape& shape, const uint8_t* from, uint8_t* to) {
  const int64_t plane = shape.height * shape.width;
  if (shape.channels != 3) {
    std::copy_n(from, shape.channels * plane, to);
    return;
  }
  for (int64_t i = 0; i < plane; i++) {
    const int grey = luma_at(from, plane, i);
    for (int64_t c = 0; c < 3; c++) to[c * plane + i] = blend(grey, from[c * plane + i], factor);
  }
}

int mean_luma(const ImageShape& shape, const uint8_t* image) {
  const int64_t plane = shape.height * shape.width;
  int64_t sum = 0;
  for (int64_t i = 0; i < plane; i++) {
    sum += shape.channels == 3 ? luma_at(image, plane, i) : image[i];
  }
  return int(double(sum) / double(plane) + 0.5);
}

// PIL's filter SMOOTH blurs: the pixel weighs 5 of 13, each neighbour 1. Pixels at the edge stay.
void change_sharpness(float factor, const ImageShape& shape, const uint8_t* from, uint8_t* to) {
  const int64_t height = shape.height, width = shape.width;
  std::copy_n(from, shape.channels * height * width, to);
  for (int64_t c = 0; c < shape.channels; c++) {
    const uint8_t* image = from + c * height * width;
    for (int64_t y = 1; y < height - 1; y++) {
      for (int64_t x = 1; x < width - 1; x++) {
        const uint8_t* at = image + y * width + x;
        int sum = 4 * at[0];
        for (int64_t row = -width; row <= width; row += width) {
          sum += at[row - 1] + at[row] + at[row + 1];
        }
        // The nearest whole number to sum / 13, which never lies in the middle between two.
        const int blurred = (2 * sum + 13) / 26;
        to[c * height * width + y * width + x] = blend(blurred, at[0], factor);
      }
    }
  }
}

Histogram histogram_of(const uint8_t* plane, int64_t count) {
  Histogram histogram{};
  for (int64_t i = 0; i < count; i++) histogram[plane[i]]++;
  return histogram;
}

Table identity() {
  Table table;
  for (int value = 0; value < 256; value++) table[value] = uint8_t(value);
  return table;
}

// Stretches the values so that the lowest becomes 0 and the highest 255.
Table auto_contrast(const Histogram& histogram) {
  int low = 0, high = 255;
  while (low < 255 && histogram[low] == 0) low++;
  while (high > 0 && histogram[high] == 0) high--;
  if (high <= low) return identity();
  const double scale = 255.0 / (high - low), offset = -low * scale;
  Table table;
  for (int value = 0; value < 256; value++) {
    table[value] = uint8_t(std::clamp(int(value * scale + offset), 0, 255));
  }
  return table;
}

// Maps the values so that all are about equally frequent.
Table equalize(const Histogram& histogram) {
  int64_t total = 0, last = 0, different = 0;
  for (const int64_t count : histogram) {
    total += count;
    if (count > 0) last = count, different++;
  }
  const int64_t step = (total - last) / 255;
  if (different <= 1 || step == 0) return identity();
  Table table;
  int64_t below = step / 2;
  for (int value = 0; value < 256; value++) {
    table[value] = uint8_t(std::min<int64_t>(below / step, 255));
    below += histogram[value];
  }
  return table;
}

Table posterize(int bits) {
  const int mask = 0xff & (0xff << (8 - std::clamp(bits, 0, 8)));
  Table table;
  for (int value = 0; value < 256; value++) table[value] = uint8_t(value & mask);
  return table;
}

Table solarize(double threshold) {
  Table table;
  for (int value = 0; value < 256; value++) {
    table[value] = uint8_t(value < threshold ? value : 255 - value);
  }
  return table;
}

struct Color {
  uint8_t red, green, blue;
};

// Turns the hue of a colour by 256ths of a circle, by way of PIL's mode "HSV", whose three values
// are bytes. Like PIL, it computes with floats and doubles in turns.
Color turn_hue(const Color& from, uint8_t turn) {
  const uint8_t high = std::max({from.red, from.green, from.blue});
  const uint8_t low = std::min({from.red, from.green, from.blue});
  // Grey has no hue.
  if (high == low) return from;
  const float range = float(high - low);
  const float red = float(high - from.red) / range, green = float(high - from.green) / range,
              blue = float(high - from.blue) / range;
  float sixths;
  if (from.red == high) {
    sixths = blue - green;
  } else if (from.green == high) {
    sixths = float(2.0 + red - blue);
  } else {
    sixths = float(4.0 + green - red);
  }
  const float circle = float(std::fmod(double(sixths) / 6.0 + 1.0, 1.0));
  const uint8_t hue = uint8_t(uint8_t(double(circle) * 255.0) + turn);
  const uint8_t saturation = uint8_t(double(range / float(high)) * 255.0);
  // Colours of almost no saturation become grey.
  if (saturation == 0) return {high, high, high};

  const double position = double(float(hue)) * 6.0 / 255.0;
  const int sixth = int(position);
  const float rest = float(position - double(float(sixth)));
  const float strength = float(double(float(saturation)) / 255.0);
  const double value = double(float(high));
  const auto rounded = [](double number) { return uint8_t(float(std::round(number))); };
  const uint8_t least = rounded(value * (1.0 - double(strength)));
  const uint8_t falling = rounded(value * (1.0 - double(strength * rest)));
  const uint8_t rising = rounded(value * (1.0 - double(strength) * (1.0 - double(rest))));
  switch (sixth % 6) {
    case 0: return {high, rising, least};
    case 1: return {falling, high, least};
    case 2: return {least, high, rising};
    case 3: return {least, falling, high};
    case 4: return {rising, least, high};
    default: return {high, least, falling};
  }
}

void change_hue(double fraction, const ImageShape& shape, const uint8_t* from, uint8_t* to) {
  const int64_t plane = shape.height * shape.width;
  if (shape.channels != 3) {
    std::copy_n(from, shape.channels * plane, to);
    return;
  }
  const uint8_t turn = uint8_t(int64_t(fraction * 255.0));
  for (int64_t i = 0; i < plane; i++) {
    const Color color = turn_hue({from[i], from[plane + i], from[2 * plane + i]}, turn);
    to[i] = color.red;
    to[plane + i] = color.green;
    to[2 * plane + i] = color.blue;
  }
}

}  // namespace

void apply_operation(ImageOperation operation, double magnitude, const ImageShape& shape,
                     const uint8_t* from, uint8_t* to) {
  const int64_t plane = shape.height * shape.width, count = shape.channels * plane;
  const float factor = float(1.0 + magnitude);
  const double whole = std::trunc(magnitude);
  const auto by_channel = [&](Table table_of(const Histogram&)) {
    for (int64_t c = 0; c < shape.channels; c++) {
      const uint8_t* channel = from + c * plane;
      look_up(table_of(histogram_of(channel, plane)), plane, channel, to + c * plane);
    }
  };
  switch (operation) {
    case ImageOperation::kIdentity: std::copy_n(from, count, to); return;
    case ImageOperation::kShearX: return transform({1, magnitude, 0, 0, 1, 0}, shape, from, to);
    case ImageOperation::kShearY: return transform({1, 0, 0, magnitude, 1, 0}, shape, from, to);
    case ImageOperation::kTranslateX: return transform({1, 0, -whole, 0, 1, 0}, shape, from, to);
    case ImageOperation::kTranslateY: return transform({1, 0, 0, 0, 1, -whole}, shape, from, to);
    case ImageOperation::kRotate: return transform(rotation(magnitude, shape), shape, from, to);
    case ImageOperation::kBrightness: return look_up(blend_with(0, factor), count, from, to);
    case ImageOperation::kColor: return change_color(factor, shape, from, to);
    case ImageOperation::kContrast:
      return look_up(blend_with(mean_luma(shape, from), factor), count, from, to);
    case ImageOperation::kSharpness: return change_sharpness(factor, shape, from, to);
    case ImageOperation::kPosterize: return look_up(posterize(int(magnitude)), count, from, to);
    case ImageOperation::kSolarize: return look_up(solarize(magnitude), count, from, to);
    case ImageOperation::kAutoContrast: return by_channel(auto_contrast);
    case ImageOperation::kEqualize: return by_channel(equalize);
    case ImageOperation::kHue: return change_hue(magnitude, shape, from, to);
  }
}

}  // namespace lyceum
