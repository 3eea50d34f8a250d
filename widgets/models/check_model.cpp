// SPDX-License-Identifier: GPL-3.0-or-later
#include "widgets/models/check_model.h"

#include "widgets/models/row_diff.h"
#include "widgets/theme/format.h"
#include "widgets/theme/theme.h"
#include "widgets/theme/words.h"

#include <array>

namespace tealdeck {

CheckStanding standingOf(const CheckState& check, std::int64_t nowUs) {
    if (!check.overrideBy.empty() && check.result != CheckResult::Pass) {
        return CheckStanding::Overridden;
    }
    const bool blocking = check.severity == Severity::Blocking;
    if (check.result == CheckResult::Fail) {
        return blocking ? CheckStanding::Fails : CheckStanding::Warns;
    }
    if (check.result == CheckResult::Unknown) {
        return blocking ? CheckStanding::Unknown : CheckStanding::Warns;
    }
    if (isStale(check, nowUs)) {
        return CheckStanding::Stale;
    }
    return CheckStanding::Passes;
}

QString standingWord(CheckStanding standing) {
    switch (standing) {
    case CheckStanding::Fails: return word("FAILS");
    case CheckStanding::Unknown: return word("UNKNOWN");
    case CheckStanding::Stale: return word("STALE");
    case CheckStanding::Warns: return word("warns");
    case CheckStanding::Overridden: return word("overridden");
    case CheckStanding::Passes: return word("ok");
    }
    return {};
}

QString standingMark(CheckStanding standing) {
    switch (standing) {
    case CheckStanding::Fails: return QStringLiteral("✕");
    case CheckStanding::Unknown: return QStringLiteral("?");
    case CheckStanding::Stale: return QStringLiteral("◷");
    case CheckStanding::Warns: return QStringLiteral("△");
    case CheckStanding::Overridden: return QStringLiteral("⊘");
    case CheckStanding::Passes: return QStringLiteral("✓");
    }
    return {};
}

bool standsInTheWay(CheckStanding standing) { return standing <= CheckStanding::Stale; }

void CheckModel::update(const std::vector<CheckState>& checks, std::int64_t nowUs) {
    m_nowUs = nowUs;
    std::vector<Row> wanted;
    wanted.reserve(checks.size());
    for (const CheckState& check : checks) {
        wanted.push_back({check, standingOf(check, nowUs)});
    }
    std::stable_sort(wanted.begin(), wanted.end(), [](const Row& a, const Row& b) {
        return std::tie(a.standing, a.check.severity, a.check.family, a.check.id) < std::tie(b.standing, b.check.severity, b.check.family, b.check.id);
    });
    const auto same = [](const Row& a, const Row& b) { return a.standing == b.standing && toJson(a.check) == toJson(b.check); };
    diffRows(m_rows, std::move(wanted), [](const Row& row) { return row.check.id; }, same, *this);
    if (!m_rows.empty()) {
        emit dataChanged(index(0, Age), index(rowCount() - 1, Age), {Qt::DisplayRole});
    }
}

const CheckState* CheckModel::check(int row) const {
    return row >= 0 && row < rowCount() ? &m_rows[static_cast<std::size_t>(row)].check : nullptr;
}

int CheckModel::rowOf(const std::string& id) const {
    const auto found = std::find_if(m_rows.begin(), m_rows.end(), [&](const Row& row) { return row.check.id == id; });
    return found == m_rows.end() ? -1 : static_cast<int>(found - m_rows.begin());
}

QString CheckModel::summary() const {
    int inTheWay = 0;
    int warn = 0;
    int overridden = 0;
    for (const Row& row : m_rows) {
        inTheWay += standsInTheWay(row.standing) ? 1 : 0;
        warn += row.standing == CheckStanding::Warns ? 1 : 0;
        overridden += row.standing == CheckStanding::Overridden ? 1 : 0;
    }
    QStringList parts;
    if (inTheWay > 0) {
        parts << word("%1 in the way").arg(inTheWay);
    }
    if (warn > 0) {
        parts << (warn == 1 ? word("1 warns") : word("%1 warn").arg(warn));
    }
    if (overridden > 0) {
        parts << word("%1 overridden").arg(overridden);
    }
    parts << word("%1 ok").arg(rowCount() - inTheWay - warn - overridden);
    return m_rows.empty() ? word("not asked yet") : parts.join(QStringLiteral(" · "));
}

int CheckModel::rowCount(const QModelIndex& parent) const { return parent.isValid() ? 0 : static_cast<int>(m_rows.size()); }

int CheckModel::columnCount(const QModelIndex& parent) const { return parent.isValid() ? 0 : ColumnCount; }

QString questionOf(const CheckState& check) {
    // A question that is asked several times says of what: "SRV02/blue/shop" is about blue/shop.
    const auto slash = check.id.find('/');
    const QString about = slash == std::string::npos ? QString() : safeText(check.id.substr(slash + 1));
    return about.isEmpty() ? safeText(check.question) : about + QStringLiteral(": ") + safeText(check.question);
}

QString CheckModel::text(const Row& row, int column) const {
    const CheckState& c = row.check;
    switch (column) {
    case State: return standingMark(row.standing) + QLatin1Char(' ') + standingWord(row.standing);
    case Question: return questionOf(c);
    case Expected: return safeText(c.expected);
    case Actual: return c.actual.empty() ? unknownMark() : safeText(c.actual);
    case Age: return c.evaluatedUs == 0 ? QStringLiteral("–") : formatAge(m_nowUs - c.evaluatedUs);
    case Who: return c.overrideBy.empty() ? word("engine") : safeText(c.overrideBy);
    default: return {};
    }
}

QVariant CheckModel::data(const QModelIndex& index, int role) const {
    if (!index.isValid() || index.row() >= rowCount()) {
        return {};
    }
    const Row& row = m_rows[static_cast<std::size_t>(index.row())];
    switch (role) {
    case Qt::DisplayRole: return text(row, index.column());
    case Qt::ToolTipRole: return tooltipText(QStringLiteral("%1\n%2").arg(safeText(row.check.id), text(row, index.column())));
    case Qt::AccessibleTextRole: return QStringLiteral("%1: %2").arg(headerData(index.column(), Qt::Horizontal, Qt::DisplayRole).toString(), text(row, index.column()));
    case StandingRole: return static_cast<int>(row.standing);
    case IdRole: return QString::fromStdString(row.check.id);
    default: return {};
    }
}

QVariant CheckModel::headerData(int section, Qt::Orientation orientation, int role) const {
    static const std::array<const char*, ColumnCount> names = {"State", "Question", "Expected", "Actual", "Age", "Who"};
    if (orientation != Qt::Horizontal || role != Qt::DisplayRole || section < 0 || section >= ColumnCount) {
        return {};
    }
    return word(names[static_cast<std::size_t>(section)]);
}

} // namespace tealdeck
