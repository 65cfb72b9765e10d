// A group of processes: c10d's store, Gloo and, in builds with NCCL, NCCL. What ranks do together
// are jobs, which a thread of the group's own carries out one after another.
#pragma once

#include <ATen/core/Tensor.h>

#include <array>
#include <atomic>
#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "distributed/failure.h"

namespace lyceum::distributed {

// Where and as whom to join.
struct Place {
  int rank = 0;
  int size = 1;
  // The store's address in numbers, and whether this process holds it.
  std::string host;
  uint16_t port = 0;
  bool holdsStore = false;
  // Whether another process than a rank holds it (torchrun's agent).
  bool agentStore = false;
  // Stands before all keys: a restart must not read what was left by the ranks before.
  std::string prefix;
  // The address, or where it is empty the interface, on which Gloo listens.
  std::string address;
  std::string interface;
  // The only address at which the store may be reached; empty for all.
  std::string storeAddress;
  double timeoutSeconds = 600;
};

enum class Action : int64_t { AllReduce, Broadcast, AllGather, Barrier, Average };
enum class Reduction : int64_t { Sum, Max, Min };

// What a rank is about to do, as numbers that all ranks compare before they do it.
constexpr int kDimensions = 8;
constexpr int kNotes = 8;
struct Header {
  Action action = Action::Barrier;
  int64_t dtype = 0;
  int64_t cuda = 0;
  // The reduction of allReduce, the root of broadcast.
  int64_t parameter = 0;
  int64_t dimensions = 0;
  std::array<int64_t, kDimensions> sizes{};
  // Stands for whatever else must be equal.
  int64_t plan = 0;
  // Not compared, but told to all ranks.
  int64_t noteCount = 0;
  std::array<double, kNotes> notes{};
};
static_assert(sizeof(Header) == (7 + kDimensions + kNotes) * 8, "a header is sent as int64s");

// The header of an operation on a tensor. Throws where it has too many dimensions.
Header headerOf(Action action, const at::Tensor& tensor);
// The operation in words, such as "allReduce (sum) of float32[2, 3]".
std::string describe(const Header& header);

// Something that ranks do together. Made by whoever asks for it, done on the group's thread.
struct Job {
  Header header;
  at::Tensor tensor;
  // The result of allGather.
  at::Tensor result;
  // Called on the group's thread when all is over, also after a failure.
  std::function<void()> settled;

  // Set by the group; to be read once it is settled.
  std::string failure;
  std::vector<Header> headers;
  double waitingSeconds = 0;
  double runningSeconds = 0;
};

class Group {
 public:
  // Joins, and waits for the others. Throws Failure. `cancelled` gives up.
  static std::shared_ptr<Group> join(const Place& place,
                                     std::shared_ptr<std::atomic<bool>> cancelled);

  const Place place;

  // Any thread. The job must not be touched until it is settled.
  void add(std::shared_ptr<Job> job);
  // Waits for the job on this thread. Throws what made it fail.
  void doNow(std::shared_ptr<Job> job);
  // Gives each rank's text to all, through the store. Calls `settled` on a thread of the group.
  void exchange(const std::string& key, const std::string& text,
                std::function<void(std::vector<std::string>, std::string failure)> settled);
  // Leaves when all that was added is done. The group's last task.
  void leave(std::function<void()> settled);
  // Ends the group's thread when it has nothing more to do, without a word to the others.
  void abandon();
  // Waits a moment for that: libraries must not be torn down under a thread that closes
  // connections. One that is in the midst of an operation only waits for others, and may go with
  // the process.
  void awaitEnd();

  // The number by which operators know the group.
  int64_t id = 0;
  static std::shared_ptr<Group> byId(int64_t id);

 private:
  struct Inside;
  explicit Group(const Place& place);
  std::shared_ptr<Inside> inside_;
};

// The sum of x over all ranks; differentiable. Waits on this thread.
at::Tensor sumOverRanks(const at::Tensor& x, int64_t group);

// Whether this build can use NCCL.
bool hasNccl();

}  // namespace lyceum::distributed
