// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/lab/load_history.h"

#include "core/util/files.h"
#include "core/util/json.h"

#include <cerrno>
#include <ctime>
#include <fcntl.h>
#include <fmt/format.h>
#include <string_view>
#include <unistd.h>

namespace tealdeck {

std::int64_t monotonicNs() {
    timespec now{};
    ::clock_gettime(CLOCK_MONOTONIC, &now);
    return static_cast<std::int64_t>(now.tv_sec) * 1'000'000'000 + now.tv_nsec;
}

LoadHistory::~LoadHistory() {
    if (m_fd >= 0) {
        ::close(m_fd);
    }
}

Status LoadHistory::open(const std::string& file) {
    if (file.empty()) {
        return {};
    }
    m_file = file;
    m_fd = ::open(file.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (m_fd < 0) {
        return Error{Error::Kind::Invalid,
                     fmt::format("--history: cannot open {}: {}.", file, systemReason(errno)),
                     "Name a file in a folder of yours.",
                     {}};
    }
    return {};
}

void LoadHistory::append(const std::string& lines) {
    const std::lock_guard<std::mutex> guard(m_mutex);
    std::string_view left = lines;
    while (m_fd >= 0 && !left.empty()) {
        const ssize_t written = ::write(m_fd, left.data(), left.size());
        if (written < 0 && errno == EINTR) {
            continue;
        }
        if (written < 0) {
            m_failure = errno;
            return;
        }
        left.remove_prefix(static_cast<std::size_t>(written));
    }
}

Status LoadHistory::close() {
    const std::lock_guard<std::mutex> guard(m_mutex);
    if (m_fd >= 0 && ::close(m_fd) != 0) {
        m_failure = errno;
    }
    m_fd = -1;
    if (m_failure != 0) {
        return Error{Error::Kind::Unavailable, fmt::format("The history {} is not whole: {}.", m_file, systemReason(m_failure)), {}, {}};
    }
    return {};
}

std::string LoadHistory::line(const LoadEvent& e) {
    std::string text = fmt::format(R"({{"op":"{}","event":"{}","client":{},"n":{},"database":"{}","t_ns":{})", e.op, e.event, e.client, e.n,
                                   e.database, e.timeNs);
    if (e.id != 0) {
        text += fmt::format(R"(,"id":{})", e.id);
    }
    if (e.port != 0) {
        text += fmt::format(R"(,"port":{},"side":"{}")", e.port, e.side);
    }
    if (!e.systemIdentifier.empty()) {
        text += fmt::format(R"(,"system_identifier":"{}")", e.systemIdentifier);
    }
    if (e.rows >= 0) {
        text += fmt::format(R"(,"rows":{})", e.rows);
    }
    if (!e.sqlstate.empty()) {
        text += fmt::format(R"(,"sqlstate":"{}","error":{})", e.sqlstate, dumpJson(Json(e.error)));
    }
    return text + "}\n";
}

} // namespace tealdeck
