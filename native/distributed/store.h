// The store of a group: who is there, what they told, who was lost.
#pragma once

#include <torch/csrc/distributed/c10d/Store.hpp>

#include <atomic>
#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "distributed/group.h"

namespace lyceum::distributed {

using Clock = std::chrono::steady_clock;
using StorePointer = c10::intrusive_ptr<c10d::Store>;

double secondsSince(Clock::time_point start);

// Opens the store, or connects to it. Throws Failure of the kind "store".
StorePointer openStore(const Place& place);

// Waits until all ranks have said who they are. Throws Failure of the kinds "store" and "world".
void meet(const StorePointer& store, const Place& place, Clock::time_point start,
          const std::atomic<bool>& cancelled);

// Each rank's text. Throws Failure.
std::vector<std::string> exchangeTexts(const StorePointer& store, const Place& place,
                                       const std::string& key, const std::string& text);

// Tells the others regularly that this process lives, until `ended`.
void beat(StorePointer store, int rank, const std::shared_ptr<std::atomic<bool>>& ended);

// Who no longer answers and who has left, found out within some seconds.
struct Absent {
  std::vector<int> lost;
  std::vector<int> left;
  bool storeLost = false;
};
Absent findAbsent(const StorePointer& store, const Place& place);

// Tells the others that this rank leaves; the rank that holds the store waits for them a while.
void sayGoodbye(const StorePointer& store, const Place& place);

}  // namespace lyceum::distributed
