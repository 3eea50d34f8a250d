// SPDX-License-Identifier: GPL-3.0-or-later
#include "widgets/checklist/checklist_panel.h"

#include "widgets/a11y/list_table.h"
#include "widgets/checklist/row_painter.h"
#include "widgets/status/confirm_control.h"
#include "widgets/theme/theme.h"

#include <QApplication>
#include <QClipboard>
#include <QHBoxLayout>
#include <QHeaderView>
#include <QLabel>
#include <QLineEdit>
#include <QPlainTextEdit>
#include <QScrollArea>
#include <QSplitter>
#include <QVBoxLayout>

namespace tealdeck {
namespace {

/// The answer under its question: what is there, and what should be when that differs.
QString answerLine(const QString& actual, const QString& expected) {
    if (actual == QLatin1String("as expected")) {
        return QCoreApplication::translate("ChecklistPanel", "as expected: %1").arg(expected);
    }
    return actual == expected ? actual : QCoreApplication::translate("ChecklistPanel", "%1 · expected: %2").arg(actual, expected);
}

RowPainter::Look lookOf(const QModelIndex& index, const Tokens& t) {
    RowPainter::Look look;
    const auto standing = static_cast<CheckStanding>(index.data(CheckModel::StandingRole).toInt());
    const bool state = index.column() == CheckModel::State;
    look.strong = state && standsInTheWay(standing);
    look.hatched = index.column() == CheckModel::Actual && (standing == CheckStanding::Unknown || standing == CheckStanding::Stale);
    if (state) {
        look.ink = standing == CheckStanding::Fails ? t.high : standsInTheWay(standing) || standing == CheckStanding::Warns ? t.medium : t.muted;
    } else if (standing == CheckStanding::Passes) {
        look.ink = t.muted;
    }
    if (index.column() == CheckModel::Question) {
        const QString actual = index.siblingAtColumn(CheckModel::Actual).data().toString();
        const QString expected = index.siblingAtColumn(CheckModel::Expected).data().toString();
        look.second = answerLine(actual, expected);
    }
    return look;
}

} // namespace

ChecklistPanel::ChecklistPanel(const Clock& clock, Controls controls, QWidget* parent) : QFrame(parent), m_heading(headingLabel(tr("CHECKLIST"))) {
    setProperty("panel", true);
    if (controls == Controls::Full) {
        m_confirm = new ConfirmControl(clock, this);
    }
    auto* layout = new QVBoxLayout(this);
    layout->setContentsMargins(spacing::SMALL, spacing::SMALL, spacing::TINY, spacing::TINY);
    layout->setSpacing(spacing::TINY);
    m_heading->setWordWrap(true);
    layout->addWidget(m_heading);
    makeTable();
    makeSheet(clock);
    auto* splitter = new QSplitter(Qt::Vertical);
    splitter->setChildrenCollapsible(false);
    splitter->addWidget(m_table);
    splitter->addWidget(m_sheet);
    splitter->setStretchFactor(0, 3);
    splitter->setStretchFactor(1, 2);
    layout->addWidget(splitter, 1);
    m_sheet->hide();
    if (m_confirm != nullptr) {
        m_confirm->setRefuge(this, m_table);
    }
}

void ChecklistPanel::makeTable() {
    m_table = new ListTable(tr("Checklist"));
    m_table->setModel(&m_model);
    m_table->setItemDelegate(new RowPainter(lookOf, m_table));
    m_table->setSelectionMode(QAbstractItemView::SingleSelection);
    m_table->setObjectName(QStringLiteral("checklistTable"));
    m_table->horizontalHeader()->setStretchLastSection(false);
    m_table->setMinimumHeight(fontMetrics().height() * 6);
    connect(m_table->selectionModel(), &QItemSelectionModel::currentRowChanged, this, [this](const QModelIndex& current) {
        m_chosenId = current.data(CheckModel::IdRole).toString().toStdString();
        showSheet();
    });
}

void ChecklistPanel::resizeEvent(QResizeEvent* event) {
    QFrame::resizeEvent(event);
    // In a narrow panel the answer stands under the question; what is cut is whole in the sheet below and in the tooltip.
    const int em = fontMetrics().height();
    const int across = m_table->width() - em;
    const int state = em * 6;
    const int age = em * 3;
    const bool wide = across > em * 40;
    const int who = wide ? em * 5 : 0;
    const int rest = std::max(em * 6, across - state - age - who);
    for (const int column : {CheckModel::Who, CheckModel::Expected, CheckModel::Actual}) {
        m_table->setColumnHidden(column, !wide);
    }
    m_table->verticalHeader()->setDefaultSectionSize(wide ? em + 8 : em * 2 + 8);
    m_table->setColumnWidth(CheckModel::State, state);
    m_table->setColumnWidth(CheckModel::Question, wide ? rest * 48 / 100 : rest);
    m_table->setColumnWidth(CheckModel::Expected, rest * 26 / 100);
    m_table->setColumnWidth(CheckModel::Actual, rest * 26 / 100);
    m_table->setColumnWidth(CheckModel::Age, age);
    m_table->setColumnWidth(CheckModel::Who, who);
}

void ChecklistPanel::makeSheet(const Clock&) {
    auto* scroll = new QScrollArea;
    scroll->setWidgetResizable(true);
    scroll->setFocusPolicy(Qt::NoFocus);
    scroll->setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    auto* page = new QWidget;
    auto* layout = new QVBoxLayout(page);
    layout->setContentsMargins(0, spacing::TINY, spacing::TINY, 0);
    layout->setSpacing(spacing::TINY);
    m_question = plainLabel({});
    m_question->setWordWrap(true);
    m_question->setStyleSheet(QStringLiteral("font-weight: 600"));
    m_text = plainLabel({});
    m_text->setWordWrap(true);
    m_text->setTextInteractionFlags(Qt::TextSelectableByMouse);
    m_fix = new QPlainTextEdit;
    m_fix->setReadOnly(true);
    m_fix->setAccessibleName(tr("How to fix it"));
    m_fix->setTabChangesFocus(true);
    m_fix->setFont(QFont(QStringLiteral("DejaVu Sans Mono"), font().pointSize()));
    m_fix->setMaximumHeight(fontMetrics().height() * 5);
    m_copy = new QPushButton(tr("Copy SQL"));
    m_copy->setAccessibleName(tr("Copy the fix"));
    m_copyAll = new QPushButton(tr("Copy this sheet"));
    m_copyAll->setAccessibleName(tr("Copy question, answer, reason and source as text"));
    connect(m_copyAll, &QPushButton::clicked, this, [this] { QApplication::clipboard()->setText(m_question->text() + '\n' + m_text->text()); });
    connect(m_copy, &QPushButton::clicked, this, [this] { QApplication::clipboard()->setText(m_fix->toPlainText()); });
    for (QWidget* widget : {static_cast<QWidget*>(m_question), static_cast<QWidget*>(m_text), static_cast<QWidget*>(m_fix)}) {
        layout->addWidget(widget);
    }
    auto* copies = new QHBoxLayout;
    copies->addWidget(m_copy);
    copies->addWidget(m_copyAll);
    copies->addStretch(1);
    layout->addLayout(copies);
    if (m_confirm != nullptr) {
        addSignOff(layout);
        layout->addWidget(m_confirm->armButton());
        layout->addWidget(m_confirm->status());
        layout->addSpacing(spacing::LARGE);
        layout->addWidget(m_confirm->form());
        layout->addSpacing(spacing::LARGE);
        layout->addWidget(m_confirm->holdButton());
        layout->addWidget(m_confirm->typed());
        connect(m_confirm, &ConfirmControl::confirmed, this, [this](CommandKind, const QString& typed, const QString& reason) {
            emit overrideRequested({{"check", m_chosenId}, {"reason", reason.toStdString()}, {"typed", typed.toStdString()}});
        });
    }
    layout->addStretch(1);
    scroll->setWidget(page);
    scroll->viewport()->setAutoFillBackground(false);
    page->setAutoFillBackground(false);
    m_sheet = scroll;
}

void ChecklistPanel::addSignOff(QVBoxLayout* layout) {
    m_signOff = new QWidget;
    auto* row = new QVBoxLayout(m_signOff);
    row->setContentsMargins(0, 0, 0, 0);
    m_signReason = new QLineEdit;
    m_signReason->setAccessibleName(tr("What you saw"));
    m_signReason->setPlaceholderText(tr("What you saw (kept in the recording)"));
    m_signReason->setMaxLength(500);
    m_sign = new QPushButton(tr("Sign off: it is so"));
    m_sign->setAccessibleName(tr("Sign this item off under your name"));
    row->addWidget(m_signReason);
    row->addWidget(m_sign);
    layout->addWidget(m_signOff);
    connect(m_signReason, &QLineEdit::textChanged, this, &ChecklistPanel::updateSignOff);
    connect(m_sign, &QPushButton::clicked, this, [this] {
        emit signOffRequested({{"item", m_chosenId.substr(m_chosenId.find('/') + 1)}, {"reason", m_signReason->text().trimmed().toStdString()}});
        m_signReason->clear();
    });
}

void ChecklistPanel::updateSignOff() {
    if (m_signOff == nullptr) {
        return;
    }
    const CheckState* check = chosen();
    m_signOff->setVisible(check != nullptr && check->family == "manual");
    const auto reasons = whyNot(m_snapshot, CommandKind::SignOff, m_now.steadyUs);
    const QString reason = !reasons.empty() ? safeText(reasons.front()) : m_signReason->text().trimmed().isEmpty() ? tr("Write first what you saw.") : QString();
    m_sign->setEnabled(reason.isEmpty());
    m_sign->setToolTip(tooltipText(reason.isEmpty() ? tr("Confirms this item under your name; it stays in the recording.") : reason));
    m_sign->setAccessibleDescription(reason);
}

const CheckState* ChecklistPanel::chosen() const { return m_chosenId.empty() ? nullptr : m_model.check(m_model.rowOf(m_chosenId)); }

void ChecklistPanel::update(const Snapshot& snapshot, const ViewTime& now) {
    const bool due = snapshot.gateSeq != m_snapshot.gateSeq || snapshot.checks.size() != m_snapshot.checks.size() || snapshot.seq < m_shownSeq ||
                     now.steadyUs - m_shownUs > 500'000 || now.steadyUs < m_shownUs;
    m_snapshot = snapshot;
    m_now = now;
    if (!due) {
        return; // hundreds of checks are compared: twice a second is enough for ages
    }
    m_shownUs = now.steadyUs;
    m_shownSeq = snapshot.seq;
    m_model.update(snapshot.checks, now.steadyUs);
    m_heading->setText(tr("CHECKLIST · %1").arg(m_model.summary()));
    showSheet();
}

QString ChecklistPanel::fixes() const {
    QStringList parts;
    for (int row = 0; row < m_model.rowCount(); ++row) {
        const CheckState& check = *m_model.check(row);
        if (standingOf(check, m_now.steadyUs) != CheckStanding::Passes && !check.fix.empty()) {
            parts << QStringLiteral("-- %1: %2\n%3\n").arg(safeText(check.id), safeText(check.question), QString::fromStdString(check.fix));
        }
    }
    return parts.join('\n');
}

void ChecklistPanel::showSheet() {
    const CheckState* check = chosen();
    m_sheet->setVisible(check != nullptr);
    if (check == nullptr) {
        return;
    }
    const CheckStanding standing = standingOf(*check, m_now.steadyUs);
    m_question->setText(QStringLiteral("%1 %2 · %3").arg(standingMark(standing), standingWord(standing), safeText(check->question)));
    QStringList lines;
    lines << tr("Expected: %1").arg(safeText(check->expected)) << tr("Actual: %1").arg(check->actual.empty() ? unknownMark() : safeText(check->actual));
    if (!check->why.empty()) {
        lines << tr("Why: %1").arg(safeText(check->why));
    }
    if (!check->source.empty()) {
        lines << tr("Source: %1").arg(safeText(check->source));
    }
    lines << tr("%1, %2, asked %3 ago").arg(QString::fromStdString(check->id), QString::fromLatin1(severityName(check->severity)), formatAge(m_now.steadyUs - check->evaluatedUs));
    if (!check->overrideBy.empty()) {
        lines << tr("⊘ Overridden by %1: %2").arg(safeText(check->overrideBy), safeText(check->overrideReason));
    }
    m_text->setText(lines.join('\n'));
    // A remedy beside what is well would invite to do it.
    const QString fix = standing == CheckStanding::Passes ? QString() : QString::fromStdString(check->fix);
    m_fix->setVisible(!fix.isEmpty());
    m_copy->setVisible(!fix.isEmpty());
    if (m_fix->toPlainText() != fix) {
        m_fix->setPlainText(fix);
    }
    updateSignOff();
    updateOverride();
}

void ChecklistPanel::updateOverride() {
    if (m_confirm == nullptr) {
        return;
    }
    const CheckState* check = chosen();
    const PhaseRule* rule = findRule(m_snapshot.phase, CommandKind::Override);
    const bool blocks = check != nullptr && check->family != "manual" && isBlocking(*check, m_now.steadyUs);
    for (QWidget* widget : {static_cast<QWidget*>(m_confirm->armButton()), static_cast<QWidget*>(m_confirm->holdButton())}) {
        widget->setVisible(blocks);
    }
    QStringList why;
    for (const std::string& reason : whyNot(m_snapshot, CommandKind::Override, m_now.steadyUs)) {
        why << safeText(reason);
    }
    const QString id = check != nullptr ? safeText(check->id) : QString();
    m_confirm->setAct({CommandKind::Override, rule != nullptr ? rule->confirmation : Confirmation::ArmHoldAndType, tr("Override %1").arg(id),
                       tr("Takes the responsibility for “%1” under your name. It stays visible everywhere.").arg(id), why, safeText(m_snapshot.session.deployment), m_snapshot.gateSeq});
    if (!blocks) {
        m_confirm->disarm();
        m_confirm->holdButton()->hide();
        m_confirm->form()->hide();
    }
}

} // namespace tealdeck
