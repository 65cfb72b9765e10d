#include "image/decode.h"

#include <cerrno>
#include <cstring>
#include <new>
#include <vector>

#include "image/jpeg.h"
#include "image/orientation.h"
#include "image/record.h"
#include "image/resample.h"

namespace lyceum::image {
namespace {

constexpr size_t kKeptBytes = size_t(8) << 20;

// What a thread needs for an image, kept for the next one.
struct Workshop {
  Source source;
  JpegDecoder jpeg;
  Resampler resampler;
  // The needed part of an image that has to be turned, pixels of four bytes.
  std::vector<uint8_t> canvas;
  std::vector<uint8_t> row;

  void shrink() {
    source.shrink();
    jpeg.shrink();
    resampler.shrink();
    for (auto* memory : {&canvas, &row}) {
      if (memory->size() > kKeptBytes) std::vector<uint8_t>().swap(*memory);
    }
  }
};

Workshop& workshop() {
  thread_local Workshop mine;
  return mine;
}

void push_rows(void* resampler, const uint8_t* rows, int64_t stride, int64_t count) {
  static_cast<Resampler*>(resampler)->push(rows, stride, count);
}

// Where the next rows go on a canvas.
struct Painter {
  uint8_t* at;
  int64_t row_bytes;
};

void paint_rows(void* painter, const uint8_t* rows, int64_t stride, int64_t count) {
  auto* to = static_cast<Painter*>(painter);
  for (int64_t i = 0; i < count; i++, to->at += to->row_bytes) {
    std::memcpy(to->at, rows + i * stride, to->row_bytes);
  }
}

uint8_t* row_of(Workshop& shop, int64_t width) {
  const size_t bytes = 4 * width + resample::kReadBeyond;
  if (shop.row.size() < bytes) shop.row.resize(bytes);
  return shop.row.data();
}

// Decodes the needed part as it is stored, and hands it on row by row as it is seen.
void decode_turned(Workshop& shop, const Turn& turn, const Box& stored, int64_t denominator,
                   Outcome& outcome) {
  const size_t bytes = 4 * stored.height * stored.width;
  if (shop.canvas.size() < bytes) shop.canvas.resize(bytes);
  Painter painter{shop.canvas.data(), 4 * stored.width};
  shop.jpeg.decode(stored, denominator, paint_rows, &painter, outcome);
  if (outcome.status != Status::kOk) return;
  const Box& needed = shop.resampler.needed();
  uint8_t* const row = row_of(shop, needed.width);
  for (int64_t y = 0; y < needed.height; y++) {
    copy_seen_row(turn, shop.canvas.data(), stored.height, stored.width, y, row);
    shop.resampler.push(row, 0, 1);
  }
}

// Views pixels of three bytes in rows.
void view_into(Workshop& shop, const uint8_t* pixels, int64_t height, int64_t width,
               const View& view, uint64_t key, uint8_t* to, Outcome& outcome) {
  const Plan plan = plan_view(view, key, height, width, false, false, false);
  outcome.width = width;
  outcome.height = height;
  outcome.box = plan.box;
  shop.resampler.begin(plan.rows, plan.columns, to, view.width, view.height * view.width);
  const Box& needed = shop.resampler.needed();
  uint8_t* const row = row_of(shop, needed.width);
  for (int64_t y = 0; y < needed.height; y++) {
    const uint8_t* from = pixels + 3 * ((needed.top + y) * width + needed.left);
    for (int64_t x = 0; x < needed.width; x++) std::memcpy(row + 4 * x, from + 3 * x, 3);
    shop.resampler.push(row, 0, 1);
  }
}

void view_record(Workshop& shop, const Bytes& bytes, const View& view, uint64_t key,
                 int64_t most_pixels, uint8_t* to, Outcome& outcome) {
  const Record record = open_record(bytes);
  if (!record.pixels) {
    outcome.status = Status::kCorrupt;
  } else if (record.width * record.height > most_pixels) {
    outcome.status = Status::kTooLarge;
    outcome.width = record.width;
    outcome.height = record.height;
  } else {
    view_into(shop, record.pixels, record.height, record.width, view, key, to, outcome);
  }
}

// Reads what stands before the pixels of a JPEG file: its size as it is seen, and how it is turned.
JpegHeader measure(Workshop& shop, const Bytes& bytes, int64_t most_pixels, Outcome& outcome) {
  const JpegHeader header = shop.jpeg.read_header(bytes, outcome);
  const Turn turn(header.orientation);
  outcome.orientation = header.orientation;
  outcome.width = turn.transposed ? header.height : header.width;
  outcome.height = turn.transposed ? header.width : header.height;
  if (outcome.status == Status::kOk && header.width * header.height > most_pixels) {
    outcome.status = Status::kTooLarge;
  }
  return header;
}

void decode_into(Workshop& shop, const Place& place, const View& view, uint64_t key,
                 int64_t most_pixels, uint8_t* to, Outcome& outcome) {
  const Bytes bytes = shop.source.read(place, outcome);
  if (outcome.status != Status::kOk) return;
  if (is_record(bytes)) {
    return view_record(shop, bytes, view, key, most_pixels, to, outcome);
  }
  const JpegHeader header = measure(shop, bytes, most_pixels, outcome);
  if (outcome.status != Status::kOk) return;
  const Turn turn(header.orientation);
  const Plan plan = plan_view(view, key, outcome.height, outcome.width, header.can_shrink,
                              turn.mirrors_rows(), turn.mirrors_columns());
  outcome.box = plan.box;
  outcome.denominator = plan.denominator;
  shop.resampler.begin(plan.rows, plan.columns, to, view.width, view.height * view.width);
  const Box& needed = shop.resampler.needed();
  const Box stored = turn.stored(needed, shrunk(outcome.height, plan.denominator),
                                 shrunk(outcome.width, plan.denominator));
  if (turn.none()) {
    shop.jpeg.decode(stored, plan.denominator, push_rows, &shop.resampler, outcome);
  } else {
    decode_turned(shop, turn, stored, plan.denominator, outcome);
  }
}

// Calls `work` with a clean view, and leaves a clean one behind where it fails.
template <class Work>
Outcome with_clean_view(const View& view, uint8_t* to, const Work& work) {
  const size_t bytes = 3 * view.height * view.width;
  Outcome outcome;
  // A margin stays black.
  if (!view.random) std::memset(to, 0, bytes);
  try {
    Workshop& shop = workshop();
    work(shop, outcome);
    shop.shrink();
  } catch (const std::bad_alloc&) {
    outcome.status = Status::kTooLarge;
    outcome.detail = ENOMEM;
  }
  if (outcome.status != Status::kOk) std::memset(to, 0, bytes);
  return outcome;
}

}  // namespace

Outcome decode_image(const Place& place, const View& view, uint64_t key, int64_t most_pixels,
                     uint8_t* to) {
  return with_clean_view(view, to, [&](Workshop& shop, Outcome& outcome) {
    decode_into(shop, place, view, key, most_pixels, to, outcome);
  });
}

Outcome view_pixels(const uint8_t* pixels, int64_t height, int64_t width, const View& view,
                    uint64_t key, uint8_t* to) {
  return with_clean_view(view, to, [&](Workshop& shop, Outcome& outcome) {
    view_into(shop, pixels, height, width, view, key, to, outcome);
  });
}

Outcome measure_image(const Place& place, int64_t most_pixels) {
  Outcome outcome;
  try {
    Workshop& shop = workshop();
    const Bytes bytes = shop.source.read(place, outcome);
    if (outcome.status == Status::kOk) measure(shop, bytes, most_pixels, outcome);
    shop.shrink();
  } catch (const std::bad_alloc&) {
    outcome.status = Status::kTooLarge;
    outcome.detail = ENOMEM;
  }
  return outcome;
}

}  // namespace lyceum::image
