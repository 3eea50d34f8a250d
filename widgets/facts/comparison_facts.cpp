// SPDX-License-Identifier: GPL-3.0-or-later
#include "widgets/facts/comparison_facts.h"

#include "widgets/theme/theme.h"
#include "widgets/theme/words.h"

#include <algorithm>

namespace tealdeck {
namespace {

QString resultWord(const std::string& result) {
    return result == "equal" ? QStringLiteral("✓ ") + word("equal") : result == "different" ? QStringLiteral("✕ ") + word("different") : QStringLiteral("? ") + word("undecided");
}

Fact tableFact(const TableComparison& table, const ViewTime& now) {
    const QString found = table.differences > 0 ? word("%1 rows, at least %2 different. %3").arg(table.rows).arg(table.differences).arg(safeText(table.detail))
                                                : word("%1 rows. %2").arg(table.rows).arg(safeText(table.detail));
    return {"table/" + table.database + "/" + table.table,
            {QStringLiteral("%1: %2").arg(safeText(table.database), safeText(table.table)), resultWord(table.result), found, formatAge(now.steadyUs - table.atUs)},
            table.result == "undecided",
            table.result == "different"};
}

Fact driftFact(const DriftState& drift) {
    const bool open = drift.state == "open";
    return {"drift/" + drift.database + "/" + std::to_string(drift.id),
            {QStringLiteral("%1: %2").arg(safeText(drift.database), safeText(drift.object)), (open ? QStringLiteral("△ ") : QStringLiteral("✓ ")) + safeText(drift.state),
             word("%1 on %2 by %3: %4").arg(safeText(drift.tag), safeText(drift.side).toUpper(), safeText(drift.who), safeText(drift.statement)), formatUtcTime(drift.wallUs)},
            false,
            open};
}

} // namespace

QString comparisonSummary(const ComparisonState& c, const ViewTime& now) {
    if (c.state == "none") {
        return {};
    }
    const QString counts = word("%1 tables compared: %2 equal, %3 different, %4 undecided; %5 rows.").arg(c.equal + c.different + c.undecided).arg(c.equal).arg(c.different).arg(c.undecided).arg(c.rows);
    if (c.state == "running") {
        const int done = c.equal + c.different + c.undecided;
        const double elapsed = static_cast<double>(now.steadyUs - c.startedUs) / 1e6;
        // By tables, which differ in size: good enough to know whether it is minutes or hours.
        const QString left = done > 0 && c.tables > done ? word(" About %1 left.").arg(formatSeconds(elapsed / done * (c.tables - done))) : QString();
        return word("Comparing, %1 of %2 tables.").arg(done).arg(c.tables) + left + QLatin1Char(' ') + counts;
    }
    const QString when = word("Compared %1 ago (%2).").arg(formatAge(now.steadyUs - c.endedUs), safeText(c.state));
    return when + QLatin1Char(' ') + counts + (c.complete ? QString() : QLatin1Char(' ') + word("Not every table was meant.")) + (c.detail.empty() ? QString() : QLatin1Char(' ') + safeText(c.detail));
}

std::vector<Fact> comparisonFacts(const Snapshot& snapshot, const ViewTime& now) {
    std::vector<Fact> facts;
    for (const DriftState& drift : snapshot.drift) {
        facts.push_back(driftFact(drift));
    }
    std::vector<TableComparison> tables = snapshot.comparison.list;
    const auto rank = [](const TableComparison& t) { return t.result == "different" ? 0 : t.result == "undecided" ? 1 : 2; };
    std::stable_sort(tables.begin(), tables.end(), [&](const TableComparison& a, const TableComparison& b) { return rank(a) < rank(b); });
    for (const TableComparison& table : tables) {
        facts.push_back(tableFact(table, now));
    }
    return facts;
}

} // namespace tealdeck
