#include "distributed/listener.h"

#include <cstring>
#include <vector>

#if defined(__linux__)
#include <arpa/inet.h>
#include <dirent.h>
#include <linux/filter.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <cstdlib>

namespace lyceum::distributed {
namespace {

// The socket on which this process listens at the port, -1 for none.
int listenerAt(uint16_t port) {
  DIR* folder = opendir("/proc/self/fd");
  if (!folder) return -1;
  int found = -1;
  while (const dirent* entry = readdir(folder)) {
    if (entry->d_name[0] == '.') continue;
    const int fd = std::atoi(entry->d_name);
    int listens = 0;
    socklen_t length = sizeof listens;
    if (getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &length) != 0 || !listens) continue;
    sockaddr_storage name{};
    length = sizeof name;
    if (getsockname(fd, reinterpret_cast<sockaddr*>(&name), &length) != 0) continue;
    uint16_t at = 0;
    if (name.ss_family == AF_INET) at = reinterpret_cast<sockaddr_in*>(&name)->sin_port;
    if (name.ss_family == AF_INET6) at = reinterpret_cast<sockaddr_in6*>(&name)->sin6_port;
    if (ntohs(at) == port) found = fd;
  }
  closedir(folder);
  return found;
}

// A classic BPF program that accepts packets whose destination is the address. It loads from the
// network header (SKF_NET_OFF), where the version is in the upper half of the first byte.
std::vector<sock_filter> onlyTo(int family, const unsigned char* address) {
  const bool six = family == AF_INET6;
  const uint32_t words = six ? 4 : 1, first = six ? 24 : 16;
  std::vector<sock_filter> program;
  const auto statement = [&](uint16_t code, uint32_t k) { program.push_back(BPF_STMT(code, k)); };
  // Jumps to the refusal, which stands last, unless the accumulator is k.
  const uint32_t length = 2 * words + 5;
  const auto mustBe = [&](uint32_t k) {
    const auto away = static_cast<uint8_t>(length - program.size() - 2);
    program.push_back(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, k, 0, away));
  };
  const auto net = static_cast<uint32_t>(SKF_NET_OFF);
  statement(BPF_LD | BPF_B | BPF_ABS, net);
  statement(BPF_ALU | BPF_RSH | BPF_K, 4);
  mustBe(six ? 6 : 4);
  for (uint32_t i = 0; i < words; ++i) {
    uint32_t word;
    std::memcpy(&word, address + 4 * i, 4);
    statement(BPF_LD | BPF_W | BPF_ABS, net + first + 4 * i);
    mustBe(ntohl(word));
  }
  statement(BPF_RET | BPF_K, 0xffffffff);
  statement(BPF_RET | BPF_K, 0);
  return program;
}

}  // namespace

bool restrictListener(uint16_t port, const std::string& address) {
  unsigned char bytes[16];
  int family = AF_INET;
  if (inet_pton(AF_INET, address.c_str(), bytes) != 1) {
    family = AF_INET6;
    if (inet_pton(AF_INET6, address.c_str(), bytes) != 1) return false;
  }
  const int fd = listenerAt(port);
  if (fd < 0) return false;
  auto program = onlyTo(family, bytes);
  const sock_fprog filter{static_cast<unsigned short>(program.size()), program.data()};
  return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &filter, sizeof filter) == 0;
}

}  // namespace lyceum::distributed

#else

namespace lyceum::distributed {
bool restrictListener(uint16_t, const std::string&) { return false; }
}  // namespace lyceum::distributed

#endif
