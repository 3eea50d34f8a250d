// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include "app/console/plan_draft.h"
#include "core/util/json.h"

#include <QWidget>

class QCheckBox;
class QGridLayout;
class QLabel;
class QLineEdit;
class QPushButton;
class QSpinBox;

namespace tealdeck {

/// The replicas of one side of a new plan: those that its primary told of, and those that a person adds. A primary knows their addresses
/// and names, never the port on which they listen (PostgreSQL manual, pg_stat_replication: client_port is that of the connection).
class ReplicaList final : public QWidget {
    Q_OBJECT
  public:
    explicit ReplicaList(const QString& side, QWidget* parent = nullptr);
    /// found: an array of objects with name and address, as tealctl plan probe tells them. Whoever is in the list already stays as it is.
    void offer(const Json& found, const QString& primaryHost, int primaryPort);
    [[nodiscard]] std::vector<PlanDraft::Replica> chosen() const;
    /// What a chosen one still lacks; empty: nothing.
    [[nodiscard]] QString problem() const;

  signals:
    void changed();

  private:
    struct Row {
        QCheckBox* use;
        QLineEdit* host;
        QSpinBox* port; ///< 0: not known
        QLineEdit* zone;
        QString name;
    };
    void add(const QString& name, const QString& host, int port);
    [[nodiscard]] QString freeName(const QString& wanted) const;

    QString m_side;
    QGridLayout* m_grid;
    QLabel* m_head;
    QPushButton* m_another = nullptr;
    std::vector<Row> m_rows;
};

} // namespace tealdeck
