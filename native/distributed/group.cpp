#include "distributed/group.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/empty.h>
#include <torch/csrc/autograd/custom_function.h>
#include <torch/csrc/distributed/c10d/PrefixStore.hpp>
#include <torch/csrc/distributed/c10d/ProcessGroupGloo.hpp>
#include <torch/version.h>

#if defined(LYCEUM_NCCL)
#include <torch/csrc/distributed/c10d/ProcessGroupNCCL.hpp>
#endif

#include <cstring>
#include <optional>
#include <thread>
#include <unordered_map>

#include "distributed/store.h"

namespace lyceum::distributed {
namespace {

// The class of both was ProcessGroup before 2.0.
#if TORCH_VERSION_MAJOR >= 2
using Backend = c10d::Backend;
#else
using Backend = c10d::ProcessGroup;
#endif
using std::chrono::milliseconds;

milliseconds timeoutOf(const Place& place) {
  return milliseconds(static_cast<int64_t>(place.timeoutSeconds * 1000));
}

bool isTimeout(const std::string& message) {
  for (const char* words : {"Timed out", "timed out", "timeout", "Timeout"}) {
    if (message.find(words) != std::string::npos) return true;
  }
  return false;
}

const char* const kReductions[] = {"sum", "max", "min"};

c10d::ReduceOp reduceOp(int64_t reduction) {
  switch (static_cast<Reduction>(reduction)) {
    case Reduction::Max: return c10d::ReduceOp::MAX;
    case Reduction::Min: return c10d::ReduceOp::MIN;
    default: return c10d::ReduceOp::SUM;
  }
}

// Whether all numbers but the notes are equal.
bool agree(const Header& a, const Header& b) {
  return std::memcmp(&a, &b, offsetof(Header, notes)) == 0;
}

}  // namespace

Header headerOf(Action action, const at::Tensor& tensor) {
  TORCH_CHECK(tensor.dim() <= kDimensions, "a tensor of ", tensor.dim(), " dimensions, of which ",
              kDimensions, " are allowed");
  Header header;
  header.action = action;
  header.dtype = static_cast<int64_t>(tensor.scalar_type());
  header.cuda = tensor.is_cuda();
  header.dimensions = tensor.dim();
  for (int64_t i = 0; i < tensor.dim(); ++i) header.sizes[i] = tensor.size(i);
  return header;
}

std::string describe(const Header& header) {
  const auto dtype = static_cast<at::ScalarType>(header.dtype);
  std::string name = dtype == at::kFloat    ? "float32"
                     : dtype == at::kDouble ? "float64"
                     : dtype == at::kHalf   ? "float16"
                     : dtype == at::kLong   ? "int64"
                     : dtype == at::kInt    ? "int32"
                     : dtype == at::kByte   ? "uint8"
                     : dtype == at::kBool   ? "bool"
                                            : c10::toString(dtype);
  std::string shape = "[";
  for (int64_t i = 0; i < std::min<int64_t>(header.dimensions, kDimensions); ++i) {
    shape += (i > 0 ? ", " : "") + std::to_string(header.sizes[i]);
  }
  const std::string of = name + shape + "]" + (header.cuda ? " on a card" : "");
  switch (header.action) {
    case Action::AllReduce:
      return std::string("allReduce (") + kReductions[header.parameter] + ") of " + of;
    case Action::Broadcast:
      return "broadcast from rank " + std::to_string(header.parameter) + " of " + of;
    case Action::AllGather: return "allGather of " + of;
    case Action::Average:
      return "sum of gradients, bucket " + std::to_string(header.sizes[0] + 1) + " of " +
             std::to_string(header.sizes[1]) + " with " + std::to_string(header.sizes[2]) +
             " values";
    default: return "barrier";
  }
}

// Lives as long as the group or its thread.
struct Group::Inside {
  explicit Inside(const Place& where) : place(where) {}

  const Place place;
  StorePointer store;
  c10::intrusive_ptr<c10d::ProcessGroupGloo> gloo;
#if defined(LYCEUM_NCCL)
  c10::intrusive_ptr<c10d::ProcessGroupNCCL> nccl;
#endif
  std::shared_ptr<std::atomic<bool>> ended = std::make_shared<std::atomic<bool>>(false);
  // The text of the failure that ended the group, empty while it works.
  std::string failed;
  // Rows are the ranks' headers, as int64.
  at::Tensor mine;
  at::Tensor all;

  std::mutex mutex;
  std::condition_variable wake;
  std::deque<std::function<void()>> tasks;
  // No more tasks shall come, and the thread has ended.
  bool over = false;
  bool gone = false;
  // The connections were closed then too.
  bool closed = false;
  std::condition_variable hasClosed;

  void push(std::function<void()> task) {
    {
      std::lock_guard<std::mutex> lock(mutex);
      if (!gone) tasks.push_back(std::move(task));
    }
    // After the end a task has nothing to do but to say so.
    if (task) return task();
    wake.notify_one();
  }

  void loop() {
    const at::NoGradGuard noGrad;
    while (true) {
      std::function<void()> task;
      {
        std::unique_lock<std::mutex> lock(mutex);
        wake.wait(lock, [&] { return over || !tasks.empty(); });
        if (tasks.empty()) {
          if (failed.empty()) failed = farewell();
          gone = true;
          break;
        }
        task = std::move(tasks.front());
        tasks.pop_front();
      }
      task();
    }
    close();
    std::lock_guard<std::mutex> lock(mutex);
    closed = true;
    hasClosed.notify_all();
  }

  // Peers see at once that the connections end.
  void close() noexcept {
    *ended = true;
    try {
#if defined(LYCEUM_NCCL)
      nccl.reset();
#endif
      gloo.reset();
    } catch (...) {
    }
  }

  void connect() {
    const auto start = Clock::now();
    try {
      auto options = c10d::ProcessGroupGloo::Options::create(timeoutOf(place));
      // Jobs come one after another.
      options->threads = 1;
      options->devices.push_back(
          place.address.empty() ? c10d::ProcessGroupGloo::createDeviceForInterface(place.interface)
                                : c10d::ProcessGroupGloo::createDeviceForHostname(place.address));
      auto own = c10::make_intrusive<c10d::PrefixStore>("gloo", store);
      gloo = c10::make_intrusive<c10d::ProcessGroupGloo>(own, place.rank, place.size, options);
    } catch (const std::exception& error) {
      throw Failure("other", "connect", secondsSince(start), {}, error.what());
    }
    const int64_t words = sizeof(Header) / 8;
    mine = at::empty({words}, at::kLong);
    all = at::empty({place.size, words}, at::kLong);
  }

  Backend& backendFor(const Job& job) {
    if (!job.header.cuda) return *gloo;
#if defined(LYCEUM_NCCL)
    if (!nccl) {
      auto options = c10d::ProcessGroupNCCL::Options::create();
      options->timeout = timeoutOf(place);
      auto own = c10::make_intrusive<c10d::PrefixStore>("nccl", store);
      nccl = c10::make_intrusive<c10d::ProcessGroupNCCL>(own, place.rank, place.size, options);
    }
    return *nccl;
#else
    throw std::runtime_error("this build has no NCCL");
#endif
  }

  void wait(const c10::intrusive_ptr<c10d::Work>& work, bool cuda) const {
    if (cuda) {
      // NCCL's wait only orders streams: the host asks until the card is done.
      const auto start = Clock::now();
      auto rest = std::chrono::microseconds(20);
      while (!work->isCompleted()) {
        if (secondsSince(start) > place.timeoutSeconds) throw std::runtime_error("Timed out");
        std::this_thread::sleep_for(rest);
        rest = std::min(std::chrono::microseconds(1000), rest * 2);
      }
    }
    work->wait();
  }

  // Learns what the other ranks are about to do. All headers are of one size, so that whatever the
  // ranks do, they meet here and not in operations of different sizes, which would end the process.
  void compare(Job& job) {
    std::memcpy(mine.data_ptr(), &job.header, sizeof(Header));
    std::vector<at::Tensor> inputs{mine};
    std::vector<std::vector<at::Tensor>> outputs(1);
    for (int rank = 0; rank < place.size; ++rank) outputs[0].push_back(all[rank]);
    gloo->allgather(outputs, inputs)->wait();
    job.headers.resize(place.size);
    std::memcpy(job.headers.data(), all.data_ptr(), sizeof(Header) * place.size);
    for (const Header& theirs : job.headers) {
      if (agree(theirs, job.header)) continue;
      std::vector<std::string> table;
      for (const Header& each : job.headers) table.push_back(describe(each));
      throw Failure("differs", describe(job.header), 0, {}, "", table);
    }
  }

  void run(Job& job) {
    const Header& header = job.header;
    const bool cuda = header.cuda != 0;
    if (header.action == Action::Barrier || !job.tensor.defined() || job.tensor.numel() == 0) {
      if (header.action == Action::AllGather) {
        auto sizes = job.tensor.sizes().vec();
        sizes.insert(sizes.begin(), place.size);
        job.result = at::empty(sizes, job.tensor.options());
      }
      return;
    }
    Backend& backend = backendFor(job);
    // The order of elements in memory must not depend on the rank.
    at::Tensor dense = job.tensor.contiguous();
    if (header.action == Action::AllReduce || header.action == Action::Average) {
      c10d::AllreduceOptions options;
      options.reduceOp = reduceOp(header.action == Action::Average ? 0 : header.parameter);
      std::vector<at::Tensor> tensors{dense};
      wait(backend.allreduce(tensors, options), cuda);
    } else if (header.action == Action::Broadcast) {
      c10d::BroadcastOptions options;
      options.rootRank = header.parameter;
      // Bytes, since not every dtype is known to Gloo.
      std::vector<at::Tensor> tensors{dense.view(-1).view(at::kByte)};
      wait(backend.broadcast(tensors, options), cuda);
    } else {
      auto sizes = job.tensor.sizes().vec();
      sizes.insert(sizes.begin(), place.size);
      job.result = at::empty(sizes, job.tensor.options());
      std::vector<at::Tensor> inputs{dense.view(-1).view(at::kByte)};
      std::vector<std::vector<at::Tensor>> outputs(1);
      for (int rank = 0; rank < place.size; ++rank) {
        outputs[0].push_back(job.result[rank].view(-1).view(at::kByte));
      }
      wait(backend.allgather(outputs, inputs), cuda);
      return;
    }
    if (!dense.is_same(job.tensor)) job.tensor.copy_(dense);
  }

  void carryOut(Job& job) {
    const auto start = Clock::now();
    if (failed.empty()) {
      try {
        compare(job);
        job.waitingSeconds = secondsSince(start);
        run(job);
        job.runningSeconds = secondsSince(start) - job.waitingSeconds;
      } catch (const Failure& failure) {
        fail(failure.what());
      } catch (const std::exception& error) {
        failFrom(job, error.what(), secondsSince(start));
      } catch (...) {
        failFrom(job, "unknown C++ exception", secondsSince(start));
      }
    }
    job.failure = failed;
    job.settled();
  }

  static std::string farewell() {
    return Failure("other", "", 0, {}, "this process has left the group").what();
  }

  void fail(const std::string& text) {
    failed = text;
    close();
  }

  void failFrom(const Job& job, const std::string& message, double seconds) {
    // The connections end first: the other ranks stop waiting for this one, and so on from rank to
    // rank.
    close();
    const Absent absent = findAbsent(store, place);
    const std::string operation = describe(job.header);
    if (!absent.left.empty() && absent.lost.empty()) {
      failed = Failure("left", operation, seconds, absent.left, message).what();
      return;
    }
    std::vector<int> lost = absent.lost;
    if (absent.storeLost && !place.agentStore && place.rank != 0) lost = {0};
    const bool late = isTimeout(message) || seconds >= place.timeoutSeconds;
    failed = Failure(late ? "timeout" : "lost", operation, seconds, lost, message).what();
  }
};

namespace {

std::mutex registryMutex;
std::unordered_map<int64_t, std::weak_ptr<Group>>& registry() {
  static auto* groups = new std::unordered_map<int64_t, std::weak_ptr<Group>>();
  return *groups;
}
int64_t nextId = 0;

}  // namespace

Group::Group(const Place& where) : place(where), inside_(std::make_shared<Inside>(where)) {}

std::shared_ptr<Group> Group::join(const Place& place,
                                   std::shared_ptr<std::atomic<bool>> cancelled) {
  const auto start = Clock::now();
  std::shared_ptr<Group> group(new Group(place));
  Inside& inside = *group->inside_;
  inside.store = openStore(place);
  meet(inside.store, place, start, *cancelled);
  inside.connect();
  beat(inside.store, place.rank, inside.ended);
  std::thread([inside = group->inside_] { inside->loop(); }).detach();
  std::lock_guard<std::mutex> lock(registryMutex);
  group->id = ++nextId;
  registry()[group->id] = group;
  return group;
}

std::shared_ptr<Group> Group::byId(int64_t id) {
  std::lock_guard<std::mutex> lock(registryMutex);
  const auto found = registry().find(id);
  return found == registry().end() ? nullptr : found->second.lock();
}

void Group::add(std::shared_ptr<Job> job) {
  Inside* inside = inside_.get();
  inside->push([inside, job = std::move(job)] { inside->carryOut(*job); });
}

void Group::doNow(std::shared_ptr<Job> job) {
  std::mutex mutex;
  std::condition_variable done;
  bool settled = false;
  job->settled = [&] {
    std::lock_guard<std::mutex> lock(mutex);
    settled = true;
    done.notify_one();
  };
  add(job);
  std::unique_lock<std::mutex> lock(mutex);
  // Each job ends by itself within the timeouts of its parts.
  done.wait(lock, [&] { return settled; });
  if (!job->failure.empty()) throw Failure(job->failure);
}

void Group::exchange(const std::string& key, const std::string& text,
                     std::function<void(std::vector<std::string>, std::string)> settled) {
  Inside* inside = inside_.get();
  inside->push([inside, key, text, settled = std::move(settled)] {
    std::vector<std::string> texts;
    if (inside->failed.empty()) {
      try {
        texts = exchangeTexts(inside->store, inside->place, key, text);
      } catch (const std::exception& failure) {
        inside->fail(failure.what());
      }
    }
    settled(std::move(texts), inside->failed);
  });
}

void Group::leave(std::function<void()> settled) {
  Inside* inside = inside_.get();
  inside->push([inside, settled = std::move(settled)] {
    if (inside->failed.empty()) {
      sayGoodbye(inside->store, inside->place);
      inside->fail(Inside::farewell());
    }
    settled();
  });
  abandon();
}

void Group::abandon() {
  {
    std::lock_guard<std::mutex> lock(inside_->mutex);
    inside_->over = true;
  }
  inside_->wake.notify_one();
}

void Group::awaitEnd() {
  std::unique_lock<std::mutex> lock(inside_->mutex);
  inside_->hasClosed.wait_for(lock, milliseconds(300), [&] { return inside_->closed; });
}

namespace {

struct SumOverRanks : torch::autograd::Function<SumOverRanks> {
  static at::Tensor sum(const at::Tensor& x, int64_t id) {
    const auto group = Group::byId(id);
    TORCH_CHECK(group, "the process group has ended");
    auto job = std::make_shared<Job>();
    job->tensor = x.detach().clone(at::MemoryFormat::Contiguous);
    job->header = headerOf(Action::AllReduce, job->tensor);
    group->doNow(job);
    return job->tensor;
  }

  static at::Tensor forward(torch::autograd::AutogradContext* context, const at::Tensor& x,
                            int64_t id) {
    context->saved_data["group"] = id;
    return sum(x, id);
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 torch::autograd::variable_list gradients) {
    return {sum(gradients[0], context->saved_data["group"].toInt()), at::Tensor()};
  }
};

}  // namespace

at::Tensor sumOverRanks(const at::Tensor& x, int64_t group) {
  TORCH_CHECK(x.is_floating_point(), "only a tensor of floats can be differentiated");
  return SumOverRanks::apply(x, group);
}

bool hasNccl() {
#if defined(LYCEUM_NCCL)
  return true;
#else
  return false;
#endif
}

}  // namespace lyceum::distributed
