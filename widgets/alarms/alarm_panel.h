// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include "widgets/models/alarm_model.h"
#include "widgets/theme/format.h"

#include <QFrame>

class QLabel;

namespace tealdeck {

class ListTable;

/// What is wrong now, why, and what is required of the operator.
class AlarmPanel final : public QFrame {
    Q_OBJECT
  public:
    explicit AlarmPanel(QWidget* parent = nullptr);
    void update(const Snapshot& snapshot, const ViewTime& now);
    using QFrame::update;

  private:
    AlarmModel m_model;
    QLabel* m_heading;
    QLabel* m_empty;
    ListTable* m_table;
};

} // namespace tealdeck
