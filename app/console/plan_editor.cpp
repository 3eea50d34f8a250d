// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/console/plan_editor.h"

#include "app/console/exporter.h"
#include "app/console/plan_draft.h"
#include "widgets/theme/theme.h"

#include <QFileDialog>
#include <QFontDatabase>
#include <QHBoxLayout>
#include <QLabel>
#include <QPlainTextEdit>
#include <QPushButton>
#include <QTextBlock>
#include <QTimer>
#include <QVBoxLayout>

#include <utility>

namespace tealdeck {

PlanEditor::PlanEditor(QWidget* parent)
    : QWidget(parent), m_text(new QPlainTextEdit), m_status(plainLabel({})), m_goTo(new QPushButton(tr("Go to the line"))),
      m_save(new QPushButton(tr("Save…"))), m_open(new QPushButton(tr("Save and open"))), m_later(new QTimer(this)) {
    auto* layout = new QVBoxLayout(this);
    layout->setContentsMargins(0, 0, 0, 0);
    m_text->setAccessibleName(tr("Text of the plan"));
    m_text->setTabChangesFocus(true);
    m_text->setLineWrapMode(QPlainTextEdit::NoWrap);
    QFont mono = QFontDatabase::systemFont(QFontDatabase::FixedFont);
    mono.setPointSizeF(font().pointSizeF());
    m_text->setFont(mono);
    layout->addWidget(m_text, 1);
    m_status->setWordWrap(true);
    m_status->setTextInteractionFlags(Qt::TextSelectableByMouse);
    layout->addWidget(m_status);
    auto* row = new QHBoxLayout;
    for (QPushButton* button : {m_goTo, m_save, m_open}) {
        button->setAccessibleName(button->text());
        row->addWidget(button);
    }
    row->insertStretch(1, 1);
    m_open->setProperty("primary", true);
    layout->addLayout(row);
    m_later->setSingleShot(true);
    m_later->setInterval(150); // not at every key
    connect(m_later, &QTimer::timeout, this, &PlanEditor::check);
    connect(m_text, &QPlainTextEdit::textChanged, m_later, qOverload<>(&QTimer::start));
    connect(m_goTo, &QPushButton::clicked, this, [this] {
        m_text->setTextCursor(QTextCursor(m_text->document()->findBlockByNumber(std::max(0, m_line - 1))));
        m_text->setFocus();
    });
    connect(m_save, &QPushButton::clicked, this, [this] {
        m_openAfterwards = false;
        save(true);
    });
    connect(m_open, &QPushButton::clicked, this, [this] {
        m_openAfterwards = true;
        save(m_file.isEmpty());
    });
    check();
}

void PlanEditor::setText(const QString& text, const QString& file) {
    m_file = file;
    m_saved = file.isEmpty() ? QString() : text;
    m_text->setPlainText(text);
    check();
}

QString PlanEditor::text() const {
    return m_text->toPlainText();
}

void PlanEditor::check() {
    const PlanProblem problem = checkPlanText(text(), m_file);
    m_problem = problem.text;
    m_line = problem.line;
    QPalette colours = palette();
    colours.setColor(QPalette::WindowText, problem.ok() ? colours.color(QPalette::WindowText) : tokensFor(palette()).high);
    m_status->setPalette(colours);
    m_status->setText(problem.ok()       ? tr("✓ This is a plan. Whether the servers agree is what the checklist asks afterwards.")
                      : problem.line > 0 ? tr("✕ Line %1").arg(problem.text)
                                         : QStringLiteral("✕ ") + problem.text);
    m_goTo->setVisible(problem.line > 0);
    m_open->setEnabled(problem.ok());
    m_open->setToolTip(problem.ok() ? QString() : tooltipText(problem.text));
    m_open->setAccessibleDescription(problem.text);
    m_text->setAccessibleDescription(m_status->text());
}

QString PlanEditor::saveAs(const QString& file) {
    const QString reason = Exporter::write(file, text().toUtf8());
    if (reason.isEmpty()) {
        m_file = file;
        m_saved = text();
        check(); // relative paths are taken from its folder
        emit saved(file);
        if (std::exchange(m_openAfterwards, false)) {
            emit openWanted(file);
        }
    } else {
        m_status->setText(QStringLiteral("✕ ") + reason);
    }
    return reason;
}

void PlanEditor::save(bool askForName) {
    if (!askForName) {
        saveAs(m_file);
        return;
    }
    auto* dialog =
        new QFileDialog(this, tr("Save the plan"), m_file.isEmpty() ? QStringLiteral("plan.toml") : m_file, tr("Plans (*.toml)"));
    dialog->setAttribute(Qt::WA_DeleteOnClose);
    dialog->setAcceptMode(QFileDialog::AcceptSave);
    dialog->setDefaultSuffix(QStringLiteral("toml"));
    dialog->setModal(false);
    connect(dialog, &QFileDialog::fileSelected, this, &PlanEditor::saveAs);
    dialog->show();
}

} // namespace tealdeck
