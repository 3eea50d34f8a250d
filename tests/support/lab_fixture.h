// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include "app/lab/lab.h"

#include <filesystem>
#include <gtest/gtest.h>
#include <string>

namespace tealdeck {

/// A practice lab of a test's own, below the system's temporary folder; its processes and files go with it.
/// With TEALDECK_KEEP_LAB set a lab of a failed test stays for a look.
class TestLab {
  public:
    /// Everything but the folder comes from the options. A failure is reported to the running test; ask ok().
    explicit TestLab(LabOptions options = {});
    ~TestLab();
    TestLab(const TestLab&) = delete;
    TestLab& operator=(const TestLab&) = delete;

    [[nodiscard]] bool ok() const { return m_up; }
    [[nodiscard]] const LabState& state() const { return m_state; }
    [[nodiscard]] const std::filesystem::path& dir() const { return m_dir; }
    [[nodiscard]] std::string plan() const { return m_state.planFile(); }
    /// A file beside the lab that goes with it, for histories and the like.
    [[nodiscard]] std::filesystem::path file(const std::string& name) const { return m_base / name; }
    /// First column of the first row, as the console's role; a failure is reported to the test.
    std::string ask(Side side, const std::string& database, const std::string& sql);
    /// Statements whose answer nobody needs, as the console's role; a failure is reported to the test.
    void run(Side side, const std::string& database, const std::string& sql);

  private:
    std::filesystem::path m_base;
    std::filesystem::path m_dir;
    LabState m_state;
    bool m_up = false;
};

/// A new folder that everyone may enter below the system's temporary folder.
std::filesystem::path makeTestFolder();

} // namespace tealdeck
