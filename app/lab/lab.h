// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include "app/lab/lab_state.h"
#include "app/lab/postgres_programs.h"

namespace tealdeck {

/// Starts a practice lab: two clusters of two major versions, poolers, balancer, schema, plan.toml and lab.json, all below
/// options.dir and on the loopback address. When a part fails, all that was started is ended and the error names the log to read.
Result<LabState> upLab(const LabOptions& options, const LabProgress& progress = {});

/// Ends exactly the lab's own processes. With remove the folder goes too.
Status downLab(const std::filesystem::path& dir, bool remove);

/// What lives and what the servers themselves say: version, role, system identifier, replication; what died, and what is faulted. The
/// member "ok" is false when anything died, does not answer or is faulted.
Result<Json> labStatus(const std::filesystem::path& dir);

/// Starts again a server, pooler or balancer of the lab that ended; its name as in lab.json.
Status restartLabProcess(const std::filesystem::path& dir, const std::string& name);

} // namespace tealdeck
