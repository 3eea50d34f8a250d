// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include "core/util/clock.h"
#include "core/util/result.h"

#include <functional>
#include <map>
#include <string>
#include <sys/types.h>
#include <vector>

namespace tealdeck {

/// A program to run: an argument vector, never a shell line.
struct ProcessSpec {
    std::vector<std::string> argv;                  ///< argv[0] is looked up in PATH unless it holds a slash
    std::map<std::string, std::string> environment; ///< added to the caller's
    std::string folder;                             ///< working folder; empty: the caller's
    std::string input;                              ///< given on standard input
    /// When set and the caller is root, the child runs as this user and group.
    uid_t uid = 0;
    gid_t gid = 0;
    bool bareEnvironment = false; ///< the child gets `environment` alone
};

struct ProcessOutcome {
    int exitCode = -1; ///< 128 + signal when a signal ended it
    std::string output;
    std::string errors;
};

/// Runs to the end and gathers what it printed (the last 1 MiB of each stream). At the deadline the child's process group is
/// ended (SIGTERM, 500 ms later SIGKILL) and the result is a Timeout error. A program that cannot be started is Unavailable.
/// The optional cancelled predicate is asked every 50 ms and ends the child the same way.
Result<ProcessOutcome> runProcess(const ProcessSpec& spec, Deadline deadline, const std::function<bool()>& cancelled = {});

/// Starts a program of its own session that outlives the caller; output goes to logFile (0600, appended). Returns its pid.
Result<pid_t> startDetached(const ProcessSpec& spec, const std::string& logFile);

} // namespace tealdeck
