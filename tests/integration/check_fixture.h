// SPDX-License-Identifier: GPL-3.0-or-later
// What the tests of the checklist share: a lab, one line asked alone, fixes applied as they are offered.
#pragma once
#include "app/lab/lab_processes.h"
#include "core/checks/fix_text.h"
#include "core/checks/runner.h"
#include "core/util/process.h"
#include "tests/support/real_lab.h"

#include <algorithm>
#include <cctype>
#include <csignal>
#include <fmt/format.h>
#include <gtest/gtest.h>

namespace tealdeck::test {

inline const CheckState* find(const std::vector<CheckState>& lines, const std::string& id) {
    const auto it = std::find_if(lines.begin(), lines.end(), [&](const CheckState& line) { return line.id == id; });
    return it == lines.end() ? nullptr : &*it;
}

inline std::string shown(const CheckState& line) {
    return fmt::format("{} {}: {}", line.id, checkResultName(line.result), line.actual);
}

class Checks : public testing::Test {
  protected:
    void startLab(int replicas, int blueMajor = 15) {
        LabOptions options;
        options.replicas = replicas;
        options.blueMajor = blueMajor;
        Result<std::unique_ptr<RealLab>> lab = RealLab::start(options);
        ASSERT_TRUE(lab.ok()) << lab.error().text();
        m_lab = std::move(*lab);
        m_plan = m_lab->plan();
    }
    std::vector<CheckState> run(CheckContext context = {}) { return runChecks(Connector(m_plan, "tealdeck/lab/1"), context); }
    CheckResult resultOf(const std::string& id) {
        const std::vector<CheckState> lines = run();
        const CheckState* line = find(lines, id);
        EXPECT_NE(line, nullptr) << id;
        m_actual = line == nullptr ? "" : line->actual;
        return line == nullptr ? CheckResult::Unknown : line->result;
    }
    /// One line, asked alone.
    CheckState lineOf(const std::string& id, CheckContext context = {}) {
        context.only = id.substr(0, id.find('/'));
        const std::vector<CheckState> lines = run(context);
        const CheckState* line = find(lines, id);
        EXPECT_NE(line, nullptr) << id;
        return line == nullptr ? CheckState() : *line;
    }
    /// The lab's own list of processes is that of its start.
    void stop(const std::string& process) {
        const Result<LabState> now = readLab(m_lab->state().options.dir);
        ASSERT_TRUE(now.ok()) << now.error().text();
        for (const LabProcess& p : now->processes) {
            if (p.name == process) {
                ::kill(p.pid, SIGINT);
                ASSERT_TRUE(eventually(Millis(10000), [&] { return !isAlive(p); })) << process;
            }
        }
    }
    void restart(const std::string& process) {
        ASSERT_NO_FATAL_FAILURE(stop(process));
        const Status again = restartLabProcess(m_lab->state().options.dir, process);
        ASSERT_TRUE(again.ok()) << again.error().text();
    }
    /// On blue while it is stopped.
    void checksums(const char* what) {
        const LabState& state = m_lab->state();
        ProcessSpec spec;
        spec.argv = {state.primary(Side::Blue).bin + "/pg_checksums", what, "-D", state.primary(Side::Blue).data};
        spec.folder = "/";
        spec.uid = state.uid;
        spec.gid = state.gid;
        const Result<ProcessOutcome> done = runProcess(spec, Deadline(Millis(60000)));
        ASSERT_TRUE(done.ok() && done->exitCode == 0) << (done.ok() ? done->errors : done.error().text());
    }
    std::unique_ptr<RealLab> m_lab;
    Plan m_plan;
    std::string m_actual;
};

/// Statements of a text, which `between` separates.
inline std::vector<std::string> pieces(const std::string& text, const std::string& between) {
    std::vector<std::string> list;
    for (std::size_t from = 0; from < text.size();) {
        const std::size_t at = std::min(text.find(between, from), text.size());
        if (at > from) {
            list.push_back(text.substr(from, at - from));
        }
        from = at + between.size();
    }
    return list;
}

/// One session, one statement after the other: some can't run in a block.
inline void runAll(const RealLab& lab, Side side, const std::string& database, const std::vector<std::string>& statements) {
    Result<SqlClient> session = SqlClient::connect(labConnection(lab.state(), lab.state().primary(side).port, "tealdeck", database));
    ASSERT_TRUE(session.ok()) << session.error().text();
    for (const std::string& statement : statements) {
        const Status done = session->run(statement);
        ASSERT_TRUE(done.ok()) << statement << ": " << done.error().text();
    }
}

/// As a person would who pastes it.
inline void applyFix(const RealLab& lab, const std::string& fix) {
    const std::vector<FixBlock> blocks = fixBlocks(fix);
    EXPECT_FALSE(blocks.empty()) << "nothing to paste: " << fix;
    for (const FixBlock& block : blocks) {
        std::vector<std::string> statements;
        for (const std::string& line : pieces(block.sql, "\n")) {
            for (const std::string& statement : pieces(line, "; ")) {
                if (statement.rfind("--", 0) != 0) {
                    statements.push_back(statement);
                }
            }
        }
        runAll(lab, block.side, block.database, statements);
    }
}

/// Only where it makes a difference: it takes a moment.
inline void reloadAfter(const RealLab& lab, std::string text) {
    std::transform(text.begin(), text.end(), text.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    if (text.find("alter system") == std::string::npos) {
        return;
    }
    for (const Side side : {Side::Blue, Side::Green}) {
        lab.run(side, "postgres", "select pg_reload_conf(), pg_sleep(0.1)");
    }
}

/// The shop's own table without a key would hide a planted one.
inline void giveKeys(const RealLab& lab) {
    lab.run(Side::Blue, "shop", "alter table shop.access_log add column planted_key bigint generated always as identity primary key");
}

} // namespace tealdeck::test
