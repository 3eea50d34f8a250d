// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <QFrame>

#include <functional>
#include <vector>

class QHBoxLayout;
class QLabel;

namespace tealdeck {

/// One line under the phase rail with what has to be said and at most a few buttons: never a modal dialog while live.
class NoticeBar final : public QFrame {
    Q_OBJECT
  public:
    struct Choice {
        QString text;
        std::function<void()> act; ///< may be empty: only closes the notice
    };
    explicit NoticeBar(QWidget* parent = nullptr);
    void tell(const QString& text, const std::vector<Choice>& choices = {});

  private:
    QLabel* m_text;
    QHBoxLayout* m_buttons;
};

} // namespace tealdeck
