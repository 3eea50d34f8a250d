// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include "app/lab/fault.h"
#include "app/lab/lab_state.h"
#include "core/util/json.h"

#include <filesystem>
#include <string>

namespace tealdeck {

/// Puts a fault on a link of a lab that was started with proxies; in force when it returns. Invalid names the links that there are.
Status faultLink(const std::filesystem::path& dir, const std::string& link, const Fault& fault);

/// "kill" ends a process of the lab and its children with SIGKILL, "stop" freezes them, "continue" lets them go on. Invalid names the
/// processes or the acts that there are; a process that has ended already is Unavailable.
Status faultProcess(const std::filesystem::path& dir, const std::string& process, const std::string& act);

/// "fill" leaves no free byte on the disk of the engine's folder, "free" gives them back. Only for a lab with a disk of its own there.
Status faultDisk(const std::filesystem::path& dir, const std::string& act);

/// Any of the three, as `tealctl lab fault` takes it: a link with a mode, a process with an act, or "disk".
Status applyFault(const std::filesystem::path& dir, const std::string& what, const std::string& how, int ms);

/// What is faulted now, as [{"name": …, "fault": …}].
Json activeFaults(const LabState& state);

/// Mounts the small disk of the engine's folder when the lab is to have one; and takes it away again.
Status mountEngineDisk(const LabState& state);
void unmountEngineDisk(const LabState& state);

/// Serves the lab's links until this process is ended; the error says why it could not begin.
Error runFaultProxy(const std::filesystem::path& dir);

} // namespace tealdeck
