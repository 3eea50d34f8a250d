// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include "widgets/models/event_model.h"

#include <QFrame>
#include <QSortFilterProxyModel>

class QComboBox;
class QLineEdit;
class QPushButton;

namespace tealdeck {

class ListTable;

/// By group and by words; the words must all occur.
class EventFilter final : public QSortFilterProxyModel {
    Q_OBJECT
  public:
    using QSortFilterProxyModel::QSortFilterProxyModel;
    void setGroup(EventGroup group);
    void setWords(const QString& words);

  protected:
    [[nodiscard]] bool filterAcceptsRow(int row, const QModelIndex& parent) const override;

  private:
    EventGroup m_group = EventGroup::Main;
    QStringList m_words;
};

/// What happened, newest at the foot, following the end until one scrolls up; with a line for a note when notes can be taken.
class EventPanel final : public QFrame {
    Q_OBJECT
  public:
    enum class Controls { None, Notes };
    EventPanel(EventModel* model, Controls controls, QWidget* parent = nullptr);
    void focusFilter();
    /// nullptr without controls.
    [[nodiscard]] QLineEdit* noteEntry() const { return m_note; }

  signals:
    void noteWritten(const QString& text);
    /// An event was opened: replay goes there.
    void momentChosen(qlonglong steadyUs);

  private:
    void makeFilter();
    void makeTable();
    void makeNotes();
    EventFilter m_filter;
    QComboBox* m_group = nullptr;
    QLineEdit* m_words = nullptr;
    ListTable* m_table = nullptr;
    QLineEdit* m_note = nullptr;
    bool m_follow = true; ///< the next rows scroll the list
};

} // namespace tealdeck
