// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include "app/lab/lab_state.h"

namespace tealdeck {

/// Field 22 of /proc/PID/stat; nullopt when there is no such process or it is a zombie.
std::optional<std::uint64_t> processStartTime(pid_t pid);
/// True while exactly this process lives: same pid and same start time.
bool isAlive(const LabProcess& process);
/// Starts a program of the lab as the lab's user (the fault proxy: as the caller) and notes pid and start time.
Result<LabProcess> startLabProcess(const LabState& state, const std::vector<std::string>& argv, const LabProcess& what);
/// Ends the living ones among these and waits: poolers and balancers first, then the servers, all at once, each with
/// SIGINT or SIGTERM, later SIGQUIT, then SIGKILL. Names of those that live even then are in the error.
Status endLabProcesses(const std::vector<LabProcess>& processes);
/// Waits until no process works in the data directory any more: the children of a killed postmaster take a moment to notice.
Status waitUntilUnused(const std::string& data);
/// The last line of a log, for messages; empty when it cannot be read.
std::string lastLogLine(const std::string& log);

} // namespace tealdeck
