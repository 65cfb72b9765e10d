// Keeps a listening socket of this process from being reached by other addresses than it must be.
#pragma once

#include <cstdint>
#include <string>

namespace lyceum::distributed {

// c10d's store listens on all addresses of the machine. Drops what is sent to its port at any other
// address than `address` (IPv4 or IPv6 in numbers). Returns whether that was possible.
bool restrictListener(uint16_t port, const std::string& address);

}  // namespace lyceum::distributed
