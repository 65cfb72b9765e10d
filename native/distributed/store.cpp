#include "distributed/store.h"

#include <torch/csrc/distributed/c10d/PrefixStore.hpp>
#include <torch/csrc/distributed/c10d/TCPStore.hpp>

#include <future>
#include <map>
#include <thread>

#include "distributed/listener.h"

namespace lyceum::distributed {
namespace {

using std::chrono::milliseconds;

constexpr auto kBeat = milliseconds(400);
// A rank whose beat stands still for so long is taken for lost.
constexpr auto kSilence = milliseconds(1300);
// The same where a rank need not be in an operation, and may be slow for reasons of its machine's.
constexpr auto kDead = milliseconds(5000);
// How long whoever holds the store stays for others who are about to hear of a failure.
constexpr auto kLinger = milliseconds(1500);
constexpr auto kGoodbye = milliseconds(5000);

std::vector<uint8_t> bytes(const std::string& text) { return {text.begin(), text.end()}; }
void put(const StorePointer& store, const std::string& key, const std::string& text) {
  store->set(key, bytes(text));
}
bool has(const StorePointer& store, const std::string& key) { return store->check({key}); }
std::string read(const StorePointer& store, const std::string& key) {
  const auto value = store->get(key);
  return {value.begin(), value.end()};
}
std::string key(const char* what, int rank) {
  return std::string(what) + "/" + std::to_string(rank);
}

milliseconds timeoutOf(const Place& place) {
  return milliseconds(static_cast<int64_t>(place.timeoutSeconds * 1000));
}

// Asks again and again, ever more rarely, since a wait within c10d's client of 1.13 that runs out
// leaves an answer on the wire that the next question would take for its own.
class Pause {
 public:
  void rest() {
    std::this_thread::sleep_for(time_);
    time_ = std::min(milliseconds(50), time_ * 2);
  }

 private:
  milliseconds time_{1};
};

// Throws the failure for which another rank has given up joining.
void refuseAsOthers(const StorePointer& store) {
  std::string text;
  try {
    if (has(store, "refused")) text = read(store, "refused");
  } catch (const std::exception&) {
    // The next question finds out.
  }
  if (!text.empty()) throw Failure(text);
}

}  // namespace

double secondsSince(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

StorePointer openStore(const Place& place) {
  const auto start = Clock::now();
  try {
    c10d::TCPStoreOptions options;
    options.port = place.port;
    options.isServer = place.holdsStore;
    options.numWorkers = static_cast<size_t>(place.size);
    options.waitWorkers = false;
    options.timeout = timeoutOf(place);
    auto store = c10::make_intrusive<c10d::TCPStore>(place.host, options);
    if (place.holdsStore && !place.storeAddress.empty()) {
      restrictListener(place.port, place.storeAddress);
    }
    return c10::make_intrusive<c10d::PrefixStore>(place.prefix, store);
  } catch (const std::exception& error) {
    throw Failure("store", "open", secondsSince(start), {}, error.what());
  }
}

void meet(const StorePointer& store, const Place& place, Clock::time_point start,
          const std::atomic<bool>& cancelled) {
  // Changes with what ranks send each other.
  const std::string mine = "protocol 1, " + std::to_string(place.size) + " ranks";
  try {
    // Whatever listens there must keep what it is told. From the wait on, each answer is waited for
    // no longer than this.
    const std::string probe = key("probe", place.rank);
    put(store, probe, mine);
    store->wait({probe}, timeoutOf(place));
    if (read(store, probe) != mine) throw std::runtime_error("it answers otherwise than a store");
  } catch (const std::exception& error) {
    throw Failure("store", "greet", secondsSince(start), {}, error.what());
  }
  try {
    if (store->add(key("taken", place.rank), 1) > 1) {
      throw Failure("world", "taken", secondsSince(start), {place.rank}, "");
    }
    put(store, key("alive", place.rank), "0");
    put(store, key("hello", place.rank), mine);
  } catch (const Failure&) {
    throw;
  } catch (const std::exception& error) {
    throw Failure("store", "meet", secondsSince(start), {}, error.what());
  }
  std::map<int, std::string> missing;
  for (int rank = 0; rank < place.size; ++rank) missing[rank] = "";
  const auto fail = [&](const Failure& failure) {
    try {
      put(store, "refused", failure.what());
      // The others' store ends with this process.
      if (place.holdsStore) std::this_thread::sleep_for(milliseconds(300));
    } catch (const std::exception&) {
      // Then they find out by themselves.
    }
    throw failure;
  };
  Pause pause;
  while (true) {
    try {
      for (auto at = missing.begin(); at != missing.end();) {
        const std::string greeting = key("hello", at->first);
        if (!has(store, greeting)) {
          ++at;
          continue;
        }
        const std::string theirs = read(store, greeting);
        if (theirs != mine) {
          fail(Failure("world", "sizes", secondsSince(start), {at->first}, "", {mine, theirs}));
        }
        at = missing.erase(at);
      }
    } catch (const Failure&) {
      throw;
    } catch (const std::exception& error) {
      throw Failure("store", "meet", secondsSince(start), {}, error.what());
    }
    if (missing.empty()) return;
    refuseAsOthers(store);
    if (cancelled) throw Failure("other", "join", secondsSince(start), {}, "given up");
    if (secondsSince(start) > place.timeoutSeconds) {
      std::vector<int> ranks;
      for (const auto& each : missing) ranks.push_back(each.first);
      fail(Failure("world", "missing", secondsSince(start), ranks, ""));
    }
    pause.rest();
  }
}

std::vector<std::string> exchangeTexts(const StorePointer& store, const Place& place,
                                       const std::string& name, const std::string& text) {
  const auto start = Clock::now();
  const std::string operation = "exchange of " + name;
  std::vector<std::string> texts(place.size);
  try {
    const auto at = [&](int rank) { return key(("texts/" + name).c_str(), rank); };
    if (has(store, at(place.rank))) {
      throw Failure("other", operation, 0, {}, "the key was used before in this group");
    }
    put(store, at(place.rank), text);
    Pause pause;
    for (int rank = 0; rank < place.size; ++rank) {
      std::string sign;
      auto signAt = Clock::now();
      while (!has(store, at(rank))) {
        const std::string now = read(store, key("alive", rank));
        if (now != sign) {
          sign = now;
          signAt = Clock::now();
        } else if (Clock::now() - signAt > kDead) {
          throw Failure("lost", operation, secondsSince(start), {rank}, "");
        }
        if (secondsSince(start) > place.timeoutSeconds) {
          std::vector<int> silent;
          for (int r = 0; r < place.size; ++r) {
            if (!has(store, at(r))) silent.push_back(r);
          }
          throw Failure("timeout", operation, secondsSince(start), silent, "");
        }
        if (has(store, key("left", rank))) {
          throw Failure("left", operation, secondsSince(start), {rank}, "");
        }
        pause.rest();
      }
      texts[rank] = read(store, at(rank));
    }
  } catch (const Failure&) {
    throw;
  } catch (const std::exception& error) {
    const std::vector<int> host = place.agentStore ? std::vector<int>{} : std::vector<int>{0};
    throw Failure("lost", operation, secondsSince(start), host, error.what());
  }
  return texts;
}

void beat(StorePointer store, int rank, const std::shared_ptr<std::atomic<bool>>& ended) {
  std::thread([store = std::move(store), rank, ended]() mutable {
    try {
      for (int64_t count = 1; !*ended; ++count) {
        put(store, key("alive", rank), std::to_string(count));
        std::this_thread::sleep_for(kBeat);
      }
    } catch (const std::exception&) {
      // The store is gone, which the next operation finds out.
    }
  }).detach();
}

namespace {

Absent askAround(const StorePointer& store, const Place& place) {
  Absent absent;
  try {
    put(store, key("noticed", place.rank), "1");
    std::map<int, std::string> open;
    for (int rank = 0; rank < place.size; ++rank) {
      if (rank != place.rank) open[rank] = read(store, key("alive", rank));
    }
    const auto start = Clock::now();
    std::vector<int> present;
    while (!open.empty() && Clock::now() - start < kSilence) {
      for (auto at = open.begin(); at != open.end();) {
        const int rank = at->first;
        const bool left = has(store, key("left", rank));
        if (left) absent.left.push_back(rank);
        if (left || has(store, key("noticed", rank)) ||
            read(store, key("alive", rank)) != at->second) {
          if (!left) present.push_back(rank);
          at = open.erase(at);
        } else {
          ++at;
        }
      }
      std::this_thread::sleep_for(milliseconds(30));
    }
    for (const auto& each : open) absent.lost.push_back(each.first);
    put(store, key("heard", place.rank), "1");
    if (place.holdsStore) {
      const auto end = Clock::now() + kLinger;
      for (const int rank : present) {
        while (Clock::now() < end && !has(store, key("heard", rank))) {
          std::this_thread::sleep_for(milliseconds(30));
        }
      }
    }
  } catch (const std::exception&) {
    absent.storeLost = true;
  }
  return absent;
}

}  // namespace

Absent findAbsent(const StorePointer& store, const Place& place) {
  // A store whose process is stopped does not answer, and 1.13 may wait for it without end: the
  // thread is then given up.
  auto answer = std::make_shared<std::promise<Absent>>();
  auto future = answer->get_future();
  std::thread([answer, store, place] { answer->set_value(askAround(store, place)); }).detach();
  if (future.wait_for(kSilence + kLinger + milliseconds(700)) == std::future_status::ready) {
    return future.get();
  }
  Absent absent;
  absent.storeLost = true;
  return absent;
}

void sayGoodbye(const StorePointer& store, const Place& place) {
  try {
    put(store, key("left", place.rank), "1");
    if (!place.holdsStore) return;
    const auto end = Clock::now() + kGoodbye;
    for (int rank = 0; rank < place.size; ++rank) {
      Pause pause;
      while (Clock::now() < end && !has(store, key("left", rank)) &&
             !has(store, key("noticed", rank))) {
        pause.rest();
      }
    }
  } catch (const std::exception&) {
    // Whoever is left finds out by itself.
  }
}

}  // namespace lyceum::distributed
