// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/replication/copy_job.h"

#include <algorithm>
#include <fmt/format.h>
#include <set>

namespace tealdeck {
namespace {

/// With the pauses between them about a minute and a half.
constexpr int MOST_ATTEMPTS = 20;
constexpr int MOST_DOUBLED = 3;

bool hasClass(const Error& error, const char* two) {
    return error.sqlstate.compare(0, 2, two) == 0;
}

/// Also what follows when the answer to a COMMIT was lost and the record is there already: asked again, it is found.
bool isDoubled(const Error& error) {
    return error.sqlstate == "23505";
}

bool isFull(const Error& error) {
    return error.sqlstate == "53100";
}

std::string remedyFor(const Error& error) {
    if (error.sqlstate == "42501") {
        return "Give the role of the plan the right to read it on blue, and to write it on green.";
    }
    if (error.sqlstate == "42P01" || error.sqlstate == "42703") {
        return "The table was changed after the copy of the schema: make it the same on both sides.";
    }
    if (hasClass(error, "23")) {
        return "A constraint of green refuses rows that blue has, such as one that is not valid there: drop it on green until the copy is "
               "done.";
    }
    if (hasClass(error, "22")) {
        return "Green does not take a value that blue has: compare the column's type and collation on both sides.";
    }
    return "Mend what the server says, then run it again: the table is then copied by the servers themselves.";
}

} // namespace

bool isPassing(const Error& error) {
    return error.kind == Error::Kind::Unavailable || error.kind == Error::Kind::Timeout || hasClass(error, "57") || hasClass(error, "08") ||
           hasClass(error, "40") || error.sqlstate == "55P03" || hasClass(error, "53");
}

bool isSnapshotGone(const Error& error) {
    // 22023 up to 15, 42704 since 16.
    return (error.sqlstate == "22023" || error.sqlstate == "42704") && error.message.find("snapshot") != std::string::npos;
}

std::optional<CopyGroup> CopyJob::take() {
    std::unique_lock lock(m_mutex);
    for (;;) {
        m_wake.wait_for(lock, std::chrono::milliseconds(200), [&] { return !m_queue.empty() || m_taken == 0; });
        if (control.stopped() || m_fatal || m_snapshotGone || (m_queue.empty() && m_taken == 0)) {
            return std::nullopt;
        }
        if (m_queue.empty()) {
            continue;
        }
        CopyGroup group = std::move(m_queue.front());
        m_queue.pop_front();
        std::erase_if(group.parts, [&](const CopyPart& part) { return m_fates.count(part.table) != 0; });
        if (!group.parts.empty()) {
            ++m_taken;
            return group;
        }
    }
}

void CopyJob::done() {
    const std::lock_guard lock(m_mutex);
    --m_taken;
    m_wake.notify_all();
}

void CopyJob::fail(std::size_t table, const Error& error) {
    if (!m_fates.emplace(table, Fate::Failed).second) {
        return;
    }
    m_failures.push_back({tables[table].name, error.message, remedyFor(error)});
    progress.failed(tables[table].name, error.message, remedyFor(error));
}

void CopyJob::failed(CopyGroup group, std::optional<std::size_t> part, const Error& error) {
    const std::lock_guard lock(m_mutex);
    --m_taken;
    ++group.attempts;
    if (control.stopped()) {
        m_queue.push_front(std::move(group));
    } else if (isSnapshotGone(error)) {
        m_snapshotGone = true;
        m_why = "the snapshot is gone: " + error.message;
        m_queue.push_front(std::move(group));
    } else if (isFull(error)) {
        control.hold(fmt::format("{} Make room there, then \"copy resume\".", error.message));
        group.attempts = 1;
        m_queue.push_front(std::move(group));
    } else if (isDoubled(error) ? group.attempts < MOST_DOUBLED : isPassing(error) && group.attempts < MOST_ATTEMPTS) {
        m_queue.push_front(std::move(group));
    } else if (isPassing(error)) {
        m_fatal = error;
        m_queue.push_front(std::move(group));
    } else if (part) {
        fail(group.parts[*part].table, error);
        group.parts.erase(group.parts.begin() + static_cast<std::ptrdiff_t>(*part));
        group.attempts = 0;
        if (!group.parts.empty()) {
            m_queue.push_front(std::move(group));
        }
    } else {
        m_fatal = error;
        m_queue.push_front(std::move(group));
    }
    m_wake.notify_all();
}

void CopyJob::rewritten(CopyGroup group, const std::vector<std::size_t>& moved) {
    const std::lock_guard lock(m_mutex);
    --m_taken;
    for (const std::size_t table : moved) {
        m_fates.emplace(table, Fate::Left);
        m_why = fmt::format("{} was rewritten or emptied on blue after the snapshot", tables[table].name);
    }
    m_queue.push_front(std::move(group)); // take() leaves those tables out
    m_wake.notify_all();
}

std::optional<Error> CopyJob::fatal() {
    const std::lock_guard lock(m_mutex);
    return m_fatal;
}

CopyOutcome CopyJob::outcome() {
    const std::lock_guard lock(m_mutex);
    std::set<std::size_t> left;
    for (const auto& [table, fate] : m_fates) {
        if (fate == Fate::Left) {
            left.insert(table);
        }
    }
    for (const CopyGroup& group : m_queue) {
        for (const CopyPart& part : group.parts) {
            if (m_fates.count(part.table) == 0) {
                left.insert(part.table);
            }
        }
    }
    CopyOutcome outcome;
    for (const std::size_t table : left) {
        outcome.leftToServers.push_back(tables[table].name);
    }
    outcome.failures = m_failures;
    outcome.why = m_why;
    return outcome;
}

} // namespace tealdeck
