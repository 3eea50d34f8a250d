// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/console/replay_compare.h"

#include "app/console/replay_background.h"
#include "app/console/replay_document.h"
#include "app/console/replay_pdf.h"
#include "widgets/theme/theme.h"

#include <QComboBox>
#include <QHBoxLayout>
#include <QLabel>
#include <QPushButton>
#include <QTextBrowser>
#include <QVBoxLayout>

namespace tealdeck {
namespace {

constexpr double PLOT_PART = 0.9; ///< of the window's width

} // namespace

ReplayCompare::ReplayCompare(QString first, QString second, QWidget* parent)
    : QWidget(parent, Qt::Window), m_first(std::move(first)), m_state(plainLabel({})), m_anchor(new QComboBox), m_text(new QTextBrowser) {
    setAttribute(Qt::WA_DeleteOnClose);
    setWindowTitle(tr("Two recordings – Tealdeck"));
    resize(1100, 900);
    auto* layout = new QVBoxLayout(this);
    auto* row = new QHBoxLayout;
    QLabel* label = plainLabel(tr("&Aligned on"));
    label->setBuddy(m_anchor);
    m_anchor->setAccessibleName(tr("Moment on which both are aligned"));
    m_anchor->setMinimumWidth(220);
    row->addWidget(label);
    row->addWidget(m_anchor);
    row->addStretch(1);
    for (const auto& [format, text] : {std::pair{"html", tr("Save as &HTML…")}, std::pair{"md", tr("Save as &Markdown…")}, std::pair{"pdf", tr("Save as &PDF…")}}) {
        auto* save = new QPushButton(text);
        save->setEnabled(false);
        save->setAccessibleName(QString(text).remove('&'));
        row->addWidget(save);
        m_saves.push_back(save);
        connect(save, &QPushButton::clicked, this, [this, format = QString::fromLatin1(format)] {
            emit saveWanted(format, [document = *m_document, format] {
                return format == QLatin1String("pdf")  ? pdfOf(document)
                       : format == QLatin1String("md") ? QByteArray::fromStdString(review::toMarkdown(document))
                                                       : QByteArray::fromStdString(review::toHtml(document));
            });
        });
    }
    m_state->setWordWrap(true);
    m_text->setAccessibleName(tr("Comparison of two recordings"));
    m_text->setOpenLinks(false);
    layout->addLayout(row);
    layout->addWidget(m_state);
    layout->addWidget(m_text, 1);
    connect(m_anchor, &QComboBox::currentIndexChanged, this, &ReplayCompare::showDocument);
    read(second);
}

void ReplayCompare::read(const QString& second) {
    m_state->setText(tr("Reading both recordings …"));
    inBackground(
        this,
        [first = m_first.toStdString(), second = second.toStdString()] {
            return std::pair(review::gatherReport({first, {}, {}}), review::gatherReport({second, {}, {}}));
        },
        [this](auto both) { take(std::move(both.first), std::move(both.second)); });
}

void ReplayCompare::take(Result<review::ReportData> first, Result<review::ReportData> second) {
    for (const Result<review::ReportData>* each : {&first, &second}) {
        if (!*each) {
            m_state->setText(QStringLiteral("✕ ") + safeText(each->error().text()));
            emit compared();
            return;
        }
    }
    m_data[0] = std::move(first).value();
    m_data[1] = std::move(second).value();
    offerAnchors();
    for (QPushButton* save : m_saves) {
        save->setEnabled(true);
    }
    showDocument();
}

/// What both have in common; the one that "tealctl recording compare" takes comes first.
void ReplayCompare::offerAnchors() {
    const QSignalBlocker quiet(m_anchor);
    m_anchor->clear();
    m_anchor->addItem(QString::fromLatin1(review::DEFAULT_ANCHOR));
    for (const std::string& anchor : review::commonAnchors(m_data[0]->measures, m_data[1]->measures)) {
        if (anchor != review::DEFAULT_ANCHOR) {
            m_anchor->addItem(safeText(anchor), QString::fromStdString(anchor));
        }
    }
}

void ReplayCompare::setAnchor(const QString& anchor) { m_anchor->setCurrentIndex(m_anchor->findText(anchor)); }

void ReplayCompare::showDocument() {
    if (!m_data[0] || !m_data[1]) {
        return;
    }
    const QVariant chosen = m_anchor->currentData();
    const std::string anchor = (chosen.isValid() ? chosen.toString() : m_anchor->currentText()).toStdString();
    m_document = review::makeComparison(*m_data[0], *m_data[1], anchor);
    m_state->setText(safeText(m_document->subtitle));
    m_text->document()->setDefaultFont(font());
    fillText(*m_text->document(), *m_document, PLOT_PART);
    emit compared();
}

} // namespace tealdeck
