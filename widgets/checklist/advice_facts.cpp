// SPDX-License-Identifier: GPL-3.0-or-later
#include "widgets/checklist/advice_facts.h"

#include "widgets/models/check_model.h"
#include "widgets/theme/theme.h"

namespace tealdeck {

std::vector<Fact> adviceFacts(const Snapshot& snapshot, const ViewTime& now) {
    std::vector<Fact> facts;
    for (const CheckState& check : snapshot.checks) {
        if (check.family != "advice") {
            continue;
        }
        const CheckStanding standing = standingOf(check, now.steadyUs);
        const bool old = standing == CheckStanding::Stale || check.result == CheckResult::Unknown;
        facts.push_back(
            {check.id,
             {questionOf(check),
              QStringLiteral("%1 %2").arg(standingMark(standing), check.actual.empty() ? unknownMark() : safeText(check.actual)),
              check.evaluatedUs == 0 ? QStringLiteral("–") : formatAge(now.steadyUs - check.evaluatedUs)},
             old,
             false});
    }
    return facts;
}

} // namespace tealdeck
