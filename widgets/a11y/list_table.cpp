// SPDX-License-Identifier: GPL-3.0-or-later
#include "widgets/a11y/list_table.h"

#include <QApplication>
#include <QClipboard>
#include <QContextMenuEvent>
#include <QHeaderView>
#include <QKeyEvent>
#include <QMenu>

namespace tealdeck {

ListTable::ListTable(const QString& accessibleName, QWidget* parent) : QTableView(parent) {
    setAccessibleName(accessibleName);
    setSelectionBehavior(QAbstractItemView::SelectRows);
    setSelectionMode(QAbstractItemView::ExtendedSelection);
    setEditTriggers(QAbstractItemView::NoEditTriggers);
    setShowGrid(false);
    setAlternatingRowColors(false);
    setTabKeyNavigation(false);
    setWordWrap(false);
    setHorizontalScrollMode(QAbstractItemView::ScrollPerPixel);
    verticalHeader()->hide();
    verticalHeader()->setSectionResizeMode(QHeaderView::Fixed);
    verticalHeader()->setMinimumSectionSize(10);
    verticalHeader()->setDefaultSectionSize(fontMetrics().height() + 8);
    horizontalHeader()->setHighlightSections(false);
    horizontalHeader()->setDefaultAlignment(Qt::AlignLeft | Qt::AlignVCenter);
    horizontalHeader()->setStretchLastSection(true);
    horizontalHeader()->setMinimumSectionSize(24);
}

QString ListTable::asText(TableForm form) const {
    return model() == nullptr
               ? QString()
               : tableText(*model(), selectionModel() != nullptr ? selectionModel()->selectedRows() : QModelIndexList(), form);
}

void ListTable::copy(TableForm form) const {
    QApplication::clipboard()->setText(asText(form));
}

void ListTable::keyPressEvent(QKeyEvent* event) {
    if (event->matches(QKeySequence::Copy)) {
        copy(TableForm::Tsv);
        return;
    }
    QTableView::keyPressEvent(event);
}

void ListTable::contextMenuEvent(QContextMenuEvent* event) {
    auto* menu = new QMenu(this);
    menu->setAttribute(Qt::WA_DeleteOnClose);
    const std::pair<QString, TableForm> forms[] = {
        {tr("Copy as &text"), TableForm::Text}, {tr("Copy as T&SV"), TableForm::Tsv}, {tr("Copy as S&QL"), TableForm::Sql}};
    for (const auto& [text, form] : forms) {
        connect(menu->addAction(text), &QAction::triggered, this, [this, form = form] { copy(form); });
    }
    menu->popup(event->globalPos());
}

} // namespace tealdeck
