// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/discovery/disk.h"

#include <fmt/format.h>
#include <fstream>
#include <iterator>
#include <sys/statvfs.h>

namespace tealdeck {

Result<DiskSpace> diskOfServer(const ServerProcess& process) {
    std::ifstream in(fmt::format("/proc/{}/cmdline", process.backendPid), std::ios::binary);
    const std::string title((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
    const std::string client = process.clientPort < 0 ? "[local]" : fmt::format("({})", process.clientPort);
    if (process.backendPid <= 0 || title.rfind("postgres: ", 0) != 0 || title.find(client) == std::string::npos) {
        return Error{Error::Kind::Unavailable,
                     "The server runs on another machine, and PostgreSQL has no question for free disk space.",
                     "Watch it there.",
                     {}};
    }
    struct statvfs disk {};
    if (::statvfs(process.dataDirectory.c_str(), &disk) != 0) {
        return Error{Error::Kind::Unavailable, "The server's data directory cannot be looked at from here.", {}, {}};
    }
    const auto unit = static_cast<double>(disk.f_frsize);
    return DiskSpace{static_cast<double>(disk.f_bavail) * unit, static_cast<double>(disk.f_blocks) * unit};
}

} // namespace tealdeck
