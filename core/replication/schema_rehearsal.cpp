// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/replication/schema_rehearsal.h"

#include "core/postgres/sql.h"
#include "core/replication/schema_copy.h"
#include "core/util/text.h"

#include <fmt/format.h>
#include <sstream>

namespace tealdeck::schema_copy {
namespace {

constexpr std::size_t SHOWN = 3;

/// The first messages of pg_restore, without the statements that it repeats.
std::string firstErrors(const std::string& output) {
    std::istringstream lines(output);
    std::string text;
    std::size_t count = 0;
    for (std::string line; std::getline(lines, line);) {
        const std::size_t at = line.find("error: ");
        if (at != std::string::npos && ++count <= SHOWN) {
            text += (text.empty() ? "" : "; ") + plainText(line.substr(at + 7), 300);
        }
    }
    return count > SHOWN ? text + fmt::format("; and {} more", count - SHOWN) : text.empty() ? plainText(output, 600) : text;
}

} // namespace

std::string rehearsalDatabase(const Plan& plan) {
    return "tealdeck_rehearsal_" + plan.deployment;
}

Status dropRehearsal(const Plan& plan, Connection& admin) {
    const std::string name = quoteIdentifier(rehearsalDatabase(plan));
    const Result<Rows> dropped = admin.batch(fmt::format("drop database if exists {} with (force)", name), Millis(30000));
    return dropped.ok()
               ? Status()
               : Status(Error{dropped.error().kind, fmt::format("Left over: database {} on green: {}", name, dropped.error().message),
                              fmt::format("Run there: drop database {} with (force)", name), dropped.error().sqlstate});
}

Status rehearse(const Plan& plan, const std::string& database, const std::filesystem::path& file, Connection& blue, Connection& admin,
                const StepContext& context) {
    Status status = dump(plan, database, file, context);
    status = status.ok() ? dropRehearsal(plan, admin) : status;
    if (!status) {
        return status;
    }
    const std::string scratch = rehearsalDatabase(plan);
    if (const Result<bool> made = createDatabase(blue, admin, database, scratch); !made) {
        return made.error();
    }
    const Result<std::string> failures = tryRestore(plan, scratch, file, context);
    const Status dropped = dropRehearsal(plan, admin);
    std::error_code none;
    std::filesystem::remove(file, none);
    if (!failures) {
        return failures.error();
    }
    if (!failures->empty()) {
        return Error{Error::Kind::Server,
                     fmt::format("The schema of {} does not go into green: {}", database, firstErrors(*failures)),
                     "Change the objects on blue, or prepare green (extensions, roles, settings); nothing was copied yet.",
                     {}};
    }
    return dropped;
}

} // namespace tealdeck::schema_copy
