// SPDX-License-Identifier: GPL-3.0-or-later
#include "widgets/facts/facts_panel.h"

#include "widgets/a11y/list_table.h"
#include "widgets/checklist/row_painter.h"
#include "widgets/theme/theme.h"

#include <QHeaderView>
#include <QLabel>
#include <QVBoxLayout>

#include <algorithm>

namespace tealdeck {

FactsPanel::FactsPanel(const QString& name, const QStringList& headers, QString empty, QWidget* parent)
    : QFrame(parent), m_model(headers), m_emptyText(std::move(empty)), m_summary(plainLabel({})), m_table(new ListTable(name)) {
    setProperty("panel", true);
    auto* layout = new QVBoxLayout(this);
    layout->setContentsMargins(spacing::SMALL, spacing::TINY, spacing::TINY, spacing::TINY);
    layout->setSpacing(spacing::TINY);
    m_summary->setWordWrap(true);
    m_summary->setTextInteractionFlags(Qt::TextSelectableByMouse);
    m_summary->setText(m_emptyText);
    layout->addWidget(m_summary);
    layout->addWidget(m_table, 1);
    layout->addStretch(0);
    m_table->setModel(&m_model);
    m_table->setItemDelegate(new RowPainter(
        [](const QModelIndex& index, const Tokens& t) {
            RowPainter::Look look;
            look.strong = index.data(FactModel::StrongRole).toBool();
            look.hatched = index.column() > 0 && index.data(FactModel::StaleRole).toBool();
            look.ink = index.column() == 0 && !look.strong ? t.muted : QColor();
            return look;
        },
        m_table));
    m_table->hide();
}

void FactsPanel::show(const QString& summary, std::vector<Fact> facts) {
    m_summary->setText(facts.empty() && summary.isEmpty() ? m_emptyText : summary);
    m_summary->setVisible(!m_summary->text().isEmpty());
    m_table->setVisible(!facts.empty());
    m_model.update(std::move(facts));
}

void FactsPanel::resizeEvent(QResizeEvent* event) {
    QFrame::resizeEvent(event);
    const int across = m_table->viewport()->width();
    const int columns = std::max(1, m_model.columnCount());
    const int first = std::min(across / 2, fontMetrics().height() * 14);
    for (int column = 0; column < columns; ++column) {
        m_table->setColumnWidth(column, column == 0 ? first : (across - first) / std::max(1, columns - 1));
    }
}

} // namespace tealdeck
