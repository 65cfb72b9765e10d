// What JavaScript can ask of process groups.
#include <thread>

#include "bridge/additions.h"
#include "bridge/values.h"
#include "distributed/averager.h"
#include "distributed/group.h"
#include "distributed/mailbox.h"

namespace lyceum {

using namespace distributed;

// What one environment of JavaScript has of process groups.
struct Distributed {
  std::shared_ptr<Mailbox> mailbox;
  // Set where those who are about to join shall give up.
  std::shared_ptr<std::atomic<bool>> cancelled = std::make_shared<std::atomic<bool>>(false);
  Slots<std::shared_ptr<Group>> groups;
  Slots<std::shared_ptr<Averager>> averagers;
  std::vector<std::weak_ptr<Group>> all;

  ~Distributed() {
    std::vector<std::shared_ptr<Group>> alive;
    for (const auto& each : all) {
      if (auto group = each.lock()) alive.push_back(std::move(group));
    }
    for (const auto& group : alive) group->abandon();
    for (const auto& group : alive) group->awaitEnd();
  }
};

namespace {

Distributed& state(const Call& call) {
  auto& state = call.bridge.distributed;
  if (!state) {
    state = std::make_shared<Distributed>();
    state->mailbox = Mailbox::open(call.env);
  }
  return *state;
}

std::shared_ptr<Group> groupOf(const Call& call, size_t argument = 0) {
  auto* group = state(call).groups.find(toInt(call.env, call[argument]));
  if (!group) throw BadArgument("is no live process group");
  return *group;
}

std::shared_ptr<Averager> averagerOf(const Call& call) {
  auto* averager = state(call).averagers.find(toInt(call.env, call[0]));
  if (!averager) throw BadArgument("is no live averager");
  return *averager;
}

// A promise that is settled by a letter: `value` makes its value, or throws.
struct Promised {
  napi_value promise = nullptr;
  napi_deferred deferred = nullptr;
};

Promised promised(const Call& call) {
  Promised made;
  Distributed& here = state(call);
  check(call.env, napi_create_promise(call.env, &made.deferred, &made.promise));
  here.mailbox->expect(call.env);
  return made;
}

void settle(napi_env env, napi_deferred deferred, const std::function<napi_value()>& value) {
  try {
    napi_resolve_deferred(env, deferred, value());
    return;
  } catch (...) {
    throwToJavaScript(env, "");
  }
  napi_value reason = nullptr;
  if (napi_get_and_clear_last_exception(env, &reason) != napi_ok) return;
  napi_reject_deferred(env, deferred, reason);
}

// joinGroup(rank, size, host, port, holdsStore, agentStore, prefix, address, interface,
// storeAddress, timeoutSeconds): a promise of the group's number.
napi_value joinGroup(const Call& call) {
  Place place;
  place.rank = static_cast<int>(toInt(call.env, call[0]));
  place.size = static_cast<int>(toInt(call.env, call[1]));
  place.host = toString(call.env, call[2]);
  const int64_t port = toInt(call.env, call[3]);
  place.holdsStore = toBool(call.env, call[4]);
  place.agentStore = toBool(call.env, call[5]);
  place.prefix = toString(call.env, call[6]);
  place.address = toString(call.env, call[7]);
  place.interface = toString(call.env, call[8]);
  place.storeAddress = toString(call.env, call[9]);
  place.timeoutSeconds = toDouble(call.env, call[10]);
  if (place.size < 1 || place.size > 100000 || place.rank < 0 || place.rank >= place.size) {
    throw BadArgument("the rank must be within 0 and the size - 1");
  }
  if (port < 1 || port > 65535) throw BadArgument("the port must be within 1 and 65535");
  if (!(place.timeoutSeconds > 0 && place.timeoutSeconds <= 1e6)) {
    throw BadArgument("the timeout must be within 0 and 1e6 seconds");
  }
  place.port = static_cast<uint16_t>(port);
  Distributed& here = state(call);
  const auto [promise, deferred] = promised(call);
  *here.cancelled = false;
  Bridge* bridge = &call.bridge;
  std::thread([place, deferred = deferred, mailbox = here.mailbox, cancelled = here.cancelled,
               bridge] {
    std::shared_ptr<Group> group;
    std::string failure;
    try {
      group = Group::join(place, cancelled);
    } catch (const std::exception& error) {
      failure = messageOf(error);
    } catch (...) {
      failure = "unknown C++ exception";
    }
    mailbox->post([=](napi_env env) {
      settle(env, deferred, [&] {
        if (!group) throw std::runtime_error(failure);
        bridge->distributed->all.push_back(group);
        return integer(env, bridge->distributed->groups.add(group));
      });
    });
  }).detach();
  return promise;
}

// cancelJoining(): whoever is about to join gives up.
napi_value cancelJoining(const Call& call) {
  *state(call).cancelled = true;
  return nullptr;
}

bool reduces(at::ScalarType type) {
  return type == at::kFloat || type == at::kDouble || type == at::kHalf || type == at::kLong ||
         type == at::kInt || type == at::kByte;
}

struct Asked {
  std::shared_ptr<Job> job;
  at::Tensor tensor;
};

// The arguments group, action, tensor (0 for none) and parameter.
Asked asked(const Call& call, const Group& group) {
  const int64_t action = toInt(call.env, call[1]), handle = toInt(call.env, call[2]);
  const int64_t parameter = toInt(call.env, call[3]);
  if (action < 0 || action > static_cast<int64_t>(Action::Barrier)) {
    throw BadArgument("there is no such operation");
  }
  Asked asked{std::make_shared<Job>(), {}};
  asked.job->header.action = static_cast<Action>(action);
  if (asked.job->header.action == Action::Barrier) return asked;
  asked.tensor = call.bridge.tensor(handle);
  const at::Tensor& tensor = asked.tensor;
  if (!tensor.is_contiguous() && !tensor.is_non_overlapping_and_dense()) {
    throw BadArgument("the tensor, " + describe(tensor) + ", has gaps in memory: use contiguous()");
  }
#if !defined(LYCEUM_NCCL)
  if (tensor.is_cuda()) throw BadArgument("this build has no NCCL, which tensors on cards need");
#endif
  asked.job->header = headerOf(static_cast<Action>(action), tensor);
  asked.job->header.parameter = parameter;
  asked.job->tensor = tensor.detach();
  if (asked.job->header.action == Action::AllReduce) {
    if (!reduces(tensor.scalar_type())) {
      throw BadArgument("allReduce takes no tensor of dtype " +
                        std::string(nameOf(tensor.scalar_type())));
    }
    if (parameter < 0 || parameter > 2) throw BadArgument("there is no such reduction");
  } else if (asked.job->header.action == Action::Broadcast &&
             (parameter < 0 || parameter >= group.place.size)) {
    throw BadArgument("the rank to broadcast from must be within 0 and " +
                      std::to_string(group.place.size - 1));
  }
  return asked;
}

// What was written to has changed for all who look at the count of writes.
void written(const Asked& asked) {
  const bool wrote = asked.job->header.action == Action::AllReduce ||
                     asked.job->header.action == Action::Broadcast;
  if (wrote && !asked.tensor.is_inference()) asked.tensor.unsafeGetTensorImpl()->bump_version();
}

napi_value outcome(Bridge& bridge, const Asked& asked) {
  if (!asked.job->failure.empty()) throw std::runtime_error(asked.job->failure);
  written(asked);
  return integer(bridge.env, bridge.hold(std::move(asked.job->result)));
}

// Memory that is being read and written in the background, which no operator may free meanwhile.
void setBusy(Bridge& bridge, const at::Tensor& tensor, bool busy) {
  if (!tensor.defined()) return;
  const auto* storage = tensor.storage().unsafeGetStorageImpl();
  if (busy) {
    bridge.busy.insert(storage);
  } else {
    const auto found = bridge.busy.find(storage);
    if (found != bridge.busy.end()) bridge.busy.erase(found);
  }
}

// groupRun(group, action, tensor, parameter): a promise of allGather's result, else 0.
napi_value groupRun(const Call& call) {
  const auto group = groupOf(call);
  const Asked task = asked(call, *group);
  const auto [promise, deferred] = promised(call);
  Bridge* bridge = &call.bridge;
  setBusy(*bridge, task.tensor, true);
  const auto mailbox = state(call).mailbox;
  task.job->settled = [bridge, task, deferred = deferred, mailbox] {
    mailbox->post([=](napi_env env) {
      setBusy(*bridge, task.tensor, false);
      settle(env, deferred, [&] { return outcome(*bridge, task); });
      // It holds itself by what it was to call.
      task.job->settled = nullptr;
    });
  };
  group->add(task.job);
  return promise;
}

// groupRunNow(group, action, tensor, parameter): the same, at once.
napi_value groupRunNow(const Call& call) {
  const auto group = groupOf(call);
  const Asked task = asked(call, *group);
  group->doNow(task.job);
  return outcome(call.bridge, task);
}

// groupSum(group, tensor): the sum over all ranks, differentiable.
napi_value groupSum(const Call& call) {
  const auto group = groupOf(call);
  const at::Tensor tensor = call.bridge.tensor(toInt(call.env, call[1]));
  return integer(call.env, call.bridge.hold(sumOverRanks(tensor, group->id)));
}

napi_value texts(napi_env env, const std::vector<std::string>& all) {
  napi_value array;
  check(env, napi_create_array_with_length(env, all.size(), &array));
  for (size_t i = 0; i < all.size(); ++i) {
    check(env, napi_set_element(env, array, i, text(env, all[i])));
  }
  return array;
}

// groupExchange(group, key, text): a promise of all ranks' texts.
napi_value groupExchange(const Call& call) {
  const auto group = groupOf(call);
  const std::string key = toString(call.env, call[1]), mine = toString(call.env, call[2]);
  const auto [promise, deferred] = promised(call);
  const auto mailbox = state(call).mailbox;
  group->exchange(key, mine, [deferred = deferred, mailbox](auto all, auto failure) {
    mailbox->post([=](napi_env env) {
      settle(env, deferred, [&] {
        if (!failure.empty()) throw std::runtime_error(failure);
        return texts(env, all);
      });
    });
  });
  return promise;
}

// groupLeave(group): a promise. The number names no group any more.
napi_value groupLeave(const Call& call) {
  Distributed& here = state(call);
  std::shared_ptr<Group> group;
  const int64_t slot = toInt(call.env, call[0]);
  if (!here.groups.take(slot, group)) throw BadArgument("is no live process group");
  const auto [promise, deferred] = promised(call);
  group->leave([deferred = deferred, mailbox = here.mailbox] {
    mailbox->post([=](napi_env env) { settle(env, deferred, [&] { return undefined(env); }); });
  });
  return promise;
}

// createAverager(group, tensors, bucketBytes): its number.
napi_value createAverager(const Call& call) {
  const auto group = groupOf(call);
  auto parameters = toTensors(call.bridge, call[1]);
#if !defined(LYCEUM_NCCL)
  for (const at::Tensor& parameter : parameters) {
    if (parameter.is_cuda()) {
      throw BadArgument("this build has no NCCL, which tensors on cards need");
    }
  }
#endif
  auto averager = Averager::make(group, std::move(parameters), toInt(call.env, call[2]));
  return integer(call.env, state(call).averagers.add(std::move(averager)));
}

napi_value disposeAverager(const Call& call) {
  std::shared_ptr<Averager> averager;
  if (state(call).averagers.take(toInt(call.env, call[0]), averager)) averager->end();
  return nullptr;
}

void setBusy(Bridge& bridge, const Averager& averager, bool busy) {
  for (const at::Tensor& buffer : averager.buffers()) setBusy(bridge, buffer, busy);
}

// averagerBegin(averager, notes)
napi_value averagerBegin(const Call& call) {
  const auto averager = averagerOf(call);
  uint32_t count = 0;
  check(call.env, napi_get_array_length(call.env, call[1], &count));
  std::vector<double> notes(std::min<uint32_t>(count, kNotes + 1));
  for (uint32_t i = 0; i < notes.size(); ++i) {
    napi_value element;
    check(call.env, napi_get_element(call.env, call[1], i, &element));
    notes[i] = toDouble(call.env, element);
  }
  averager->begin(notes);
  setBusy(call.bridge, *averager, true);
  return nullptr;
}

// The sums become gradients. [waiting seconds, running seconds, each rank's notes in turn …]
napi_value conclude(Bridge& bridge, Averager& averager) {
  setBusy(bridge, averager, false);
  const Round round = averager.conclude();
  if (!round.failure.empty()) throw std::runtime_error(round.failure);
  std::vector<double> values{round.waitingSeconds, round.runningSeconds};
  for (const auto& notes : round.notes) values.insert(values.end(), notes.begin(), notes.end());
  napi_value array;
  check(bridge.env, napi_create_array_with_length(bridge.env, values.size(), &array));
  for (size_t i = 0; i < values.size(); ++i) {
    check(bridge.env, napi_set_element(bridge.env, array, i, number(bridge.env, values[i])));
  }
  return array;
}

// averagerFinish(averager): a promise of what conclude returns.
napi_value averagerFinish(const Call& call) {
  const auto averager = averagerOf(call);
  const auto [promise, deferred] = promised(call);
  Bridge* bridge = &call.bridge;
  const auto letter = [=, deferred = deferred](napi_env env) {
    settle(env, deferred, [&] { return conclude(*bridge, *averager); });
  };
  const auto mailbox = state(call).mailbox;
  try {
    averager->finish([=] { mailbox->post(letter); });
  } catch (const std::exception& error) {
    const std::string message = messageOf(error);
    mailbox->post([=, deferred = deferred](napi_env env) {
      settle(env, deferred, [&]() -> napi_value { throw std::runtime_error(message); });
    });
  }
  return promise;
}

// averagerFinishNow(averager): the same, at once.
napi_value averagerFinishNow(const Call& call) {
  const auto averager = averagerOf(call);
  std::mutex mutex;
  std::condition_variable done;
  bool settled = false;
  averager->finish([&] {
    std::lock_guard<std::mutex> lock(mutex);
    settled = true;
    done.notify_one();
  });
  std::unique_lock<std::mutex> lock(mutex);
  done.wait(lock, [&] { return settled; });
  return conclude(call.bridge, *averager);
}

napi_value nccl(const Call& call) { return boolean(call.env, hasNccl()); }

void exposeDistributed(napi_env env, napi_value exports, Bridge* bridge) {
  // A failure says itself what failed.
  const auto add = [&](const char* name, Function function) {
    expose(env, exports, bridge, name, function, true);
  };
  add("joinGroup", joinGroup);
  add("cancelJoining", cancelJoining);
  add("groupRun", groupRun);
  add("groupRunNow", groupRunNow);
  add("groupSum", groupSum);
  add("groupExchange", groupExchange);
  add("groupLeave", groupLeave);
  add("createAverager", createAverager);
  add("disposeAverager", disposeAverager);
  add("averagerBegin", averagerBegin);
  add("averagerFinish", averagerFinish);
  add("averagerFinishNow", averagerFinishNow);
  add("hasNccl", nccl);
}

const Adds adds(exposeDistributed);

}  // namespace
}  // namespace lyceum
