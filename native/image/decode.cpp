#include "image/decode.h"

#include <cstring>
#include <new>
#include <string>
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

// Where the pixels of a plan go: three planes of rows.
struct Target {
  Plan plan;
  uint8_t* to;
  int64_t width, plane;
  bool mirrored;
};

void begin(Workshop& shop, const Target& target, Outcome& outcome) {
  outcome.box = target.plan.box;
  outcome.denominator = target.plan.denominator;
  shop.resampler.begin(target.plan.rows, target.plan.columns, target.to, target.width, target.plane,
                       target.mirrored);
}

// `choose` says what to make of an image once its size is known: it takes what plan_view takes
// behind the key, and answers a Target.
template <class Choose>
void take_pixels(Workshop& shop, const uint8_t* pixels, int64_t height, int64_t width,
                 const Choose& choose, Outcome& outcome) {
  outcome.width = width;
  outcome.height = height;
  begin(shop, choose(height, width, false, false, false), outcome);
  const Box& needed = shop.resampler.needed();
  uint8_t* const row = row_of(shop, needed.width);
  for (int64_t y = 0; y < needed.height; y++) {
    const uint8_t* from = pixels + 3 * ((needed.top + y) * width + needed.left);
    for (int64_t x = 0; x < needed.width; x++) std::memcpy(row + 4 * x, from + 3 * x, 3);
    shop.resampler.push(row, 0, 1);
  }
}

template <class Choose>
void take_file(Workshop& shop, const Place& place, int64_t most_pixels, const Choose& choose,
               Outcome& outcome) {
  const Bytes bytes = shop.source.read(place, outcome);
  if (outcome.status != Status::kOk) return;
  if (is_record(bytes)) {
    const Record record = open_record(bytes);
    if (!record.pixels) {
      outcome.status = Status::kCorrupt;
    } else if (record.height * record.width <= most_pixels) {
      take_pixels(shop, record.pixels, record.height, record.width, choose, outcome);
    } else {
      outcome.width = record.width;
      outcome.height = record.height;
      outcome.status = Status::kTooLarge;
    }
    return;
  }
  const JpegHeader header = shop.jpeg.read_header(bytes, outcome);
  const Turn turn(header.orientation);
  outcome.orientation = header.orientation;
  outcome.width = turn.transposed ? header.height : header.width;
  outcome.height = turn.transposed ? header.width : header.height;
  if (outcome.status != Status::kOk) return;
  if (header.width * header.height > most_pixels) {
    outcome.status = Status::kTooLarge;
    return;
  }
  const Target target = choose(outcome.height, outcome.width, header.can_shrink,
                               turn.mirrors_rows(), turn.mirrors_columns());
  begin(shop, target, outcome);
  const int64_t denominator = target.plan.denominator;
  const Box stored = turn.stored(shop.resampler.needed(), shrunk(outcome.height, denominator),
                                 shrunk(outcome.width, denominator));
  if (turn.none()) {
    shop.jpeg.decode(stored, denominator, push_rows, &shop.resampler, outcome);
  } else {
    decode_turned(shop, turn, stored, denominator, outcome);
  }
}

// Lets `work` use the thread's workshop, and turns a lack of memory into an outcome.
template <class Work>
Outcome in_workshop(const Work& work) {
  Outcome outcome;
  try {
    Workshop& shop = workshop();
    work(shop, outcome);
    shop.shrink();
  } catch (const std::bad_alloc&) {
    outcome.status = Status::kTooLarge;
    outcome.detail = 0;
  }
  return outcome;
}

// Runs `work` with a `choose` for the view, and leaves zeros behind where it fails.
template <class Work>
Outcome for_view(const View& view, const Choice& choice, uint8_t* to, const Work& work) {
  const size_t bytes = 3 * view.height * view.width;
  // A margin stays black.
  if (!view.random) std::memset(to, 0, bytes);
  const auto choose = [&](int64_t height, int64_t width, bool may_shrink, bool mirrored_rows,
                          bool mirrored_columns) {
    const Plan plan =
        plan_view(view, choice.key, height, width, may_shrink, mirrored_rows, mirrored_columns);
    return Target{plan, to, view.width, view.height * view.width, choice.mirrored};
  };
  const Outcome outcome =
      in_workshop([&](Workshop& shop, Outcome& found) { work(shop, choose, found); });
  if (outcome.status != Status::kOk) std::memset(to, 0, bytes);
  return outcome;
}

// Runs `work` with a `choose` for the whole image, and makes a file of the result.
template <class Work>
Outcome for_fit(int64_t shorter, std::vector<uint8_t>& to, const Work& work) {
  to.clear();
  return in_workshop([&](Workshop& shop, Outcome& outcome) {
    std::vector<uint8_t> planes;
    int64_t height = 0, width = 0;
    work(
        shop,
        [&](int64_t from_height, int64_t from_width, bool, bool, bool) {
          const Plan plan = plan_fit(shorter, from_height, from_width);
          height = plan.rows.out;
          width = plan.columns.out;
          planes.resize(3 * height * width);
          return Target{plan, planes.data(), width, height * width, false};
        },
        outcome);
    if (outcome.status != Status::kOk) return;
    to.resize(record_size(width, height));
    uint8_t* pixel = to.data() + sizeof(RecordHead);
    const int64_t plane = height * width;
    for (int64_t i = 0; i < plane; i++, pixel += 3) {
      for (int64_t c = 0; c < 3; c++) pixel[c] = planes[c * plane + i];
    }
    seal_record(to.data(), width, height);
  });
}

}  // namespace

Outcome decode_image(const Place& place, const View& view, const Choice& choice,
                     int64_t most_pixels, uint8_t* to) {
  return for_view(view, choice, to, [&](Workshop& shop, const auto& choose, Outcome& outcome) {
    take_file(shop, place, most_pixels, choose, outcome);
  });
}

Outcome view_pixels(const uint8_t* pixels, int64_t height, int64_t width, const View& view,
                    const Choice& choice, uint8_t* to) {
  return for_view(view, choice, to, [&](Workshop& shop, const auto& choose, Outcome& outcome) {
    take_pixels(shop, pixels, height, width, choose, outcome);
  });
}

Outcome fit_image(const Place& place, int64_t shorter, int64_t most_pixels,
                  std::vector<uint8_t>& to) {
  return for_fit(shorter, to, [&](Workshop& shop, const auto& choose, Outcome& outcome) {
    take_file(shop, place, most_pixels, choose, outcome);
  });
}

Outcome fit_pixels(const uint8_t* pixels, int64_t height, int64_t width, int64_t shorter,
                   std::vector<uint8_t>& to) {
  return for_fit(shorter, to, [&](Workshop& shop, const auto& choose, Outcome& outcome) {
    take_pixels(shop, pixels, height, width, choose, outcome);
  });
}

}  // namespace lyceum::image
