// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/console/replay_desk.h"

#include "app/console/replay_background.h"
#include "app/console/replay_import.h"
#include "core/review/seen.h"
#include "core/review/times.h"
#include "core/util/clock.h"
#include "widgets/theme/format.h"
#include "widgets/theme/theme.h"
#include "widgets/timeline/replay_bar.h"

#include <QComboBox>
#include <QHBoxLayout>
#include <QHeaderView>
#include <QLineEdit>
#include <QPlainTextEdit>
#include <QPushButton>
#include <QTreeWidget>
#include <QVBoxLayout>

#include <algorithm>

namespace tealdeck {
namespace {

constexpr int MOST_ROWS = 2000;

QWidget* page(QLayout* layout) {
    auto* made = new QFrame;
    made->setProperty("panel", true);
    made->setLayout(layout);
    return made;
}

QString cardOf(const review::Decision& d) {
    QStringList lines;
    lines << QObject::tr("%1: %2").arg(safeText(d.who), safeText(d.what));
    lines << QObject::tr("Answered  %1 UTC · %2 · %3")
                 .arg(formatUtcMillis(d.answered.wallUs),
                      safeText(review::localTime(d.answered.wallUs) + " " + review::zoneName(d.answered.wallUs)),
                      formatPosition(d.answered.steadyUs));
    lines << (d.prompted ? QObject::tr("Asked     %1 UTC, %2 before")
                               .arg(formatUtcMillis(d.asked.wallUs),
                                    formatSeconds(review::msBetween(d.asked.steadyUs, d.answered.steadyUs) / 1000))
                         : QObject::tr("Asked     not recorded"));
    lines << (d.prompted ? QObject::tr("Shown     “%1”").arg(safeText(d.prompt)) : QObject::tr("Shown     not recorded"));
    lines << QObject::tr("Outcome   %1").arg(d.accepted ? QObject::tr("accepted") : QObject::tr("refused: %1").arg(safeText(d.reply)));
    lines << QObject::tr("Reason    %1").arg(d.reason.empty() ? QObject::tr("none given") : safeText(d.reason));
    lines << QString() << QObject::tr("What was known:");
    for (const std::string& line : d.evidence) {
        lines << QStringLiteral("  · ") + safeText(line);
    }
    return lines.join('\n');
}

/// Each value with the way to it; lists by their members' names where they have one.
void flatten(const Json& json, const std::string& path, std::map<std::string, std::string>& into) {
    if (static_cast<int>(into.size()) > 50 * MOST_ROWS) {
        return;
    }
    if (json.is_object()) {
        for (const auto& [key, value] : json.items()) {
            flatten(value, path.empty() ? key : path + " › " + key, into);
        }
    } else if (json.is_array()) {
        for (std::size_t i = 0; i < json.size(); ++i) {
            const std::string name = member<std::string>(json[i], "id", member<std::string>(json[i], "name", std::to_string(i + 1)));
            flatten(json[i], path + " › " + name, into);
        }
    } else {
        into[path] = json.is_string() ? json.get<std::string>() : dumpJson(json);
    }
}

} // namespace

ReplayDesk::ReplayDesk(std::shared_ptr<ReplaySource> source, QString file, QString author, QObject* parent)
    : QObject(parent), m_source(std::move(source)), m_file(std::move(file)), m_author(std::move(author)), m_bar(new ReplayBar) {
    makeCards();
    makeSeen();
    makeNotes();
    makeDifference();
    ReplaySource* replay = m_source.get();
    connect(m_bar, &ReplayBar::seekRequested, replay, [replay](qlonglong timeUs) { replay->seek(timeUs); });
    connect(m_bar, &ReplayBar::playRequested, replay, &ReplaySource::setPlaying);
    connect(m_bar, &ReplayBar::speedRequested, replay, &ReplaySource::setSpeed);
    connect(m_bar, &ReplayBar::loopRequested, replay, &ReplaySource::setLoop);
    connect(m_bar, &ReplayBar::skipIdleRequested, replay, &ReplaySource::setSkipIdle);
    connect(m_bar->scrubber(), &Scrubber::noteRequested, this, [this] { beginNote(false); });
    connect(m_bar->scrubber(), &Scrubber::spanRequested, this, [this] { beginNote(true); });
    connect(m_bar->scrubber(), &Scrubber::referenceRequested, this, &ReplayDesk::setReference);
    connect(replay, &ReplaySource::playingChanged, m_bar, &ReplayBar::setPlaying);
    connect(replay, &ReplaySource::moved, this, &ReplayDesk::follow);
    connect(replay, &ReplaySource::studied, this, &ReplayDesk::takeStudy);
    takeStudy();
}

std::vector<std::pair<QWidget*, QString>> ReplayDesk::pages() const {
    return {{m_cardPage, tr("Decisions")}, {m_seen, tr("Operator saw")}, {m_notePage, tr("Notes")}, {m_difference, tr("Reference")}};
}

QString ReplayDesk::cardText() const {
    return m_card->toPlainText();
}

QString ReplayDesk::seenText() const { return m_seen->toPlainText(); }

void ReplayDesk::makeSeen() {
    m_seen = new QPlainTextEdit;
    m_seen->setReadOnly(true);
    m_seen->setProperty("panel", true);
    m_seen->setAccessibleName(tr("What the operator saw at this moment"));
    m_seen->setPlaceholderText(tr("No console had told what it showed until now. The panels show what was known."));
}

/// Page, prompt and hold; the panels round it show the rest of what was on the screen.
void ReplayDesk::showSeen() {
    QStringList lines;
    for (const std::string& line : review::shownAt(m_source->study()->measures.seen, m_source->positionUs())) {
        lines << safeText(line);
    }
    const QString text = lines.join('\n');
    if (text != m_seen->toPlainText()) {
        m_seen->setPlainText(text);
    }
}

void ReplayDesk::makeCards() {
    auto* layout = new QHBoxLayout;
    m_cards = new QListWidget;
    m_cards->setAccessibleName(tr("Decisions"));
    m_card = new QPlainTextEdit;
    m_card->setReadOnly(true);
    m_card->setAccessibleName(tr("The chosen decision"));
    m_card->setPlaceholderText(tr("Nobody has decided anything yet."));
    layout->addWidget(m_cards, 1);
    layout->addWidget(m_card, 2);
    m_cardPage = page(layout);
    connect(m_cards, &QListWidget::currentRowChanged, this, &ReplayDesk::showCard);
    connect(m_cards, &QListWidget::itemActivated, this,
            [this](QListWidgetItem* item) { m_source->seek(item->data(Qt::UserRole).toLongLong()); });
}

void ReplayDesk::makeNotes() {
    auto* layout = new QVBoxLayout;
    m_notes = new QListWidget;
    m_notes->setAccessibleName(tr("Notes of the reviewers"));
    auto* row = new QHBoxLayout;
    m_kind = new QComboBox;
    m_kind->setAccessibleName(tr("Kind of the note"));
    const std::pair<const char*, QString> kinds[] = {
        {"fact", tr("Fact")}, {"hypothesis", tr("Hypothesis")}, {"action", tr("Action item")}, {"bookmark", tr("Bookmark")}};
    for (const auto& [id, text] : kinds) {
        m_kind->addItem(text, QString::fromLatin1(id));
    }
    m_text = new QLineEdit;
    m_text->setMaxLength(1000);
    m_text->setAccessibleName(tr("Text of the note"));
    m_text->setPlaceholderText(m_file.isEmpty()
                                   ? tr("This recording has no file to write notes beside.")
                                   : tr("Note at this moment (M), or for a span (Shift+M at its beginning and end); Enter keeps it"));
    m_owner = new QLineEdit;
    m_owner->setMaxLength(60);
    m_owner->setAccessibleName(tr("Owner of the action item"));
    m_owner->setPlaceholderText(tr("Owner"));
    for (QWidget* widget : std::initializer_list<QWidget*>{m_kind, m_text, m_owner}) {
        widget->setEnabled(!m_file.isEmpty());
        row->addWidget(widget, widget == m_text ? 4 : 1);
    }
    layout->addWidget(m_notes);
    layout->addLayout(row);
    m_notePage = page(layout);
    connect(m_text, &QLineEdit::returnPressed, this, &ReplayDesk::addNote);
    connect(m_notes, &QListWidget::itemActivated, this,
            [this](QListWidgetItem* item) { m_source->seek(item->data(Qt::UserRole).toLongLong()); });
}

void ReplayDesk::makeDifference() {
    m_difference = new QTreeWidget;
    m_difference->setAccessibleName(tr("What is different from the reference moment"));
    m_difference->setHeaderLabels({tr("Field"), tr("At the reference"), tr("Now")});
    m_difference->setRootIsDecorated(false);
    m_difference->header()->setSectionResizeMode(QHeaderView::ResizeToContents);
    m_difference->addTopLevelItem(
        new QTreeWidgetItem({tr("Press R at a moment; then everything that is different elsewhere stands here."), {}, {}}));
}

void ReplayDesk::takeStudy() {
    const ReplayStudy& study = *m_source->study();
    m_bar->setData(study.timeline);
    m_known = study.notes;
    m_cards->clear();
    for (const review::Decision& decision : study.measures.decisions.items) {
        if (m_cards->count() == MOST_ROWS) {
            break;
        }
        auto* item = new QListWidgetItem(QStringLiteral("%1  %2: %3%4")
                                             .arg(formatUtcTime(decision.answered.wallUs), safeText(decision.who), safeText(decision.what),
                                                  decision.accepted ? QString() : tr(" (refused)")),
                                         m_cards);
        item->setData(Qt::UserRole, QVariant::fromValue<qlonglong>(decision.answered.steadyUs));
    }
    showNotes();
    if (!study.notesRemark.empty()) {
        emit told(safeText(study.notesRemark));
    }
    follow();
}

/// The card of the last decision up to now.
void ReplayDesk::follow() {
    m_bar->setPosition(m_source->positionUs(), m_source->wallUs());
    const auto& decisions = m_source->study()->measures.decisions.items;
    const auto after = std::upper_bound(decisions.begin(), decisions.end(), m_source->positionUs(),
                                        [](std::int64_t t, const review::Decision& d) { return t < d.answered.steadyUs; });
    const int row = std::min(static_cast<int>(after - decisions.begin()), m_cards->count()) - 1;
    if (row != m_cards->currentRow() && !m_cards->hasFocus()) {
        m_cards->setCurrentRow(row);
    }
    showSeen();
    if (m_reference && m_difference->isVisible() && !m_source->playing()) {
        showDifference();
    }
}

void ReplayDesk::showCard(int row) {
    const auto& decisions = m_source->study()->measures.decisions.items;
    const bool there = row >= 0 && static_cast<std::size_t>(row) < decisions.size();
    m_card->setPlainText(there ? cardOf(decisions[static_cast<std::size_t>(row)]) : QString());
}

void ReplayDesk::showNotes() {
    m_notes->clear();
    for (const ReviewNote& note : m_known) {
        const QString span = note.toUs > note.fromUs ? QStringLiteral(" – ") + formatPosition(note.toUs) : QString();
        const QString owner = note.owner.empty() ? QString() : tr(" (owner: %1)").arg(safeText(note.owner));
        auto* item =
            new QListWidgetItem(QStringLiteral("%1%2  %3%4  %5: %6%7")
                                    .arg(formatPosition(note.fromUs), span, safeText(note.kind),
                                         note.conflict ? tr(" CONFLICT") : QString(), safeText(note.author), safeText(note.text), owner),
                                m_notes);
        item->setData(Qt::UserRole, QVariant::fromValue<qlonglong>(note.fromUs));
    }
}

void ReplayDesk::setReference() {
    m_reference = {m_source->positionUs(), toJson(m_source->archive().snapshotAfter(m_source->count()))};
    m_bar->scrubber()->setReference(m_reference->first);
    emit pageWanted(m_difference);
    showDifference();
}

void ReplayDesk::showDifference() {
    std::map<std::string, std::string> before;
    std::map<std::string, std::string> now;
    flatten(m_reference->second, "", before);
    flatten(toJson(m_source->archive().snapshotAfter(m_source->count())), "", now);
    QList<QTreeWidgetItem*> rows;
    const auto add = [&](const std::string& path, const std::string& then, const std::string& is) {
        if (rows.size() < MOST_ROWS) {
            rows << new QTreeWidgetItem({safeText(path), safeText(then), safeText(is)});
        }
    };
    for (const auto& [path, value] : before) {
        const auto other = now.find(path);
        if (other == now.end() || other->second != value) {
            add(path, value, other == now.end() ? "–" : other->second);
        }
    }
    for (const auto& [path, value] : now) {
        if (before.count(path) == 0) {
            add(path, "–", value);
        }
    }
    if (rows.isEmpty()) {
        rows << new QTreeWidgetItem({tr("Nothing is different: this is the reference moment, or nothing happened since."), {}, {}});
    }
    m_difference->clear();
    m_difference->addTopLevelItems(rows);
}

void ReplayDesk::beginNote(bool span) {
    if (span && !m_spanUs) {
        m_spanUs = m_source->positionUs();
        m_bar->scrubber()->setSpan(m_spanUs);
        emit told(tr("The span begins at %1. Go to its end and press Shift+M or M.").arg(formatPosition(*m_spanUs)));
        return;
    }
    m_source->setPlaying(false);
    emit pageWanted(m_notePage);
    m_text->setFocus(Qt::ShortcutFocusReason);
}

void ReplayDesk::addNote() {
    ReviewNote note;
    note.kind = m_kind->currentData().toString().toStdString();
    note.toUs = m_source->positionUs();
    note.fromUs = std::min(note.toUs, m_spanUs.value_or(note.toUs));
    note.toUs = std::max(note.toUs, m_spanUs.value_or(note.toUs));
    note.author = m_author.toStdString();
    note.writtenWallUs = Clock::system().wallUs();
    note.text = m_text->text().trimmed().toStdString();
    note.owner = m_owner->text().trimmed().toStdString();
    const std::filesystem::path notes = notesFileOf(m_file.toStdString());
    const Status added = appendNotes(notes, m_source->study()->binding, {note});
    if (!added) {
        emit told(safeText(added.error().text()));
        return;
    }
    m_spanUs.reset();
    m_bar->scrubber()->setSpan({});
    m_text->clear();
    m_owner->clear();
    readNotes();
    m_bar->scrubber()->setFocus(Qt::OtherFocusReason);
}

void ReplayDesk::readNotes() {
    if (const Result<NotesFile> all = readNotesFile(notesFileOf(m_file.toStdString()))) {
        m_known = all->current();
        TimelineData timeline = m_source->study()->timeline;
        takeNotes(timeline, m_known);
        m_bar->setData(std::move(timeline));
    }
    showNotes();
}

void ReplayDesk::importEvents(const QString& from, qint64 offsetMs) {
    inBackground(
        this, [file = m_file, from, offsetMs] { return importEventsOfOthers(file, from, offsetMs); }, [this](const QString& became) { imported(became); });
}

void ReplayDesk::importNotes(const QString& from) {
    inBackground(
        this, [file = m_file, from] { return importNotesOfOthers(file, from); }, [this](const QString& became) { imported(became); });
}

void ReplayDesk::imported(const QString& became) {
    readNotes();
    emit told(became);
}

} // namespace tealdeck
