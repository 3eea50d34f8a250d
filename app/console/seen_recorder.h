// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include "core/model/snapshot.h"
#include "core/util/clock.h"

#include <QObject>
#include <QString>

#include <optional>

namespace tealdeck {

class ActionGate;
class EngineBridge;
class HoldButton;
class NextActPanel;

/// Tells the engine what its operator sees and does before a command: the exact words of what is armed or pressed with the values of the
/// gates and their ages, how far a hold came, the page in front. Only words; nothing waits for them.
class SeenRecorder final : public QObject {
    Q_OBJECT
  public:
    SeenRecorder(ActionGate& gate, EngineBridge& bridge, NextActPanel& acts, QObject* parent = nullptr);
    void watchAbort(HoldButton* abort);
    void showPage(const QString& page);

  private:
    void tellPage();
    void prompt(const QString& words, CommandKind kind, std::optional<Millis> armedFor = {});
    void armed(bool on);
    void requested(CommandKind kind);
    void abortHeld(const HoldButton& abort, bool on);
    void holding(const HoldButton& button, bool on, bool withdraws);
    void answer(const QString& text, bool withdrawn, Json hold = {});
    ActionGate& m_gate;
    EngineBridge& m_bridge;
    NextActPanel& m_acts;
    bool m_armed = false; ///< a prompt waits for its answer
    bool m_sent = false;  ///< the command that was armed has gone
    QString m_page;
    QString m_told; ///< the page that the engine knows of
};

} // namespace tealdeck
