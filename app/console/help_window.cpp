// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/console/help_window.h"

#include "widgets/theme/theme.h"

#include <QFile>
#include <QHBoxLayout>
#include <QLineEdit>
#include <QListWidget>
#include <QSplitter>
#include <QTextBrowser>
#include <QVBoxLayout>

#include <algorithm>

static void loadHelp() {
    Q_INIT_RESOURCE(help);
} // lies in a library: it must be asked for, outside of any namespace

namespace tealdeck {
namespace {

constexpr const char* TOPIC = "tealdeckHelp";

QString textOf(const QString& topic) {
    loadHelp();
    QFile file(QStringLiteral(":/tealdeck/help/%1.md").arg(topic));
    return file.open(QIODevice::ReadOnly) ? QString::fromUtf8(file.readAll()) : QString();
}

QString titleOf(const QString& text) {
    return text.section('\n', 0, 0).remove(0, 2);
} // "# Title"

} // namespace

QStringList helpTopics() {
    return {QStringLiteral("start"),  QStringLiteral("window"), QStringLiteral("checklist"), QStringLiteral("moving-writes"),
            QStringLiteral("reads"),  QStringLiteral("alarms"), QStringLiteral("plan"),      QStringLiteral("practice"),
            QStringLiteral("replay"), QStringLiteral("trouble")};
}

QString helpTopicFor(const QWidget* focused) {
    for (; focused != nullptr; focused = focused->parentWidget()) {
        if (const QString topic = focused->property(TOPIC).toString(); !topic.isEmpty()) {
            return topic;
        }
    }
    return QStringLiteral("window");
}

void setHelpTopic(QWidget* widget, const char* topic) {
    widget->setProperty(TOPIC, QLatin1String(topic));
}

HelpWindow::HelpWindow(QWidget* parent)
    : QWidget(parent, Qt::Window), m_search(new QLineEdit), m_topics(new QListWidget), m_page(new QTextBrowser) {
    setWindowTitle(tr("Help – Tealdeck"));
    setAttribute(Qt::WA_DeleteOnClose);
    auto* layout = new QVBoxLayout(this);
    m_search->setPlaceholderText(tr("Search in all topics"));
    m_search->setAccessibleName(tr("Words to search for"));
    m_search->setClearButtonEnabled(true);
    layout->addWidget(m_search);
    auto* parts = new QSplitter;
    parts->setChildrenCollapsible(false);
    m_topics->setAccessibleName(tr("Topics"));
    m_page->setAccessibleName(tr("Text of the topic"));
    m_page->setOpenLinks(false);
    m_page->setTabChangesFocus(true);
    parts->addWidget(m_topics);
    parts->addWidget(m_page);
    parts->setStretchFactor(1, 1);
    layout->addWidget(parts, 1);
    for (const QString& topic : helpTopics()) {
        auto* item = new QListWidgetItem(titleOf(textOf(topic)), m_topics);
        item->setData(Qt::UserRole, topic);
    }
    connect(m_topics, &QListWidget::currentRowChanged, this, &HelpWindow::showChosen);
    connect(m_search, &QLineEdit::textChanged, this, &HelpWindow::filter);
    const int em = fontMetrics().height();
    m_topics->setMinimumWidth(em * 12);
    resize(em * 56, em * 40);
    showTopic(QStringLiteral("start"));
}

QString HelpWindow::topic() const {
    return m_topics->currentItem() != nullptr ? m_topics->currentItem()->data(Qt::UserRole).toString() : QString();
}

void HelpWindow::showTopic(const QString& topic) {
    m_topics->setCurrentRow(static_cast<int>(std::max<qsizetype>(0, helpTopics().indexOf(topic))));
}

void HelpWindow::showChosen() {
    m_page->setMarkdown(textOf(topic()));
}

void HelpWindow::filter(const QString& words) {
    const QStringList wanted = words.split(' ', Qt::SkipEmptyParts);
    int first = -1;
    for (int row = 0; row < m_topics->count(); ++row) {
        const QString text = textOf(m_topics->item(row)->data(Qt::UserRole).toString());
        const bool has =
            std::all_of(wanted.begin(), wanted.end(), [&](const QString& word) { return text.contains(word, Qt::CaseInsensitive); });
        m_topics->item(row)->setHidden(!has);
        first = has && first < 0 ? row : first;
    }
    if (first >= 0 && (m_topics->currentItem() == nullptr || m_topics->currentItem()->isHidden())) {
        m_topics->setCurrentRow(first);
    }
    if (!wanted.isEmpty()) {
        m_page->moveCursor(QTextCursor::Start);
        m_page->find(wanted.front());
    }
}

} // namespace tealdeck
