// What can go wrong between processes, as JavaScript is told of it.
#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>
#include <vector>

namespace lyceum::distributed {

// A failure as plain data. Its text is a mark and JSON, which survives being wrapped by libtorch's
// autograd; src/distributed/failure.ts makes sentences of it.
struct Failure : std::runtime_error {
  // kind: "store", "world", "differs", "lost", "left", "timeout" or "other".
  // ranks: those that the failure is about.
  // detail: the library's own words.
  // table: what each rank said, where they differ.
  Failure(const std::string& kind, const std::string& operation, double seconds,
          const std::vector<int>& ranks, const std::string& detail,
          const std::vector<std::string>& table = {});
  // The text of a failure that another rank has made.
  explicit Failure(const std::string& text) : std::runtime_error(text) {}
};

}  // namespace lyceum::distributed
