// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include "widgets/models/alarm_model.h"
#include "widgets/theme/format.h"

#include <QFrame>

class QLabel;
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

  private:
    void showButton();
    AlarmModel m_model;
    QLabel* m_heading;
    QLabel* m_empty;
    ListTable* m_table;
    QPushButton* m_ack = nullptr;
};

} // namespace tealdeck
