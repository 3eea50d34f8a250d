// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include "core/util/result.h"

#include <string>

namespace tealdeck {

struct DiskSpace {
    double freeBytes = 0; ///< for the server's user
    double bytes = 0;     ///< size of the file system
};

/// Who a server process is, as its own session says, to find out whether it runs on this machine.
struct ServerProcess {
    std::string dataDirectory;
    int backendPid = 0;
    int clientPort = 0; ///< -1: a Unix socket
};

/// The file system of a data directory. PostgreSQL has no function for it, so it is known only when the server runs on this machine: when
/// our backend is a process here whose title names our port (a tunnel's far end is none).
Result<DiskSpace> diskOfServer(const ServerProcess& process);

} // namespace tealdeck
