#include "image/jpeg.h"

#include <algorithm>
#include <csetjmp>
#include <cstdio>
#include <cstring>
#include <vector>

#include <jpeglib.h>
#include <jerror.h>

#include "image/orientation.h"
#include "kernels/isa/resample.h"

namespace lyceum::image {
namespace {

constexpr int kRowsAtOnce = 4;
// What coefficients of a progressive image may take; they are 2 bytes for each sample.
constexpr long kMostMemory = 512L << 20;
// A scan can be a few bytes that change a whole image. Encoders make about ten.
constexpr int kMostScans = 100;
// Smooth chroma at a box's edges needs the pixels beside it.
constexpr JDIMENSION kMargin = 4;
constexpr size_t kKeptBytes = size_t(4) << 20;

// libjpeg's error handler must not return, so it jumps out of the library by longjmp. That skips
// destructors: no object with one may live in the frames of C++ between setjmp and longjmp.
struct Errors {
  jpeg_error_mgr manager;
  jmp_buf escape;
  // The number of the first warning that says that data are damaged, or 0.
  int warning;
  bool ended_early, too_many_scans;
};

Errors& errors_of(j_common_ptr info) { return *reinterpret_cast<Errors*>(info->err); }

[[noreturn]] void leave(j_common_ptr info) { longjmp(errors_of(info).escape, 1); }

void ignore_text(j_common_ptr) {}

void note_message(j_common_ptr info, int level) {
  if (level >= 0) return;
  Errors& errors = errors_of(info);
  errors.manager.num_warnings++;
  const int code = errors.manager.msg_code;
  // These two warn about unusual markers, not about damaged data.
  if (code == JWRN_ADOBE_XFORM || code == JWRN_JFIF_MAJOR) return;
  if (code == JWRN_JPEG_EOF) errors.ended_early = true;
  if (errors.warning == 0) errors.warning = code;
}

void limit_scans(j_common_ptr info) {
  if (!info->is_decompressor) return;
  if (reinterpret_cast<j_decompress_ptr>(info)->input_scan_number <= kMostScans) return;
  errors_of(info).too_many_scans = true;
  leave(info);
}

// Whether the end marker stands anywhere behind a place in the file. Files that were cut off have
// none, but pixels may be read that lie before the cut.
bool has_end(const Bytes& bytes, const uint8_t* from) {
  for (const uint8_t* at = bytes.data + bytes.size - 2; at >= from; at--) {
    if (at[0] == 0xff && at[1] == JPEG_EOI) return true;
  }
  return false;
}

}  // namespace

struct JpegDecoder::State {
  jpeg_decompress_struct info{};
  Errors errors;
  jpeg_progress_mgr progress;
  Bytes bytes{nullptr, 0};
  std::vector<uint8_t> rows;

  // Makes the decoder anew. libjpeg keeps the tables of one image for the next, which may lack its
  // own: what an image gives would depend on the one before it.
  void renew() {
    jpeg_destroy_decompress(&info);
    jpeg_create_decompress(&info);
    info.progress = &progress;
    info.mem->max_memory_to_use = kMostMemory;
    jpeg_save_markers(&info, JPEG_APP0 + 1, 0xffff);
  }

  // Runs `body` and turns an error of libjpeg into a status; true where there was none.
  template <class Body>
  bool guarded(Outcome& outcome, const Body& body) {
    static_assert(std::is_trivially_destructible<Body>::value, "longjmp may leave it behind");
    if (setjmp(errors.escape) == 0) {
      body();
      return true;
    }
    outcome.status = status_of_error();
    outcome.detail = errors.too_many_scans ? 0 : errors.manager.msg_code;
    jpeg_abort_decompress(&info);
    return false;
  }

  Status status_of_error() const {
    if (errors.too_many_scans) return Status::kTooLarge;
    switch (errors.manager.msg_code) {
      case JERR_OUT_OF_MEMORY:
      case JERR_NO_BACKING_STORE:
      case JERR_IMAGE_TOO_BIG:
      case JERR_WIDTH_OVERFLOW: return Status::kTooLarge;
      case JERR_SOF_UNSUPPORTED:
      case JERR_BAD_PRECISION:
      case JERR_ARITH_NOTIMPL:
      case JERR_CONVERSION_NOTIMPL: return Status::kOther;
      default: return errors.ended_early ? Status::kTruncated : Status::kCorrupt;
    }
  }
};

JpegDecoder::JpegDecoder() : state_(new State) {
  State& state = *state_;
  state.info.err = jpeg_std_error(&state.errors.manager);
  state.errors.manager.error_exit = leave;
  state.errors.manager.output_message = ignore_text;
  state.errors.manager.emit_message = note_message;
  state.errors.too_many_scans = state.errors.ended_early = false;
  state.errors.warning = 0;
  state.progress.progress_monitor = limit_scans;
  if (setjmp(state.errors.escape) != 0) throw std::bad_alloc();
  state.renew();
}

JpegDecoder::~JpegDecoder() { jpeg_destroy_decompress(&state_->info); }

JpegHeader JpegDecoder::read_header(const Bytes& bytes, Outcome& outcome) {
  State& state = *state_;
  jpeg_decompress_struct& info = state.info;
  state.bytes = bytes;
  state.errors.warning = 0;
  state.errors.ended_early = state.errors.too_many_scans = false;
  if (bytes.size < 3 || std::memcmp(bytes.data, "\xff\xd8\xff", 3) != 0) {
    outcome.status = Status::kOther;
    return {0, 0, 1, false};
  }
  const bool read = state.guarded(outcome, [&state, &info] {
    state.renew();
    jpeg_mem_src(&info, state.bytes.data, state.bytes.size);
    jpeg_read_header(&info, TRUE);
  });
  if (!read) return {0, 0, 1, false};
  const bool colour = info.jpeg_color_space == JCS_YCbCr || info.jpeg_color_space == JCS_RGB;
  if (!colour && info.jpeg_color_space != JCS_GRAYSCALE) outcome.status = Status::kOther;
  int64_t orientation = 1;
  for (auto* marker = info.marker_list; marker; marker = marker->next) {
    orientation = orientation_in(marker->data, marker->data_length);
    if (orientation != 1) break;
  }
  // libjpeg-turbo (2.1.5) smooths other samplings differently at a fraction of the size, depending
  // on what is cropped. Cameras and programs write none of them.
  const bool can_shrink = info.max_h_samp_factor * info.max_v_samp_factor <= 4;
  return {info.image_width, info.image_height, orientation, can_shrink};
}

void JpegDecoder::decode(const Box& box, int64_t denominator, TakeRows take, void* taker,
                         Outcome& outcome) {
  State& state = *state_;
  jpeg_decompress_struct& info = state.info;
  const size_t stride = (info.image_width / denominator + 8) * 4 + resample::kReadBeyond;
  if (state.rows.size() < stride * kRowsAtOnce) state.rows.resize(stride * kRowsAtOnce);
  uint8_t* const rows = state.rows.data();
  info.out_color_space = JCS_EXT_RGBX;
  info.dct_method = JDCT_ISLOW;
  info.scale_num = 1;
  info.scale_denom = static_cast<unsigned>(denominator);
  const bool decoded = state.guarded(outcome, [&] {
    jpeg_start_decompress(&info);
    const JDIMENSION left = JDIMENSION(box.left), right = JDIMENSION(box.left + box.width);
    JDIMENSION from = left > kMargin ? left - kMargin : 0;
    JDIMENSION width =
        (right + kMargin < info.output_width ? right + kMargin : info.output_width) - from;
    if (width < info.output_width) jpeg_crop_scanline(&info, &from, &width);
    if (box.top > 0) jpeg_skip_scanlines(&info, JDIMENSION(box.top));
    JSAMPROW at[kRowsAtOnce];
    for (int i = 0; i < kRowsAtOnce; i++) at[i] = rows + i * stride;
    for (int64_t done = 0; done < box.height;) {
      const int64_t wanted = std::min<int64_t>(kRowsAtOnce, box.height - done);
      int64_t have = 0;
      while (have < wanted) {
        have += jpeg_read_scanlines(&info, at + have, JDIMENSION(wanted - have));
      }
      take(taker, rows + 4 * (left - from), int64_t(stride), have);
      done += have;
    }
  });
  if (!decoded) return;
  const bool complete = jpeg_input_complete(&info) || info.unread_marker == JPEG_EOI;
  const uint8_t* const next = info.src->next_input_byte;
  if (state.errors.warning != 0) {
    outcome.status = state.errors.ended_early ? Status::kTruncated : Status::kCorrupt;
    outcome.detail = state.errors.warning;
  } else if (!complete && !has_end(state.bytes, next)) {
    outcome.status = Status::kTruncated;
    outcome.detail = JWRN_JPEG_EOF;
  }
  jpeg_abort_decompress(&info);
}

void JpegDecoder::shrink() {
  if (state_->rows.size() > kKeptBytes) std::vector<uint8_t>().swap(state_->rows);
}

bool has_jpeg() { return true; }

std::string jpeg_message(int64_t number) {
  jpeg_error_mgr manager;
  jpeg_std_error(&manager);
  if (number <= 0 || number > manager.last_jpeg_message) return "";
  const std::string text = manager.jpeg_message_table[number];
  // Numbers that belong into the text are not known.
  return text.find('%') == std::string::npos ? text : "";
}

}  // namespace lyceum::image
