// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/console/action_gate.h"

#include "widgets/theme/theme.h"

#include <QCoreApplication>
#include <QPointer>

namespace tealdeck {

ActionGate::ActionGate(EngineBridge& bridge, QString actor, QObject* parent) : QObject(parent), m_bridge(bridge), m_actor(std::move(actor)) {}

void ActionGate::request(CommandKind kind, Json args) {
    CommandSink* sink = m_bridge.commands();
    if (sink == nullptr) {
        return;
    }
    Command command;
    command.kind = kind;
    command.args = std::move(args);
    command.basedOn = m_bridge.snapshot().seq;
    command.actor = m_actor.toStdString();
    sink->send(command, [self = QPointer<ActionGate>(this), kind](CommandReply reply) {
        // Comes on the source's thread; a QPointer must be read on ours.
        QMetaObject::invokeMethod(
            QCoreApplication::instance(),
            [self, kind, reply = std::move(reply)] {
                if (self) {
                    const QString name = QString::fromLatin1(commandName(kind));
                    const QString reason = safeText(reply.reason);
                    emit self->answered(kind, reply.accepted, reply.accepted ? tr("%1: accepted").arg(name) : tr("%1 refused: %2").arg(name, reason));
                }
            },
            Qt::QueuedConnection);
    });
}

void ActionGate::tell(Json shown) {
    if (CommandSink* sink = m_bridge.commands(); sink != nullptr && m_bridge.state() == SourceState::Live) {
        Command command;
        command.kind = CommandKind::Note;
        command.args = std::move(shown);
        command.basedOn = m_bridge.snapshot().seq;
        command.actor = m_actor.toStdString();
        sink->send(command, [](const CommandReply&) {});
    }
}

} // namespace tealdeck
