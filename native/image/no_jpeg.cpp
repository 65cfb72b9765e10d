// Stands in for jpeg.cpp where there is no libjpeg-turbo.
#include "image/jpeg.h"

namespace lyceum::image {

struct JpegDecoder::State {};

JpegDecoder::JpegDecoder() = default;
JpegDecoder::~JpegDecoder() = default;

JpegHeader JpegDecoder::read_header(const Bytes&, Outcome& outcome) {
  outcome.status = Status::kOther;
  return {0, 0, 1, false};
}

void JpegDecoder::decode(const Box&, int64_t, TakeRows, void*, Outcome& outcome) {
  outcome.status = Status::kOther;
}

void JpegDecoder::shrink() {}

bool has_jpeg() { return false; }

std::string jpeg_message(int64_t) { return ""; }

}  // namespace lyceum::image
