#include "distributed/averager.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/empty.h>
#include <torch/csrc/autograd/function.h>
#include <torch/csrc/autograd/function_hook.h>
#include <torch/csrc/autograd/variable.h>

namespace lyceum::distributed {

// The place of one parameter's gradient.
struct Averager::Member {
  size_t bucket = 0;
  // Its part of the bucket, strided as the parameter.
  at::Tensor place;
  bool ready = false;
  // The node at which the gradient is accumulated lives only as long as somebody holds it.
  std::shared_ptr<torch::autograd::Node> accumulator;
  uintptr_t hook = 0;
};

struct Averager::Bucket {
  at::Tensor flat;
  std::vector<size_t> members;
  // The end of `flat`: 1 for each member that has a gradient. The sums say on how many ranks.
  at::Tensor flags;
  size_t ready = 0;
};

// Called when a parameter's gradient was accumulated.
struct Averager::Hook : torch::autograd::FunctionPostHook {
  Hook(std::weak_ptr<Averager> of, size_t which) : owner(std::move(of)), member(which) {}

  torch::autograd::variable_list operator()(const torch::autograd::variable_list& outputs,
                                            const torch::autograd::variable_list&) override {
    if (const auto averager = owner.lock()) averager->arrived(member);
    return outputs;
  }

  const std::weak_ptr<Averager> owner;
  const size_t member;
};

namespace {

int64_t mixed(int64_t hash, int64_t value) {
  // FNV-1a, by words.
  return static_cast<int64_t>((static_cast<uint64_t>(hash) ^ static_cast<uint64_t>(value)) *
                              1099511628211ULL);
}

}  // namespace

Averager::Averager(std::shared_ptr<Group> group, std::vector<at::Tensor> parameters)
    : group_(std::move(group)), parameters_(std::move(parameters)) {}

std::shared_ptr<Averager> Averager::make(std::shared_ptr<Group> group,
                                         std::vector<at::Tensor> parameters, int64_t bucketBytes) {
  for (const at::Tensor& parameter : parameters) {
    const auto dtype = parameter.scalar_type();
    TORCH_CHECK(parameter.is_leaf() && parameter.requires_grad(),
                "a parameter must be a leaf that requires a gradient");
    TORCH_CHECK(dtype == at::kFloat || dtype == at::kDouble || dtype == at::kHalf, "gradients of ",
                c10::toString(dtype), " cannot be summed by Gloo");
    TORCH_CHECK(parameter.is_non_overlapping_and_dense(), "a parameter has gaps in memory");
  }
  TORCH_CHECK(!parameters.empty(), "there are no parameters");
  const at::NoGradGuard noGrad;
  std::shared_ptr<Averager> averager(new Averager(std::move(group), std::move(parameters)));
  averager->divide(bucketBytes);
  averager->listen();
  return averager;
}

void Averager::end() {
  for (Member& member : members_) {
    if (member.accumulator) member.accumulator->del_post_hook(member.hook);
    member.accumulator = nullptr;
  }
}

void Averager::divide(int64_t bucketBytes) {
  members_.resize(parameters_.size());
  plan_ = 1469598103934665603;
  int64_t filled = 0;
  for (size_t i = parameters_.size(); i-- > 0;) {
    const at::Tensor& parameter = parameters_[i];
    const bool alike = !buckets_.empty() && parameter.options().type_equal(
                                                parameters_[buckets_.back().members[0]].options());
    if (!alike || filled >= bucketBytes) {
      buckets_.emplace_back();
      filled = 0;
    }
    members_[i].bucket = buckets_.size() - 1;
    buckets_.back().members.push_back(i);
    filled += static_cast<int64_t>(parameter.nbytes());
    plan_ = mixed(plan_, buckets_.size());
    plan_ = mixed(plan_, static_cast<int64_t>(parameter.scalar_type()));
    for (int64_t d = 0; d < parameter.dim(); ++d) {
      plan_ = mixed(mixed(plan_, parameter.size(d)), parameter.stride(d));
    }
  }
  for (Bucket& bucket : buckets_) {
    const auto options = parameters_[bucket.members[0]].options().requires_grad(false);
    auto count = static_cast<int64_t>(bucket.members.size());
    for (const size_t i : bucket.members) count += parameters_[i].numel();
    bucket.flat = at::empty({count}, options);
    int64_t offset = 0;
    for (const size_t i : bucket.members) {
      const at::Tensor& parameter = parameters_[i];
      members_[i].place = bucket.flat.as_strided(parameter.sizes(), parameter.strides(), offset);
      offset += parameter.numel();
    }
    bucket.flags = bucket.flat.narrow(0, offset, count - offset);
  }
}

void Averager::listen() {
  for (size_t i = 0; i < parameters_.size(); ++i) {
    Member& member = members_[i];
    member.accumulator = torch::autograd::impl::grad_accumulator(parameters_[i]);
    member.hook = member.accumulator->add_post_hook(std::make_unique<Hook>(weak_from_this(), i));
  }
}

std::vector<at::Tensor> Averager::buffers() const {
  std::vector<at::Tensor> all;
  for (const Bucket& bucket : buckets_) all.push_back(bucket.flat);
  return all;
}

void Averager::begin(const std::vector<double>& notes) {
  std::lock_guard<std::recursive_mutex> lock(mutex_);
  TORCH_CHECK(!finishing_, "the last round has not ended: await finish first");
  TORCH_CHECK(!begun_, "a round was begun already, and finish was not called");
  TORCH_CHECK(notes.size() <= kNotes, notes.size(), " notes, of which ", kNotes, " are allowed");
  begun_ = true;
  notes_ = notes;
  sent_ = returned_ = 0;
  jobs_.clear();
  for (Bucket& bucket : buckets_) bucket.ready = 0;
  for (Member& member : members_) member.ready = false;
}

void Averager::arrived(size_t index) {
  std::lock_guard<std::recursive_mutex> lock(mutex_);
  if (!begun_ || finishing_) return;
  const at::NoGradGuard noGrad;
  Member& member = members_[index];
  const at::Tensor& gradient = parameters_[index].grad();
  if (member.ready || !gradient.defined()) return;
  if (gradient.data_ptr() != member.place.data_ptr() ||
      gradient.strides() != member.place.strides()) {
    member.place.copy_(gradient);
  }
  member.ready = true;
  ++buckets_[member.bucket].ready;
  sendReady(false);
}

void Averager::sendReady(bool all) {
  while (sent_ < buckets_.size()) {
    Bucket& bucket = buckets_[sent_];
    bucket.flags.fill_(1);
    if (bucket.ready < bucket.members.size()) {
      if (!all) return;
      for (size_t k = 0; k < bucket.members.size(); ++k) {
        const Member& member = members_[bucket.members[k]];
        if (member.ready) continue;
        member.place.zero_();
        bucket.flags[static_cast<int64_t>(k)].zero_();
      }
    }
    send(sent_++);
  }
}

void Averager::send(size_t index) {
  auto job = std::make_shared<Job>();
  job->tensor = buckets_[index].flat;
  Header& header = job->header;
  header.action = Action::Average;
  header.dtype = static_cast<int64_t>(job->tensor.scalar_type());
  header.cuda = job->tensor.is_cuda();
  header.dimensions = 3;
  header.sizes = {static_cast<int64_t>(index), static_cast<int64_t>(buckets_.size()),
                  job->tensor.numel()};
  header.plan = plan_;
  header.noteCount = static_cast<int64_t>(notes_.size());
  std::copy(notes_.begin(), notes_.end(), header.notes.begin());
  job->settled = [self = shared_from_this()] {
    std::function<void()> settled;
    {
      std::lock_guard<std::recursive_mutex> lock(self->mutex_);
      if (++self->returned_ == self->buckets_.size()) settled = std::move(self->settled_);
    }
    if (settled) settled();
  };
  jobs_.push_back(job);
  group_->add(std::move(job));
}

void Averager::finish(std::function<void()> settled) {
  {
    std::lock_guard<std::recursive_mutex> lock(mutex_);
    TORCH_CHECK(begun_ && !finishing_, "there is no round to finish: call begin first");
    const at::NoGradGuard noGrad;
    finishing_ = true;
    sendReady(true);
    if (returned_ < buckets_.size()) {
      settled_ = std::move(settled);
      return;
    }
  }
  settled();
}

Round Averager::conclude() {
  std::lock_guard<std::recursive_mutex> lock(mutex_);
  begun_ = finishing_ = false;
  Round round;
  for (const auto& job : jobs_) {
    round.waitingSeconds += job->waitingSeconds;
    round.runningSeconds += job->runningSeconds;
    if (round.failure.empty()) round.failure = job->failure;
    job->settled = nullptr;
  }
  if (!round.failure.empty()) return round;
  if (!jobs_.empty()) {
    for (const Header& header : jobs_[0]->headers) {
      round.notes.emplace_back(header.notes.begin(), header.notes.begin() + header.noteCount);
    }
  }
  const at::NoGradGuard noGrad;
  for (const Bucket& bucket : buckets_) {
    const at::Tensor flags = bucket.flags.to(at::kCPU, at::kDouble);
    for (size_t k = 0; k < bucket.members.size(); ++k) {
      const size_t i = bucket.members[k];
      const bool any = flags.data_ptr<double>()[k] > 0;
      parameters_[i].mutable_grad() = any ? members_[i].place : at::Tensor();
    }
  }
  return round;
}

}  // namespace lyceum::distributed
