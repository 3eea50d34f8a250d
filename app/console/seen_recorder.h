// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include "core/model/snapshot.h"
#include "widgets/theme/format.h"

#include <QObject>
#include <QString>

namespace tealdeck {

class ActionGate;
class EngineBridge;
class HoldButton;
class NextActPanel;

/// Tells the engine what its operator sees and does before a command: the exact words of what is armed with the values of the gates and
/// their ages, how far a hold came, the page in front. Only words; nothing waits for them.
class SeenRecorder final : public QObject {
    Q_OBJECT
  public:
    SeenRecorder(ActionGate& gate, EngineBridge& bridge, NextActPanel& acts, QObject* parent = nullptr);
    void watchAbort(HoldButton* abort);
    void showPage(const QString& page);

  private:
    void armed(bool on);
    void holding(const HoldButton& button, bool on, const QString& what);
    void answer(const QString& text, bool withdrawn);
    ActionGate& m_gate;
    EngineBridge& m_bridge;
    NextActPanel& m_acts;
    bool m_asked = false; ///< a prompt waits for its answer
    bool m_held = false;  ///< the hold that ends now was complete
    QString m_page;
};

/// The values that stand beside a prompt: {"text", "value", "age_s"} each.
Json gatesShown(const Snapshot& snapshot, const ViewTime& now);

} // namespace tealdeck
