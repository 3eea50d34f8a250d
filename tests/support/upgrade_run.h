// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include "app/lab/load_run.h"
#include "core/util/json.h"
#include "core/util/process.h"
#include "tests/support/history.h"
#include "tests/support/lab_fixture.h"

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace tealdeck::test {

/// What a tealctl call ended with; report is its --json object.
struct CtlResult {
    int exitCode = -1;
    Json report = Json::object();
    std::string errors;
};

/// A lab under load that the real programs upgrade, and the verdict on what its clients saw.
class UpgradeRun {
  public:
    UpgradeRun(int blue, int green, const std::string& schema = "shop", int poolers = 1);
    explicit UpgradeRun(const LabOptions& options);
    ~UpgradeRun();
    [[nodiscard]] bool ok() const { return m_lab->ok(); }
    [[nodiscard]] TestLab& lab() { return *m_lab; }

    /// tealctl ARGUMENTS… PLAN --json.
    CtlResult ctl(std::vector<std::string> arguments, const std::map<std::string, std::string>& environment = {},
                  Millis limit = Millis(180000));
    void startLoad(int clients = 8);
    /// Starts, beside the load, clients that write to a side's primary itself, past the poolers, 150 times a second.
    void startStragglers(Side side, int clients = 3);
    [[nodiscard]] LoadRun& stragglers() { return *m_stragglers; }
    /// Runs tealctl with the engine held at a crash point (core/util/crash_point.h), 10 s at most, does the work there and lets it go on.
    /// The engine must not run yet.
    CtlResult ctlHeldAt(const std::string& point, const std::function<void()>& work, std::vector<std::string> arguments);
    /// To a process of a server that a query on it names.
    void signal(Side side, const std::string& pidQuery, int signal);
    [[nodiscard]] LoadRun& load() { return *m_load; }
    /// True when a write that began after this call is acknowledged within the limit.
    bool writesGoOn(Millis limit);
    /// Ends the load and the stragglers: the load's report, and the verdict over its history against the side that has the last writes.
    LoadReport endLoad(const std::string& finalSide, int switches, HistoryVerdict& verdict);
    /// Pid of the engine that runs for the plan; 0 when none does.
    [[nodiscard]] int enginePid() const;

  private:
    std::unique_ptr<TestLab> m_lab;
    std::unique_ptr<LoadRun> m_load;
    int m_clients = 0; ///< of the load
    std::unique_ptr<LoadRun> m_stragglers;
};

} // namespace tealdeck::test
