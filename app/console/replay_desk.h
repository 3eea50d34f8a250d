// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include "app/console/replay_source.h"

#include <QListWidget>
#include <QObject>

#include <optional>
#include <utility>
#include <vector>

class QComboBox;
class QLineEdit;
class QPlainTextEdit;
class QTreeWidget;
class QWidget;

namespace tealdeck {

class ReplayBar;

/// What a replay window has besides the panels of a live one: the bar with the timeline, decision cards, the reviewers' notes, and the
/// difference to a reference moment. Nothing in it could reach an engine or a server.
class ReplayDesk final : public QObject {
    Q_OBJECT
  public:
    /// The file may be empty: then no note can be written.
    ReplayDesk(std::shared_ptr<ReplaySource> source, QString file, QString author, QObject* parent = nullptr);

    [[nodiscard]] ReplayBar* bar() const { return m_bar; }
    /// Pages for the foot of the window, with their titles.
    [[nodiscard]] std::vector<std::pair<QWidget*, QString>> pages() const;
    /// Word by word what the desk shows, for the tests.
    [[nodiscard]] QString cardText() const;
    [[nodiscard]] QString seenText() const;

    void setReference();
    void beginNote(bool span);
    /// In the background; what became of it is told, and the notes are shown anew. See app/console/replay_import.h.
    void importEvents(const QString& from, qint64 offsetMs);
    void importNotes(const QString& from);

  signals:
    void pageWanted(QWidget* page); ///< to be brought to the front
    void told(const QString& text);

  private:
    void makeCards();
    void makeSeen();
    void showSeen();
    void makeNotes();
    void makeDifference();
    void takeStudy();
    void follow();
    void showCard(int row);
    void showNotes();
    void showDifference();
    void addNote();
    void readNotes();
    void imported(const QString& became);

    std::shared_ptr<ReplaySource> m_source;
    QString m_file;
    QString m_author;
    ReplayBar* m_bar;
    QWidget* m_cardPage = nullptr;
    QListWidget* m_cards = nullptr;
    QPlainTextEdit* m_card = nullptr;
    QPlainTextEdit* m_seen = nullptr; ///< what stood before the operator's eyes
    QWidget* m_notePage = nullptr;
    QListWidget* m_notes = nullptr;
    QComboBox* m_kind = nullptr;
    QLineEdit* m_text = nullptr;
    QLineEdit* m_owner = nullptr;
    QTreeWidget* m_difference = nullptr;
    std::vector<ReviewNote> m_known;
    std::optional<std::int64_t> m_spanUs; ///< where a span that is being marked begins
    std::optional<std::pair<std::int64_t, Json>> m_reference;
};

} // namespace tealdeck
