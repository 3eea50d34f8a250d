// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include "app/console/engine_bridge.h"

#include <QObject>

namespace tealdeck {

/// The only way from the window to the engine: every command leaves here, with the snapshot that the operator was looking at.
class ActionGate final : public QObject {
    Q_OBJECT
  public:
    ActionGate(EngineBridge& bridge, QString actor, QObject* parent = nullptr);
    void request(CommandKind kind, Json args = Json::object());
    /// What the operator saw (core/model/shown.h): nobody waits for an answer.
    void tell(Json shown);

  signals:
    void answered(CommandKind kind, bool accepted, const QString& text);

  private:
    EngineBridge& m_bridge;
    QString m_actor;
};

} // namespace tealdeck
