#include "distributed/failure.h"

#include <cstdio>

namespace lyceum::distributed {
namespace {

std::string quoted(const std::string& text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (static_cast<unsigned char>(c) < 0x20) {
      char escaped[8];
      std::snprintf(escaped, sizeof escaped, "\\u%04x", c);
      out += escaped;
    } else {
      out += c;
    }
  }
  return out + '"';
}

template <class T, class Write>
std::string list(const std::vector<T>& values, Write write) {
  std::string out = "[";
  for (const T& value : values) out += (out.size() > 1 ? "," : "") + write(value);
  return out + "]";
}

}  // namespace

Failure::Failure(const std::string& kind, const std::string& operation, double seconds,
                 const std::vector<int>& ranks, const std::string& detail,
                 const std::vector<std::string>& table)
    : std::runtime_error(
          "process group: {\"kind\":" + quoted(kind) + ",\"operation\":" + quoted(operation) +
          ",\"seconds\":" + std::to_string(seconds) +
          ",\"ranks\":" + list(ranks, [](int rank) { return std::to_string(rank); }) +
          ",\"table\":" + list(table, quoted) + ",\"detail\":" + quoted(detail) + "}") {}

}  // namespace lyceum::distributed
