// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/checks/comparison_check.h"

#include "core/util/text.h"

#include <fmt/format.h>

namespace tealdeck {
namespace {

CheckAnswer answerOf(const Plan& plan, const ComparisonState& c, std::int64_t nowWallUs) {
    if (c.different > 0 || c.sequencesMissing > 0) {
        std::string names;
        for (const TableComparison& table : c.list) {
            names += table.result == "different" ? fmt::format("{}{} {}", names.empty() ? "" : ", ", table.database, table.table) : "";
        }
        return CheckAnswer::fail(
            fmt::format("{} tables differ, {} sequences are missing: {}", c.different, c.sequencesMissing, plainText(names, 300)));
    }
    if (c.state != "done" || !c.complete) {
        return CheckAnswer::unknown(c.state == "none"      ? "The data was not compared."
                                    : c.state == "running" ? "The data is being compared."
                                    : c.state == "done"    ? "Only some of the tables were compared."
                                                           : "The comparison did not come to its end.");
    }
    const double hours = static_cast<double>(nowWallUs - c.startedWallUs) / 3600e6;
    // A clock that was set back makes no result younger than it is allowed to be.
    if (hours > plan.verify.validHours || hours < -0.1) {
        return CheckAnswer::unknown(fmt::format("The comparison is more than {:g} hours old.", plan.verify.validHours));
    }
    if (c.undecided > 0 || c.equal != c.tables || c.tables == 0) {
        return CheckAnswer::unknown(fmt::format("{} of {} tables could not be decided.", c.tables - c.equal, c.tables));
    }
    return CheckAnswer::pass(fmt::format("{} tables are equal ({}), compared at {}", c.equal, c.mode, isoUtc(c.startedWallUs)));
}

} // namespace

std::vector<CheckState> comparisonChecks(const Plan& plan, const CheckContext& context, const ComparisonState& comparison,
                                         std::int64_t nowWallUs, std::int64_t nowUs) {
    if (context.moment != CheckMoment::BeforeCutover) {
        return {};
    }
    const CheckAnswer answer = answerOf(plan, comparison, nowWallUs);
    CheckState line;
    line.id = "DAT01";
    line.family = "data";
    // On the way back only what is known to differ is told; an emergency does not wait for a comparison.
    line.severity = plan.verify.required && context.direction == Direction::Forward ? Severity::Blocking : Severity::Warning;
    line.question = "Is the data of both sides equal?";
    line.why = "A row that is missing on the side that takes over is lost with the switch.";
    line.expected = "every table compared and equal, not too long ago";
    line.actual = answer.actual;
    line.fix = "Run \"tealctl verify\" on the plan; copy again what differs.";
    line.source = "a comparison of all rows by this program";
    line.result = answer.result;
    line.evaluatedUs = nowUs;
    line.validForUs = std::int64_t{300} * 1000000;
    return {line};
}

} // namespace tealdeck
