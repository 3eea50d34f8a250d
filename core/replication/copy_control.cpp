// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/replication/copy_control.h"

#include <algorithm>
#include <utility>

namespace tealdeck {

void CopyControl::begin(double bytesPerSecond) {
    const std::lock_guard lock(m_mutex);
    m_pausedBy.clear();
    m_held.clear();
    m_stopped = false;
    m_resumed = false;
    m_bytesPerSecond = bytesPerSecond;
    m_next = std::chrono::steady_clock::now();
}

void CopyControl::pause(const std::string& who) {
    const std::lock_guard lock(m_mutex);
    m_pausedBy = who.empty() ? "an operator" : who;
}

void CopyControl::resume() {
    const std::lock_guard lock(m_mutex);
    m_pausedBy.clear();
    m_held.clear();
    m_resumed = true;
    m_wake.notify_all();
}

void CopyControl::hold(const std::string& why) {
    const std::lock_guard lock(m_mutex);
    m_held = why;
}

void CopyControl::release() {
    const std::lock_guard lock(m_mutex);
    m_held.clear();
    m_wake.notify_all();
}

void CopyControl::stop() {
    const std::lock_guard lock(m_mutex);
    m_stopped = true;
    m_wake.notify_all();
}

bool CopyControl::stopped() const {
    const std::lock_guard lock(m_mutex);
    return m_stopped;
}

bool CopyControl::takeResumed() {
    const std::lock_guard lock(m_mutex);
    return std::exchange(m_resumed, false);
}

std::pair<std::string, std::string> CopyControl::state() const {
    const std::lock_guard lock(m_mutex);
    if (!m_pausedBy.empty()) {
        return {"paused", "paused by " + m_pausedBy};
    }
    return m_held.empty() ? std::pair<std::string, std::string>{"copying", ""} : std::pair<std::string, std::string>{"held", m_held};
}

bool CopyControl::pass(std::size_t bytes) {
    std::unique_lock lock(m_mutex);
    if (m_bytesPerSecond > 0) {
        // Time that was not used is not saved up: after a pause the copy does not burst.
        m_next = std::max(m_next, std::chrono::steady_clock::now() - std::chrono::milliseconds(100)) +
                 std::chrono::microseconds(static_cast<std::int64_t>(static_cast<double>(bytes) / m_bytesPerSecond * 1e6));
        const Time mine = m_next;
        m_wake.wait_until(lock, mine, [&] { return m_stopped || std::chrono::steady_clock::now() >= mine; });
    }
    m_wake.wait(lock, [&] { return m_stopped || (m_pausedBy.empty() && m_held.empty()); });
    return !m_stopped;
}

} // namespace tealdeck
