// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/console/command_palette.h"

#include "app/console/action_registry.h"
#include "widgets/theme/theme.h"

#include <QApplication>
#include <QKeyEvent>
#include <QLineEdit>
#include <QListWidget>
#include <QVBoxLayout>

#include <algorithm>

namespace tealdeck {
namespace {

constexpr int ACTION = Qt::UserRole + 1;

bool hasAllWords(const QString& text, const QStringList& words) {
    return std::all_of(words.begin(), words.end(), [&](const QString& word) { return text.contains(word, Qt::CaseInsensitive); });
}

} // namespace

CommandPalette::CommandPalette(ActionRegistry& registry, QWidget* window)
    : QFrame(window), m_registry(registry), m_entry(new QLineEdit), m_list(new QListWidget) {
    setProperty("panel", true);
    setAutoFillBackground(true);
    setFrameShape(QFrame::StyledPanel);
    setAccessibleName(tr("Command palette"));
    auto* layout = new QVBoxLayout(this);
    layout->setContentsMargins(spacing::SMALL, spacing::SMALL, spacing::SMALL, spacing::SMALL);
    m_entry->setPlaceholderText(tr("What do you want to do?"));
    m_entry->setAccessibleName(tr("Words of the act"));
    m_list->setAccessibleName(tr("Acts"));
    m_list->setFocusPolicy(Qt::NoFocus); // the arrow keys reach it from the entry
    m_list->setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    layout->addWidget(m_entry);
    layout->addWidget(m_list);
    m_entry->installEventFilter(this);
    connect(m_entry, &QLineEdit::textChanged, this, &CommandPalette::showMatches);
    connect(m_list, &QListWidget::itemClicked, this, &CommandPalette::run);
    hide();
}

void CommandPalette::open() {
    const int em = fontMetrics().height();
    QWidget* window = parentWidget();
    const int wide = std::min(window->width() - 2 * spacing::LARGE, em * 40);
    // Over the panels, under strip and rail: the state, the next act's Hold and Abort stay in sight.
    const int top = std::min(window->height() / 4, em * 9);
    setGeometry((window->width() - wide) / 2, top, wide, std::min(window->height() - top - spacing::LARGE, em * 20));
    m_before = QApplication::focusWidget();
    m_registry.refresh();
    m_entry->clear();
    showMatches();
    show();
    raise();
    m_entry->setFocus(Qt::ShortcutFocusReason);
}

void CommandPalette::showMatches() {
    const QStringList words = m_entry->text().split(' ', Qt::SkipEmptyParts);
    m_list->clear();
    for (QAction* action : m_registry.actions()) {
        const QString text = QStringLiteral("%1: %2").arg(actionMenu(action), plainActionText(action));
        if (!hasAllWords(text, words)) {
            continue;
        }
        const QString keys = actionKeys(action);
        auto* item = new QListWidgetItem(keys.isEmpty() ? text : QStringLiteral("%1    %2").arg(text, keys), m_list);
        item->setData(ACTION, QVariant::fromValue<QObject*>(action));
        if (!action->isEnabled()) {
            item->setText(
                QStringLiteral("%1 – %2").arg(text, action->statusTip().isEmpty() ? tr("not possible now") : action->statusTip()));
            item->setForeground(palette().color(QPalette::Disabled, QPalette::Text));
            item->setToolTip(tooltipText(item->text()));
        }
    }
    m_list->setCurrentRow(0);
    m_entry->setAccessibleDescription(m_list->currentItem() == nullptr
                                          ? tr("Nothing has these words.")
                                          : tr("%1 acts, first: %2").arg(m_list->count()).arg(m_list->currentItem()->text()));
}

void CommandPalette::run() {
    const QListWidgetItem* item = m_list->currentItem();
    const QPointer<QAction> action = item != nullptr ? qobject_cast<QAction*>(item->data(ACTION).value<QObject*>()) : nullptr;
    if (!action || !action->isEnabled()) {
        return; // its line says why
    }
    leave();
    action->trigger();
}

void CommandPalette::leave() {
    hide();
    if (m_before) {
        m_before->setFocus(Qt::OtherFocusReason);
    }
}

bool CommandPalette::eventFilter(QObject* watched, QEvent* event) {
    if (event->type() == QEvent::FocusOut && static_cast<QFocusEvent*>(event)->reason() != Qt::PopupFocusReason && isVisible()) {
        hide();
    }
    if (event->type() != QEvent::KeyPress && event->type() != QEvent::ShortcutOverride) {
        return QFrame::eventFilter(watched, event);
    }
    auto* key = static_cast<QKeyEvent*>(event);
    switch (key->key()) {
    case Qt::Key_Up:
    case Qt::Key_Down:
    case Qt::Key_PageUp:
    case Qt::Key_PageDown:
        if (event->type() == QEvent::KeyPress) {
            const int step = key->key() == Qt::Key_Up ? -1 : key->key() == Qt::Key_Down ? 1 : key->key() == Qt::Key_PageUp ? -10 : 10;
            m_list->setCurrentRow(std::clamp(m_list->currentRow() + step, 0, std::max(0, m_list->count() - 1)));
        }
        break;
    case Qt::Key_Return:
    case Qt::Key_Enter:
        if (event->type() == QEvent::KeyPress && !key->isAutoRepeat()) {
            run();
        }
        break;
    case Qt::Key_Escape:
        if (event->type() == QEvent::KeyPress) {
            leave();
        }
        break;
    default:
        return QFrame::eventFilter(watched, event);
    }
    event->accept();
    return true;
}

} // namespace tealdeck
