// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/support/real_lab.h"

#include "core/util/files.h"

#include <gtest/gtest.h>
#include <sstream>
#include <thread>

namespace tealdeck::test {

Result<std::unique_ptr<RealLab>> RealLab::start(LabOptions options) {
    options.dir = std::filesystem::temp_directory_path() / ("tealdeck-test-" + randomHex(4));
    Result<LabState> state = upLab(options);
    if (!state) {
        return state.error();
    }
    Result<Plan> plan = readPlan(state->planFile());
    if (!plan) {
        static_cast<void>(downLab(options.dir, true));
        return plan.error();
    }
    return std::unique_ptr<RealLab>(new RealLab(std::move(*state), std::move(*plan)));
}

RealLab::~RealLab() {
    static_cast<void>(downLab(m_state.options.dir, true));
}

Result<SqlClient> RealLab::throughPooler(const std::string& database, const std::string& user, int seconds) const {
    return SqlClient::connect({{"host", "127.0.0.1"},
                               {"port", std::to_string(m_state.poolers.at(0).port)},
                               {"user", user},
                               {"dbname", database},
                               {"passfile", m_state.clientPassfile()},
                               {"sslmode", "disable"}},
                              seconds);
}

std::string RealLab::password(const std::string& role) const {
    std::istringstream lines(readFile(m_state.clientPassfile()).valueOr(""));
    const std::string marker = ":" + role + ":";
    for (std::string line; std::getline(lines, line);) {
        if (const std::size_t at = line.find(marker); at != std::string::npos) {
            return line.substr(at + marker.size());
        }
    }
    return {};
}

void RealLab::run(Side side, const std::string& database, const std::string& sql) const {
    static_cast<void>(value(side, database, sql));
}

std::string RealLab::value(Side side, const std::string& database, const std::string& sql) const {
    Result<SqlClient> client = SqlClient::connect(labConnection(m_state, m_state.primary(side).port, "tealdeck", database));
    if (!client) {
        ADD_FAILURE() << client.error().text();
        return {};
    }
    const Result<SqlClient::Rows> rows = client->query(sql);
    if (!rows) {
        ADD_FAILURE() << sql << ": " << rows.error().text();
        return {};
    }
    return rows->empty() || rows->front().empty() ? std::string() : rows->front().front();
}

pid_t RealLab::pidOf(const std::string& process) const {
    for (const LabProcess& p : m_state.processes) {
        if (p.name == process) {
            return p.pid;
        }
    }
    return 0;
}

bool eventually(Millis limit, const std::function<bool()>& condition) {
    for (const Deadline deadline(limit); !deadline.passed(); std::this_thread::sleep_for(Millis(20))) {
        if (condition()) {
            return true;
        }
    }
    return condition();
}

} // namespace tealdeck::test
