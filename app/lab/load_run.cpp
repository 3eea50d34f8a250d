// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/lab/load_run.h"

#include "app/lab/load_client.h"
#include "core/util/clock.h"

#include <filesystem>
#include <fmt/format.h>
#include <random>

namespace tealdeck {

LoadRun::LoadRun(LabState lab, LoadOptions options) : m_lab(std::move(lab)), m_options(std::move(options)) {}

LoadRun::~LoadRun() {
    m_stop = true;
    for (std::thread& thread : m_threads) {
        if (thread.joinable()) {
            thread.join();
        }
    }
}

Status LoadRun::start() {
    if (m_lab.databases.empty()) {
        return Error{Error::Kind::Invalid, "The lab has no database.", "Start a lab with: tealctl lab up", {}};
    }
    WritePath::prepare(m_lab);
    if (m_lab.phase != "up") {
        return Error{Error::Kind::Invalid,
                     fmt::format("--dir: the lab in {} is not up (its state is {}).", m_lab.options.dir.string(), m_lab.phase),
                     "Start a lab with: tealctl lab up",
                     {}};
    }
    if (Status opened = m_history.open(m_options.history); !opened) {
        return opened;
    }
    // Runs follow each other on one lab, and rows of (client, n) are kept for ever: each run has client numbers of its own.
    std::random_device random;
    const int base = static_cast<int>(random() % 2'000'000) * 1000;
    m_startNs = monotonicNs();
    m_startWallUs = Clock::system().wallUs();
    m_tallies.resize(static_cast<std::size_t>(m_options.clients));
    for (int i = 0; i < m_options.clients; ++i) {
        m_threads.emplace_back([this, base, i] {
            const LoadClient::Shared shared{m_lab, m_options, m_stop, m_acknowledged, m_history};
            LoadClient(shared, base + i, i, m_tallies[static_cast<std::size_t>(i)]).run();
        });
    }
    return {};
}

bool LoadRun::shouldEnd() const {
    if (m_stop) {
        return true;
    }
    if (m_options.seconds > 0 && static_cast<double>(monotonicNs() - m_startNs) >= m_options.seconds * 1e9) {
        return true;
    }
    std::error_code failure;
    return !m_options.untilFile.empty() && std::filesystem::exists(m_options.untilFile, failure);
}

Result<LoadReport> LoadRun::finish() {
    const std::int64_t endNs = monotonicNs();
    m_stop = true;
    for (std::thread& thread : m_threads) {
        thread.join();
    }
    m_threads.clear();
    LoadReport report = mergeTallies(m_tallies, m_startNs, endNs);
    report.startWallUs = m_startWallUs;
    if (Status closed = m_history.close(); !closed) {
        return closed.error();
    }
    return report;
}

} // namespace tealdeck
