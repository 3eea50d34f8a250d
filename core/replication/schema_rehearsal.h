// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include "core/postgres/connection.h"
#include "core/recipe/step.h"

#include <filesystem>
#include <string>

namespace tealdeck::schema_copy {

/// The scratch database of a deployment on green.
std::string rehearsalDatabase(const Plan& plan);

/// Dumps the schema of a database of blue, restores all of it into a scratch database on green and drops that again: what will fail after
/// hours of copying, such as an index on a function that green refuses, fails here. The error holds the first messages of pg_restore.
/// The admin session is with another database of green; file is overwritten and removed.
Status rehearse(const Plan& plan, const std::string& database, const std::filesystem::path& file, Connection& blue, Connection& admin,
                const StepContext& context);
/// Drops the scratch database, if it is there.
Status dropRehearsal(const Plan& plan, Connection& admin);

} // namespace tealdeck::schema_copy
