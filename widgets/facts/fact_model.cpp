// SPDX-License-Identifier: GPL-3.0-or-later
#include "widgets/facts/fact_model.h"

#include "widgets/models/row_diff.h"
#include "widgets/theme/theme.h"

namespace tealdeck {

void FactModel::update(std::vector<Fact> facts) {
    const auto same = [](const Fact& a, const Fact& b) { return a.cells == b.cells && a.stale == b.stale && a.strong == b.strong; };
    diffRows(
        m_rows, std::move(facts), [](const Fact& fact) { return fact.key; }, same, *this);
}

int FactModel::rowCount(const QModelIndex& parent) const {
    return parent.isValid() ? 0 : static_cast<int>(m_rows.size());
}

int FactModel::columnCount(const QModelIndex& parent) const {
    return parent.isValid() ? 0 : static_cast<int>(m_headers.size());
}

QVariant FactModel::data(const QModelIndex& index, int role) const {
    if (!index.isValid() || index.row() >= rowCount()) {
        return {};
    }
    const Fact& fact = m_rows[static_cast<std::size_t>(index.row())];
    switch (role) {
    case Qt::DisplayRole:
        return fact.cells.value(index.column());
    case Qt::ToolTipRole:
        return tooltipText(fact.cells.value(index.column()));
    case Qt::AccessibleTextRole:
        return QStringLiteral("%1: %2").arg(m_headers[index.column()], fact.cells.value(index.column()));
    case StaleRole:
        return fact.stale;
    case StrongRole:
        return fact.strong;
    default:
        return {};
    }
}

QVariant FactModel::headerData(int section, Qt::Orientation orientation, int role) const {
    const bool asked = orientation == Qt::Horizontal && role == Qt::DisplayRole && section >= 0 && section < m_headers.size();
    return asked ? QVariant(m_headers[section]) : QVariant();
}

} // namespace tealdeck
