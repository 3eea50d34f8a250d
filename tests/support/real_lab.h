// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include "app/lab/lab.h"
#include "app/lab/sql_client.h"
#include "core/plan/plan.h"

#include <filesystem>
#include <functional>
#include <memory>
#include <string>

namespace tealdeck::test {

/// A practice lab of its own in a temporary folder; ends with the object.
class RealLab {
  public:
    static Result<std::unique_ptr<RealLab>> start(LabOptions options);
    ~RealLab();
    RealLab(const RealLab&) = delete;
    RealLab& operator=(const RealLab&) = delete;

    [[nodiscard]] const LabState& state() const { return m_state; }
    [[nodiscard]] const Plan& plan() const { return m_plan; }
    /// A libpq session through the pooler.
    [[nodiscard]] Result<SqlClient> throughPooler(const std::string& database, const std::string& user = "shop_app", int seconds = 5) const;
    /// The password that the lab gave a role.
    [[nodiscard]] std::string password(const std::string& role) const;
    /// Runs statements as the console role on a side's primary; a failure is a test failure.
    void run(Side side, const std::string& database, const std::string& sql) const;
    /// As run, the first column of the first row.
    [[nodiscard]] std::string value(Side side, const std::string& database, const std::string& sql) const;
    [[nodiscard]] pid_t pidOf(const std::string& process) const;

  private:
    RealLab(LabState state, Plan plan) : m_state(std::move(state)), m_plan(std::move(plan)) {}
    LabState m_state;
    Plan m_plan;
};

/// Asks every 20 ms until true; false when the limit passed.
bool eventually(Millis limit, const std::function<bool()>& condition);

} // namespace tealdeck::test
