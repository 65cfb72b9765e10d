#include "image/record.h"

#include <cstring>

namespace lyceum::image {
namespace {

// The first byte is that of no image format, the last ones are the version.
constexpr char kMagic[8] = {'\x93', 'L', 'Y', 'C', 'I', 'M', '0', '1'};

// Mixes eight bytes at a time in four lanes, by multiplication and rotation (as xxHash does it,
// with its first two primes): it finds damage, and is no protection against a forger.
uint64_t checksum_of(const uint8_t* bytes, int64_t size) {
  constexpr uint64_t kFirst = 0x9E3779B185EBCA87u, kSecond = 0xC2B2AE3D27D4EB4Fu;
  uint64_t lanes[4] = {kFirst, kSecond, ~kFirst, ~kSecond};
  const auto mix = [](uint64_t lane, uint64_t word) {
    lane += word * kSecond;
    return ((lane << 31) | (lane >> 33)) * kFirst;
  };
  int64_t at = 0;
  for (; at + 32 <= size; at += 32) {
    uint64_t words[4];
    std::memcpy(words, bytes + at, 32);
    for (int i = 0; i < 4; i++) lanes[i] = mix(lanes[i], words[i]);
  }
  for (; at < size; at++) lanes[at % 4] = mix(lanes[at % 4], bytes[at]);
  uint64_t sum = uint64_t(size);
  for (const uint64_t lane : lanes) sum = mix(sum ^ lane, lane);
  return sum ^ (sum >> 29);
}

}  // namespace

void seal_record(uint8_t* record, int64_t width, int64_t height) {
  RecordHead head;
  std::memcpy(head.magic, kMagic, sizeof kMagic);
  head.width = uint32_t(width);
  head.height = uint32_t(height);
  head.checksum = checksum_of(record + sizeof head, 3 * width * height);
  std::memcpy(record, &head, sizeof head);
}

bool is_record(const Bytes& bytes) {
  return bytes.size >= int64_t(sizeof kMagic) &&
         std::memcmp(bytes.data, kMagic, sizeof kMagic) == 0;
}

Record open_record(const Bytes& bytes) {
  RecordHead head;
  if (bytes.size < int64_t(sizeof head)) return {nullptr, 0, 0};
  std::memcpy(&head, bytes.data, sizeof head);
  const int64_t width = head.width, height = head.height;
  // Sides below 2^24 keep three times their product within 64 bits.
  const bool fits = width > 0 && height > 0 && width < (1 << 24) && height < (1 << 24) &&
                    record_size(width, height) == bytes.size;
  const uint8_t* const pixels = bytes.data + sizeof head;
  if (!fits || checksum_of(pixels, 3 * width * height) != head.checksum) {
    return {nullptr, width, height};
  }
  return {pixels, width, height};
}

}  // namespace lyceum::image
