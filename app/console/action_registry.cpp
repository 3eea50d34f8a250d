// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/console/action_registry.h"

#include "widgets/theme/theme.h"

#include <QMenu>
#include <QSettings>

#include <algorithm>

namespace tealdeck {
namespace {

constexpr const char* MENU = "tealdeckMenu";
constexpr const char* DEFAULTS = "tealdeckDefaultKeys";

QString settingOf(const QAction* action) {
    return QStringLiteral("keys/") + action->objectName();
}

/// Keys that hold, leave, walk or write: no act may take them away.
bool isReserved(const QKeySequence& keys) {
    static const std::vector<QKeySequence> reserved = {
        Qt::Key_Space, Qt::Key_Return, Qt::Key_Enter, Qt::Key_Escape, Qt::Key_Tab,       Qt::SHIFT | Qt::Key_Backtab,
        Qt::Key_Up,    Qt::Key_Down,   Qt::Key_Left,  Qt::Key_Right,  Qt::Key_Backspace, Qt::Key_Delete};
    return std::find(reserved.begin(), reserved.end(), keys) != reserved.end();
}

} // namespace

ActionRegistry::ActionRegistry(QWidget* window, QSettings* settings) : QObject(window), m_window(window), m_settings(settings) {}

QAction* ActionRegistry::add(QMenu* menu, Act act) {
    act.keys.removeAll(QKeySequence()); // a desktop may have no key for a standard act
    auto* action = new QAction(act.text, m_window);
    action->setObjectName(QLatin1String(act.id));
    QString path = menu->title();
    action->setProperty(MENU, path.remove('&'));
    action->setProperty(DEFAULTS, QVariant::fromValue(act.keys));
    QList<QKeySequence> keys = act.keys;
    if (m_settings != nullptr && m_settings->contains(settingOf(action))) {
        keys = QKeySequence::listFromString(m_settings->value(settingOf(action)).toString());
        const bool taken = std::any_of(keys.begin(), keys.end(), [&](const QKeySequence& k) { return !conflict(action, k).isEmpty(); });
        keys = taken ? act.keys : keys; // a settings file of another version: ours win
    }
    action->setShortcuts(keys);
    connect(action, &QAction::triggered, this, [run = std::move(act.run)] { run(); });
    if (act.whyNot) {
        m_reasons.emplace_back(action, std::move(act.whyNot));
    }
    menu->addAction(action);
    menu->setToolTipsVisible(true);
    m_actions.push_back(action);
    return action;
}

void ActionRegistry::refresh() {
    for (const auto& [action, whyNot] : m_reasons) {
        const QString reason = whyNot();
        action->setEnabled(reason.isEmpty());
        action->setToolTip(reason.isEmpty() ? QString() : tooltipText(reason));
        action->setStatusTip(reason);
    }
}

QAction* ActionRegistry::find(const QString& id) const {
    const auto found = std::find_if(m_actions.begin(), m_actions.end(), [&](const QAction* a) { return a->objectName() == id; });
    return found == m_actions.end() ? nullptr : *found;
}

QList<QKeySequence> ActionRegistry::defaults(const QAction* action) const {
    return action->property(DEFAULTS).value<QList<QKeySequence>>();
}

QString ActionRegistry::conflict(const QAction* action, const QKeySequence& keys) const {
    if (keys.isEmpty()) {
        return {};
    }
    if (isReserved(keys)) {
        return tr("%1 is needed for holding buttons, leaving and walking.").arg(keys.toString(QKeySequence::NativeText));
    }
    for (const QAction* other : m_actions) {
        const QList<QKeySequence> theirs = other->shortcuts();
        const bool clash = other != action && std::any_of(theirs.begin(), theirs.end(), [&](const QKeySequence& k) {
                               return k.matches(keys) != QKeySequence::NoMatch || keys.matches(k) != QKeySequence::NoMatch;
                           });
        if (clash) {
            return tr("%1 belongs to “%2” already.").arg(keys.toString(QKeySequence::NativeText), plainActionText(other));
        }
    }
    return {};
}

QString ActionRegistry::setKeys(QAction* action, const QKeySequence& keys) {
    QString problem = conflict(action, keys);
    if (problem.isEmpty()) {
        action->setShortcuts(keys.isEmpty() ? QList<QKeySequence>() : QList{keys});
        keep(action);
    }
    return problem;
}

void ActionRegistry::resetKeys(QAction* action) {
    action->setShortcuts(defaults(action));
    keep(action);
}

void ActionRegistry::keep(QAction* action) {
    if (m_settings != nullptr) {
        action->shortcuts() == defaults(action) ? m_settings->remove(settingOf(action))
                                                : m_settings->setValue(settingOf(action), QKeySequence::listToString(action->shortcuts()));
    }
    emit keysChanged();
}

QString plainActionText(const QAction* action) {
    return QString(action->text()).remove('&').remove(QStringLiteral("…"));
}

QString actionMenu(const QAction* action) {
    return action->property(MENU).toString();
}

QString actionKeys(const QAction* action) {
    QStringList list;
    for (const QKeySequence& keys : action->shortcuts()) {
        list << keys.toString(QKeySequence::NativeText);
    }
    return list.join(QStringLiteral(", "));
}

} // namespace tealdeck
