#include "image/pool.h"

#include <condition_variable>
#include <list>
#include <mutex>
#include <system_error>
#include <thread>

namespace lyceum::image {
namespace {

struct Job {
  Job(const std::function<void(int64_t)>& work, int64_t count, int64_t threads)
      : work(work), count(count), threads(threads) {}

  const std::function<void(int64_t)>& work;
  const int64_t count, threads;
  int64_t next = 0, done = 0, running = 0;
  std::condition_variable finished;
};

class Pool {
 public:
  void run(Job& job) {
    std::unique_lock<std::mutex> lock(mutex_);
    while (threads_ < job.threads && start_thread()) threads_++;
    // Where no thread at all can be started, the caller works.
    if (threads_ == 0) {
      lock.unlock();
      for (int64_t i = 0; i < job.count; i++) job.work(i);
      return;
    }
    jobs_.push_back(&job);
    wake_.notify_all();
    job.finished.wait(lock, [&] { return job.done == job.count; });
    jobs_.remove(&job);
  }

 private:
  bool start_thread() {
    try {
      std::thread([this] { serve(); }).detach();
      return true;
    } catch (const std::system_error&) {
      return false;
    }
  }

  Job* waiting() {
    for (Job* job : jobs_) {
      if (job->next < job->count && job->running < job->threads) return job;
    }
    return nullptr;
  }

  [[noreturn]] void serve() {
    std::unique_lock<std::mutex> lock(mutex_);
    for (;;) {
      Job* job = waiting();
      if (!job) {
        wake_.wait(lock);
        continue;
      }
      const int64_t i = job->next++;
      job->running++;
      lock.unlock();
      job->work(i);
      lock.lock();
      job->running--;
      if (++job->done == job->count) job->finished.notify_one();
    }
  }

  std::mutex mutex_;
  std::condition_variable wake_;
  std::list<Job*> jobs_;
  int64_t threads_ = 0;
};

}  // namespace

void for_each(int64_t count, int64_t threads, const std::function<void(int64_t)>& work) {
  if (count <= 0) return;
  // Never destroyed: the threads wait in it when the process ends.
  static Pool* const pool = new Pool;
  Job job(work, count, threads);
  pool->run(job);
}

}  // namespace lyceum::image
