// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include "core/model/snapshot.h"
#include "core/util/clock.h"
#include "widgets/status/confirm_control.h"
#include "widgets/theme/format.h"

#include <QFrame>

class QComboBox;
class QProgressBar;
class QVBoxLayout;

namespace tealdeck {

class RampControl;

/// NOW, NEXT, WHY NOT: what runs, what comes next, what it does, what stands in the way, whether one can go back, and the confirmation.
/// Without controls (replay, observer) it only tells.
class NextActPanel final : public QFrame {
    Q_OBJECT
  public:
    enum class Controls { None, Full };
    NextActPanel(const Clock& clock, Controls controls, QWidget* parent = nullptr);
    void update(const Snapshot& snapshot, const ViewTime& now);
    using QFrame::update;
    /// Why no command at all can be given (not connected, another driver); empty: none.
    void setRefusal(const QString& reason);
    /// Shows the act and puts the focus on its confirmation.
    void prepare(CommandKind kind);
    /// Puts the focus on Hold while something is armed.
    void focusHold();
    /// Puts the focus on the next larger share of reads.
    void focusRamp();
    /// The engine's answer to the last command.
    void showReply(bool accepted, const QString& text);
    [[nodiscard]] ConfirmControl* confirm() const { return m_confirm; } ///< nullptr without controls
    [[nodiscard]] CommandKind shownAct() const { return m_shown; }

  signals:
    void commandRequested(CommandKind kind, const Json& args);
    void armedChanged(bool armed);

  protected:
    void keyPressEvent(QKeyEvent* event) override; ///< Esc disarms

  private:
    void makeFacts(QVBoxLayout* layout);
    void makeControls(const Clock& clock, QVBoxLayout* layout);
    void updateActs(const Snapshot& snapshot);
    void updateNext(const Snapshot& snapshot);
    void updateRollback(const Snapshot& snapshot, const ViewTime& now);
    void choose(int index);
    [[nodiscard]] QStringList reasonsAgainst(CommandKind kind) const;

    QLabel* m_nowHead;
    QLabel* m_nowDetail;
    QProgressBar* m_progress;
    QLabel* m_next;
    QLabel* m_consequence;
    QLabel* m_forecast; ///< of the pause, beside the act that pauses writes
    QLabel* m_whyNot;
    QLabel* m_rollback;
    QLabel* m_window;
    QLabel* m_windowState; ///< how the way back stands while it is open
    QLabel* m_reply;
    QComboBox* m_acts = nullptr;
    ConfirmControl* m_confirm = nullptr;
    RampControl* m_ramp = nullptr;
    std::vector<CommandKind> m_offered;
    Phase m_offeredPhase = Phase::Plan;
    CommandKind m_shown = CommandKind::Check;
    QString m_refusal;
    Snapshot m_snapshot;
    ViewTime m_now;
};

} // namespace tealdeck
