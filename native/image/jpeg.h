// JPEG files by libjpeg-turbo: whole, a part of them, or at a fraction of their size.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "image/outcome.h"
#include "image/source.h"

namespace lyceum::image {

struct JpegHeader {
  // As stored.
  int64_t width, height;
  int64_t orientation;
  // Whether `decode` may be asked for a fraction of the size.
  bool can_shrink;
};

// Receives rows of pixels of four bytes, red, green, blue and one without meaning, which lie
// `stride` bytes apart. It must neither throw nor allocate.
using TakeRows = void (*)(void* taker, const uint8_t* rows, int64_t stride, int64_t count);

// One thread's decoder, whose memory is kept from image to image, up to some MiB.
class JpegDecoder {
 public:
  JpegDecoder();
  ~JpegDecoder();
  JpegDecoder(const JpegDecoder&) = delete;
  JpegDecoder& operator=(const JpegDecoder&) = delete;

  // Reads what stands before the pixels. Whatever is wrong with it is put into the outcome's
  // status, here and below. The bytes must stay until `decode` has ended.
  JpegHeader read_header(const Bytes& bytes, Outcome& outcome);

  // After `read_header`: decodes the rows and columns of a box, in pixels of the image at
  // 1 / denominator of its size (1, 2, 4 or 8), and hands them on. The pixels are those that
  // decoding the whole image gives.
  void decode(const Box& box, int64_t denominator, TakeRows take, void* taker, Outcome& outcome);

  // Gives back memory that only an unusual image needed.
  void shrink();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// Whether this build has libjpeg-turbo. Without it nothing is a JPEG: read_header says kOther.
bool has_jpeg();

// The text of a libjpeg message, such as an outcome's detail; empty where there is none.
std::string jpeg_message(int64_t number);

}  // namespace lyceum::image
