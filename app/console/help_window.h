// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <QString>
#include <QWidget>

class QLineEdit;
class QListWidget;
class QTextBrowser;

namespace tealdeck {

/// The help that comes with the program (resources/help), with search. Never modal, needs no network.
class HelpWindow final : public QWidget {
    Q_OBJECT
  public:
    explicit HelpWindow(QWidget* parent = nullptr);
    /// A topic by its file name without ".md", such as "checklist".
    void showTopic(const QString& topic);
    [[nodiscard]] QString topic() const;
    [[nodiscard]] QLineEdit* search() const { return m_search; }
    [[nodiscard]] QListWidget* topics() const { return m_topics; }
    [[nodiscard]] QTextBrowser* page() const { return m_page; }

  private:
    void filter(const QString& words);
    void showChosen();
    QLineEdit* m_search;
    QListWidget* m_topics;
    QTextBrowser* m_page;
};

/// Names of all topics in reading order.
QStringList helpTopics();
/// The topic that belongs to where the focus is: the nearest ancestor that names one with setHelpTopic(); "window" when none does.
QString helpTopicFor(const QWidget* focused);
void setHelpTopic(QWidget* widget, const char* topic);

} // namespace tealdeck
