// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include "widgets/models/alarm_model.h"
#include "widgets/theme/format.h"

#include <QFrame>

class QComboBox;
class QHBoxLayout;
class QLabel;
class QLineEdit;
class QPushButton;

namespace tealdeck {

class ListTable;

/// What is wrong now, why, and what is required of the operator.
class AlarmPanel final : public QFrame {
    Q_OBJECT
  public:
    enum class Controls { None, Full };
    explicit AlarmPanel(Controls controls = Controls::None, QWidget* parent = nullptr);
    void update(const Snapshot& snapshot, const ViewTime& now);
    using QFrame::update;

  signals:
    /// The operator says that this alarm was seen.
    void acknowledgeRequested(const QString& alarm);
    /// Puts it aside for so many minutes; it comes back by itself.
    void shelveRequested(const QString& alarm, int minutes, const QString& reason);

  private:
    void makeControls(QHBoxLayout* top);
    QWidget* makeShelf();
    void shelve();
    void showButtons();
    [[nodiscard]] QString whyNotShelve() const;
    AlarmModel m_model;
    QLabel* m_heading;
    QLabel* m_empty;
    ListTable* m_table;
    QPushButton* m_ack = nullptr;
    QPushButton* m_aside = nullptr; ///< opens the line with time and reason
    QWidget* m_shelf = nullptr;
    QComboBox* m_minutes = nullptr;
    QLineEdit* m_reason = nullptr;
    QPushButton* m_shelve = nullptr;
};

} // namespace tealdeck
