// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include "widgets/facts/fact_model.h"

#include <QFrame>

class QLabel;

namespace tealdeck {

class ListTable;

/// A heading, a sentence, and a table of facts that can be copied: the sheet of a server, the numbers behind the plots, the costs.
class FactsPanel final : public QFrame {
    Q_OBJECT
  public:
    /// `name` is the table's accessible name; `empty` is said while there are no facts.
    FactsPanel(const QString& name, const QStringList& headers, QString empty, QWidget* parent = nullptr);
    /// `summary` stands above the table; may be empty.
    void show(const QString& summary, std::vector<Fact> facts);
    using QFrame::show;
    [[nodiscard]] FactModel& model() { return m_model; }

  protected:
    void resizeEvent(QResizeEvent* event) override;

  private:
    FactModel m_model;
    QString m_emptyText;
    QLabel* m_summary;
    ListTable* m_table;
};

} // namespace tealdeck
