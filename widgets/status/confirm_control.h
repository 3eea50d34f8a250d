// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include "core/model/command.h"
#include "widgets/status/hold_button.h"

#include <QLineEdit>
#include <QPushButton>

class QCheckBox;
class QLabel;

namespace tealdeck {

/// One act on the confirmation ladder: click, arm and hold, or arm, hold and type. The host places the parts, Arm away from Hold.
class ConfirmControl final : public QObject {
    Q_OBJECT
  public:
    ConfirmControl(const Clock& clock, QObject* parent = nullptr);

    /// What is to be confirmed. A changed target, gate or reason against it disarms.
    struct Act {
        CommandKind kind = CommandKind::Check;
        Confirmation confirmation = Confirmation::Click;
        QString title;
        QString consequence;
        QStringList whyNot; ///< empty: allowed
        QString deployment; ///< what has to be typed for L3
        std::uint64_t gateSeq = 0;
        bool operator==(const Act&) const = default;
    };
    void setAct(const Act& act);
    void disarm();
    [[nodiscard]] bool armed() const;
    void refresh();
    /// Where the focus goes when the part that has it is hidden or disabled: a harmless widget of the same area.
    void setRefuge(const QWidget* area, QWidget* refuge) { m_area = area, m_refuge = refuge; }

    [[nodiscard]] QPushButton* armButton() const { return m_arm; }   ///< for L1 this is the act itself
    [[nodiscard]] HoldButton* holdButton() const { return m_hold; }
    [[nodiscard]] QWidget* form() const { return m_form; }           ///< deployment's name and reason, L3 only
    [[nodiscard]] QWidget* typed() const { return m_typed; }         ///< the alternative to holding
    [[nodiscard]] QLabel* status() const { return m_status; }        ///< what is armed, what it does, for how long; why it is no more

  signals:
    /// Confirmed in full: `typed` and `reason` are empty below L3.
    void confirmed(CommandKind kind, const QString& typed, const QString& reason);
    void armedChanged(bool armed);

  private:
    void makeForm();
    void makeTyped();
    void armOrAct();
    void finish();
    void showStatus();
    [[nodiscard]] QString missing() const;
    [[nodiscard]] QString whyDisarmed() const;

    const Clock& m_clock;
    ArmState m_armState;
    Act m_act;
    bool m_wasArmed = false;
    QPushButton* m_arm;
    HoldButton* m_hold;
    QWidget* m_form;
    QLineEdit* m_name = nullptr;
    QLineEdit* m_reason = nullptr;
    QWidget* m_typed;
    QCheckBox* m_cannotHold = nullptr;
    QLineEdit* m_word = nullptr;
    QLabel* m_status;
    const QWidget* m_area = nullptr;
    QWidget* m_refuge = nullptr;
    QTimer m_timer;
    QString m_disarmed; ///< why it is armed no more, unless a person wanted that
};

} // namespace tealdeck
