// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/console/keys_window.h"

#include "app/console/action_registry.h"
#include "widgets/theme/theme.h"

#include <QApplication>
#include <QClipboard>
#include <QHBoxLayout>
#include <QHeaderView>
#include <QKeySequenceEdit>
#include <QLabel>
#include <QLineEdit>
#include <QPushButton>
#include <QTableWidget>
#include <QVBoxLayout>

namespace tealdeck {

KeysWindow::KeysWindow(ActionRegistry& registry, QStringList fixed, QWidget* parent)
    : QDialog(parent), m_registry(registry), m_fixed(std::move(fixed)), m_words(new QLineEdit), m_table(new QTableWidget),
      m_keys(new QKeySequenceEdit), m_default(new QPushButton(tr("Default keys"))), m_problem(plainLabel({})) {
    setWindowTitle(tr("Keys"));
    setAttribute(Qt::WA_DeleteOnClose);
    auto* layout = new QVBoxLayout(this);
    m_words->setPlaceholderText(tr("Filter"));
    m_words->setAccessibleName(tr("Words of the act"));
    m_words->setClearButtonEnabled(true);
    layout->addWidget(m_words);
    m_table->setAccessibleName(tr("Acts and their keys"));
    m_table->setColumnCount(3);
    m_table->setHorizontalHeaderLabels({tr("Keys"), tr("Act"), tr("Menu")});
    m_table->setSelectionBehavior(QAbstractItemView::SelectRows);
    m_table->setSelectionMode(QAbstractItemView::SingleSelection);
    m_table->setEditTriggers(QAbstractItemView::NoEditTriggers);
    m_table->setTabKeyNavigation(false);
    m_table->verticalHeader()->hide();
    m_table->horizontalHeader()->setSectionResizeMode(1, QHeaderView::Stretch);
    layout->addWidget(m_table, 1);
    auto* row = new QHBoxLayout;
    auto* label = plainLabel(tr("&New keys of the chosen act:"));
    label->setBuddy(m_keys);
    m_keys->setAccessibleName(tr("New keys of the chosen act"));
    auto* none = new QPushButton(tr("No keys"));
    auto* copy = new QPushButton(tr("Copy as text"));
    for (QPushButton* button : {m_default, none, copy}) {
        button->setAccessibleName(button->text());
        button->setAutoDefault(false);
    }
    row->addWidget(label);
    row->addWidget(m_keys, 1);
    row->addWidget(m_default);
    row->addWidget(none);
    row->addWidget(copy);
    layout->addLayout(row);
    m_problem->setWordWrap(true);
    layout->addWidget(m_problem);
    connect(m_words, &QLineEdit::textChanged, this, &KeysWindow::filter);
    connect(m_table, &QTableWidget::currentCellChanged, this, &KeysWindow::showChosen);
    connect(m_keys, &QKeySequenceEdit::editingFinished, this, &KeysWindow::take);
    connect(m_default, &QPushButton::clicked, this, [this] {
        if (QAction* action = chosen()) {
            m_registry.resetKeys(action);
        }
    });
    connect(none, &QPushButton::clicked, this, [this] {
        if (QAction* action = chosen()) {
            m_registry.setKeys(action, {});
        }
    });
    connect(copy, &QPushButton::clicked, this, [this] { QApplication::clipboard()->setText(sheet()); });
    connect(&m_registry, &ActionRegistry::keysChanged, this, &KeysWindow::fill);
    fill();
    m_table->setColumnWidth(0, fontMetrics().height() * 9);
    m_table->selectRow(0);
    resize(fontMetrics().height() * 44, fontMetrics().height() * 34);
}

void KeysWindow::fill() {
    const auto& actions = m_registry.actions();
    m_table->setRowCount(static_cast<int>(actions.size()) + static_cast<int>(m_fixed.size()));
    int row = 0;
    for (const QAction* action : actions) {
        const std::array cells = {actionKeys(action), plainActionText(action), actionMenu(action)};
        for (int column = 0; column < 3; ++column) {
            m_table->setItem(row, column, new QTableWidgetItem(cells[static_cast<std::size_t>(column)]));
        }
        ++row;
    }
    for (const QString& line : m_fixed) {
        m_table->setItem(row, 0, new QTableWidgetItem(line.section('\t', 0, 0)));
        m_table->setItem(row, 1, new QTableWidgetItem(line.section('\t', 1)));
        m_table->setItem(row, 2, new QTableWidgetItem(tr("always")));
        ++row;
    }
    showChosen();
}

void KeysWindow::filter(const QString& words) {
    for (int row = 0; row < m_table->rowCount(); ++row) {
        bool all = true;
        for (const QString& word : words.split(' ', Qt::SkipEmptyParts)) {
            bool any = false;
            for (int column = 0; column < 3; ++column) {
                any = any || m_table->item(row, column)->text().contains(word, Qt::CaseInsensitive);
            }
            all = all && any;
        }
        m_table->setRowHidden(row, !all);
    }
}

QAction* KeysWindow::chosen() const {
    const auto row = static_cast<std::size_t>(std::max(0, m_table->currentRow()));
    return m_table->currentRow() >= 0 && row < m_registry.actions().size() ? m_registry.actions()[row] : nullptr;
}

void KeysWindow::showChosen() {
    const QAction* action = chosen();
    m_keys->setEnabled(action != nullptr);
    m_default->setEnabled(action != nullptr);
    m_keys->setToolTip(action == nullptr ? tr("These keys can't be changed.") : QString());
    const QSignalBlocker quiet(m_keys);
    m_keys->setKeySequence(action == nullptr ? QKeySequence() : action->shortcut());
    m_problem->clear();
}

void KeysWindow::take() {
    QAction* action = chosen();
    if (action == nullptr || m_keys->keySequence() == action->shortcut()) {
        return;
    }
    const QString problem = m_registry.setKeys(action, m_keys->keySequence());
    showChosen();
    m_problem->setText(problem.isEmpty() ? tr("✓ Kept.") : QStringLiteral("✕ ") + problem);
}

QString KeysWindow::sheet() const {
    QStringList lines;
    for (int row = 0; row < m_table->rowCount(); ++row) {
        if (const QString keys = m_table->item(row, 0)->text(); !keys.isEmpty()) {
            lines << QStringLiteral("%1\t%2\t%3").arg(keys, m_table->item(row, 1)->text(), m_table->item(row, 2)->text());
        }
    }
    return lines.join('\n');
}

} // namespace tealdeck
