#include "image/source.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>

namespace lyceum::image {
namespace {

constexpr size_t kKeptBytes = size_t(8) << 20;

// Closes a file when it goes.
class File {
 public:
  // Without O_NONBLOCK, opening a pipe would wait for a writer for ever.
  explicit File(const char* path) : number_(open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC)) {}
  ~File() {
    if (number_ >= 0) close(number_);
  }
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  int number() const { return number_; }

 private:
  int number_;
};

int64_t milliseconds(const struct stat& found) {
#ifdef __APPLE__
  const timespec& time = found.st_mtimespec;
#else
  const timespec& time = found.st_mtim;
#endif
  return int64_t(time.tv_sec) * 1000 + time.tv_nsec / 1000000;
}

Bytes failed(Outcome& outcome, Status status, int64_t detail = 0) {
  outcome.status = status;
  outcome.detail = detail;
  return {nullptr, 0};
}

}  // namespace

Bytes Source::read(const Place& place, Outcome& outcome) {
  if (place.path) return read_file(place, outcome);
  const int64_t rest = place.memory_size - place.offset;
  const int64_t size = place.length < 0 ? rest : place.length;
  if (size > rest) return failed(outcome, Status::kTruncated);
  if (size > kMostBytes) return failed(outcome, Status::kTooLarge);
  return {place.memory + place.offset, size};
}

Bytes Source::read_file(const Place& place, Outcome& outcome) {
  const File file(place.path);
  struct stat found;
  if (file.number() < 0 || fstat(file.number(), &found) != 0) {
    return failed(outcome, Status::kUnreadable, errno);
  }
  if (!S_ISREG(found.st_mode)) return failed(outcome, Status::kNoFile);
  // JavaScript's times are fractions of a millisecond in float64, which may round to the next one.
  const bool same_time =
      place.expected_time < 0 || std::llabs(milliseconds(found) - place.expected_time) <= 1;
  if ((place.expected_size >= 0 && found.st_size != place.expected_size) || !same_time) {
    return failed(outcome, Status::kChanged);
  }
  const int64_t rest = std::max<int64_t>(0, found.st_size - place.offset);
  const int64_t size = place.length < 0 ? rest : place.length;
  if (size > rest) return failed(outcome, Status::kTruncated);
  if (size > kMostBytes) return failed(outcome, Status::kTooLarge);
  if (int64_t(buffer_.size()) < size) buffer_.resize(size);
  int64_t have = 0;
  while (have < size) {
    const ssize_t count =
        pread(file.number(), buffer_.data() + have, size - have, place.offset + have);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return failed(outcome, Status::kUnreadable, errno);
    // The file became shorter just now.
    if (count == 0) return failed(outcome, Status::kChanged);
    have += count;
  }
  return {buffer_.data(), size};
}

void Source::shrink() {
  if (buffer_.size() <= kKeptBytes) return;
  buffer_ = {};
}

}  // namespace lyceum::image
