// Signals that come while an operator runs. JavaScript hears of them only afterwards, which is many
// seconds later where a step takes so long.
#include <signal.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <string>

#include "bridge/values.h"

namespace lyceum {
namespace {

// The numbers of the signals, and the handlers that Node had for them.
constexpr int kSignals[] = {SIGINT, SIGTERM};
struct sigaction nodes[2];

constexpr int64_t kNone = -1;
std::atomic<int64_t> firstAt{kNone};
int64_t echo = 0;
int terminal = -1;
char words[512];
size_t wordsLength = 0;

static_assert(std::atomic<int64_t>::is_always_lock_free, "a signal's handler may not wait");

int64_t milliseconds() {
  timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<int64_t>(now.tv_sec) * 1000 + now.tv_nsec / 1000000;
}

// Calls nothing but what POSIX allows in a handler.
void heard(int signal) {
  const int error = errno;
  const int64_t now = milliseconds();
  int64_t first = kNone;
  if (firstAt.compare_exchange_strong(first, now)) {
    [[maybe_unused]] const ssize_t written = write(terminal, words, wordsLength);
  } else if (now - first > echo) {
    _exit(130);
  }
  for (int i = 0; i < 2; i++) {
    if (kSignals[i] == signal && nodes[i].sa_handler != SIG_DFL && nodes[i].sa_handler != SIG_IGN) {
      nodes[i].sa_handler(signal);
    }
  }
  errno = error;
}

// exitAtSecondSignal(file, words, echo): at the first SIGINT or SIGTERM, writes the words to the
// file and lets Node hear of it as ever; a second one that comes more than `echo` milliseconds
// later ends the process at once. Node's own handlers must be there. Answers whether it is so.
napi_value exitAtSecondSignal(const Call& call) {
  terminal = static_cast<int>(toInt(call.env, call[0]));
  const std::string text = toString(call.env, call[1]);
  wordsLength = std::min(text.size(), sizeof words);
  std::memcpy(words, text.data(), wordsLength);
  echo = toInt(call.env, call[2]);
  firstAt = kNone;
  for (int i = 0; i < 2; i++) {
    struct sigaction current;
    if (sigaction(kSignals[i], nullptr, &current) != 0) return boolean(call.env, false);
    if (current.sa_handler == heard) continue;
    // Without a handler of Node's the signal would end the process as it is.
    if (current.sa_handler == SIG_DFL || (current.sa_flags & SA_SIGINFO)) {
      return boolean(call.env, false);
    }
    nodes[i] = current;
    current.sa_handler = heard;
    if (sigaction(kSignals[i], &current, nullptr) != 0) return boolean(call.env, false);
  }
  return boolean(call.env, true);
}

}  // namespace

void exposeSignals(napi_env env, napi_value exports, Bridge* bridge) {
  expose(env, exports, bridge, "exitAtSecondSignal", exitAtSecondSignal);
}

}  // namespace lyceum
