// Sums gradients over the ranks of a group, in buckets, while the backward pass still runs.
#pragma once

#include <ATen/core/Tensor.h>

#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "distributed/group.h"

namespace lyceum::distributed {

struct Round {
  std::vector<std::vector<double>> notes;
  double waitingSeconds = 0;
  double runningSeconds = 0;
  std::string failure;
};

// A bucket is the gradients of consecutive parameters, from the last to the first, which is about
// the order in which a backward pass makes them. Buckets are sent in their order on every rank.
class Averager : public std::enable_shared_from_this<Averager> {
 public:
  static std::shared_ptr<Averager> make(std::shared_ptr<Group> group,
                                        std::vector<at::Tensor> parameters, int64_t bucketBytes);

  // Both throw where they are not called in turn.
  void begin(const std::vector<double>& notes);
  // Sends what was not sent. `settled` is called on a thread of the group's when all has come back.
  void finish(std::function<void()> settled);
  // After that: makes the sums the parameters' gradients. Throws what made the round fail.
  Round conclude();

  // Listens to backward passes no more. To be called on the thread that runs them.
  void end();

  // The memory of the buckets, which others must leave alone from begin to conclude.
  std::vector<at::Tensor> buffers() const;

 private:
  struct Member;
  struct Bucket;
  struct Hook;
  Averager(std::shared_ptr<Group> group, std::vector<at::Tensor> parameters);
  void divide(int64_t bucketBytes);
  void listen();
  void arrived(size_t member);
  void sendReady(bool all);
  void send(size_t bucket);

  const std::shared_ptr<Group> group_;
  const std::vector<at::Tensor> parameters_;
  std::vector<Member> members_;
  std::vector<Bucket> buckets_;
  int64_t plan_ = 0;

  // Backward passes of cards run on threads of their own.
  // Recursive, since a group that has ended settles a job while it is added.
  std::recursive_mutex mutex_;
  bool begun_ = false;
  bool finishing_ = false;
  size_t sent_ = 0;
  size_t returned_ = 0;
  std::vector<double> notes_;
  std::vector<std::shared_ptr<Job>> jobs_;
  std::function<void()> settled_;
};

}  // namespace lyceum::distributed
