// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/verify/feed_pass.h"

#include "core/util/files.h"

#include <fmt/format.h>
#include <poll.h>

namespace tealdeck::verify {
namespace {
/// The switch has 1, the catching up 2, the heartbeat 3.
constexpr const char* PUT_SQL = "select tealdeck.put_marker(4, $1, null)";
constexpr const char* SEEN_SQL = "select 1 from tealdeck_sync.marker where id = 4 and token = $1";
} // namespace

Status FeedPass::open() {
    for (auto [session, side] : {std::pair(&m_writer, m_source), std::pair(&m_reader, otherSide(m_source))}) {
        if (*session && !(*session)->broken()) {
            continue;
        }
        auto opened = m_connector.primary(side, m_database);
        if (!opened) {
            return opened.error();
        }
        *session = std::move(*opened);
    }
    return {};
}

Status FeedPass::pass(Millis limit) {
    const std::lock_guard lock(m_mutex);
    if (const Status ready = open(); !ready) {
        return ready;
    }
    const Deadline deadline(limit);
    const std::string token = "compare-" + randomHex(6);
    if (const Result<Rows> put = m_writer->query(PUT_SQL, {token}); !put) {
        return put.error();
    }
    for (;;) {
        const Result<Rows> seen = m_reader->query(SEEN_SQL, {token});
        if (!seen) {
            return seen.error();
        }
        if (!seen->empty()) {
            return {};
        }
        if (deadline.passed()) {
            return Error{Error::Kind::Timeout,
                         fmt::format("The feed of {} brought no marker within {} ms.", m_database, limit.count()),
                         "Wait until the follower has caught up.",
                         {}};
        }
        ::poll(nullptr, 0, 2);
    }
}

} // namespace tealdeck::verify
