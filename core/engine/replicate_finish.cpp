// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/engine/replicate_finish.h"

#include "core/checks/fingerprint.h"

#include <algorithm>
#include <fmt/format.h>

namespace tealdeck {

Status analyzeInStages(Connection& session, StepContext& context) {
    const Result<Rows> big = session.query("select pg_database_size(current_database()) > 268435456");
    if (!big) {
        return big.error();
    }
    if (big->text(0, 0) == "t") {
        for (const char* statement : {"SET default_statistics_target = 10", "ANALYZE", "RESET default_statistics_target"}) {
            if (const auto done = session.batch(statement, context.deadline().left()); !done) {
                return done.error();
            }
        }
    }
    const Result<Rows> done = session.batch("ANALYZE", context.deadline().left());
    return done.ok() ? Status() : Status(done.error());
}

Status compareSchemas(SideSessions& blue, SideSessions& green, const Plan& plan, StepContext& context) {
    std::string text;
    std::size_t count = 0;
    std::size_t accepted = 0;
    for (std::size_t i = 0; i < plan.databases.size(); ++i) {
        context.report(fmt::format("the structure of {} on both sides", plan.databases[i]));
        const Result<Rows> here = blue[i].query(fingerprintSql(), {}, Millis(120000));
        const Result<Rows> there = green[i].query(fingerprintSql(), {}, Millis(120000));
        if (!here || !there) {
            return (here.ok() ? there : here).error();
        }
        for (const std::string& difference : fingerprintDifferences(fingerprintFrom(*here), fingerprintFrom(*there))) {
            const auto known = [&](const AcceptedDifference& a) { return difference.rfind(a.object + ":", 0) == 0; };
            if (std::any_of(plan.copy.accepted.begin(), plan.copy.accepted.end(), known)) {
                ++accepted;
            } else if (++count <= 5) {
                text += fmt::format("\n  - {}: {}", plan.databases[i], difference);
            }
        }
    }
    context.detail(fmt::format("{} differences, {} accepted in the plan", count + accepted, accepted));
    return count == 0
               ? Status()
               : Status(Error{Error::Kind::Conflict,
                              fmt::format("The schemas differ in {} objects:{}", count, text),
                              "\nMake them equal, or explain each in the plan: [[copy.accepted_difference]] with object and why. Then "
                              "run it again.",
                              {}});
}

} // namespace tealdeck
