// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/console/notice_bar.h"

#include "widgets/theme/theme.h"

#include <QHBoxLayout>
#include <QLabel>
#include <QPushButton>

namespace tealdeck {

NoticeBar::NoticeBar(QWidget* parent) : QFrame(parent), m_text(plainLabel({})), m_buttons(new QHBoxLayout) {
    setProperty("panel", true);
    setAccessibleName(tr("Notice"));
    auto* layout = new QHBoxLayout(this);
    layout->setContentsMargins(spacing::MEDIUM, spacing::TINY, spacing::SMALL, spacing::TINY);
    m_text->setWordWrap(true);
    layout->addWidget(m_text, 1);
    layout->addLayout(m_buttons);
    hide();
}

void NoticeBar::tell(const QString& text, const std::vector<Choice>& choices) {
    while (QLayoutItem* item = m_buttons->takeAt(0)) {
        item->widget()->deleteLater();
        delete item;
    }
    m_text->setText(text);
    std::vector<Choice> all = choices;
    if (all.empty()) {
        all.push_back({tr("Dismiss"), {}});
    }
    for (const Choice& choice : all) {
        auto* button = new QPushButton(choice.text);
        button->setAccessibleName(choice.text);
        connect(button, &QPushButton::clicked, this, [this, act = choice.act] {
            hide();
            if (act) {
                act();
            }
        });
        m_buttons->addWidget(button);
    }
    setAccessibleDescription(text);
    show();
}

} // namespace tealdeck
