// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/console/replay_reports.h"

#include "app/console/replay_background.h"
#include "app/console/replay_pdf.h"
#include "core/recording/redact.h"
#include "core/review/report.h"
#include "widgets/theme/theme.h"

#include <QCheckBox>
#include <QLabel>
#include <QLineEdit>
#include <QPushButton>
#include <QVBoxLayout>

namespace tealdeck {

void makeReportBytes(QObject* owner, const QString& recording, const QString& format, std::function<void(QByteArray, QString)> done) {
    inBackground(
        owner, [file = recording.toStdString()] { return review::gatherReport({file, {}, {}}); },
        [format, done = std::move(done)](Result<review::ReportData> data) {
            if (!data) {
                done({}, safeText(data.error().text()));
                return;
            }
            const auto text = review::reportAs(*data, format.toStdString());
            done(text ? QByteArray::fromStdString(*text) : pdfOf(review::makeReport(*data)), {});
        });
}

ReplayRedact::ReplayRedact(QString recording, QWidget* parent)
    : QWidget(parent, Qt::Window), m_recording(std::move(recording)), m_words(new QLineEdit), m_said(plainLabel({})), m_write(new QPushButton(tr("&Write the copy…"))) {
    setAttribute(Qt::WA_DeleteOnClose);
    setWindowTitle(tr("A redacted copy – Tealdeck"));
    auto* layout = new QVBoxLayout(this);
    QLabel* what = plainLabel(tr("What is chosen is taken out of a copy. Numbers, times and kinds of records stay, and the copy verifies to the same hash."));
    what->setWordWrap(true);
    layout->addWidget(what);
    const std::tuple<RedactionClass, QString, bool> classes[] = {
        {RedactionClass::Hosts, tr("&Hosts: servers, addresses, where traffic goes"), true},
        {RedactionClass::Names, tr("&Names: deployment, databases, people"), true},
        {RedactionClass::Statements, tr("&Statements: text of SQL"), true},
        {RedactionClass::Values, tr("&Values: what was measured and checked"), false},
        {RedactionClass::Texts, tr("&Texts: notes, prompts, answers, reasons"), false}};
    for (const auto& [redaction, text, on] : classes) {
        auto* box = new QCheckBox(text);
        box->setChecked(on);
        box->setAccessibleName(QString(text).remove('&'));
        layout->addWidget(box);
        m_classes.emplace_back(box, redactionClassName(redaction));
    }
    QLabel* label = plainLabel(tr("&Words besides, with commas between them"));
    label->setBuddy(m_words);
    m_words->setAccessibleName(tr("Words that are taken out besides"));
    layout->addWidget(label);
    layout->addWidget(m_words);
    m_write->setAccessibleName(m_write->text().remove('&'));
    layout->addWidget(m_write);
    m_said->setWordWrap(true);
    m_said->setTextInteractionFlags(Qt::TextSelectableByMouse | Qt::TextSelectableByKeyboard);
    m_said->setAccessibleName(tr("What was taken out"));
    layout->addWidget(m_said, 1);
    resize(620, 460);
    connect(m_write, &QPushButton::clicked, this, &ReplayRedact::fileWanted);
}

QString ReplayRedact::said() const { return m_said->text(); }

void ReplayRedact::write(const QString& file) {
    std::set<RedactionClass> classes;
    for (const auto& [box, name] : m_classes) {
        if (box->isChecked()) {
            classes.insert(*redactionClassFromName(name));
        }
    }
    std::vector<std::string> words;
    for (const QString& word : m_words->text().split(',', Qt::SkipEmptyParts)) {
        words.push_back(word.trimmed().toStdString());
    }
    m_write->setEnabled(false);
    m_said->setText(tr("Writing …"));
    inBackground(
        this, [from = m_recording.toStdString(), to = file.toStdString(), classes, words] { return redactRecording(from, to, classes, words); },
        [this, file](const Result<RedactionReport>& report) {
            m_write->setEnabled(true);
            QStringList lines;
            for (const QString& line : QString::fromStdString(report ? redactionText(*report, file.toStdString()) : report.error().text()).split('\n', Qt::SkipEmptyParts)) {
                lines << safeText(line.toStdString());
            }
            m_said->setText((report ? QString() : QStringLiteral("✕ ")) + lines.join('\n'));
            emit written(report.ok());
        });
}

} // namespace tealdeck
