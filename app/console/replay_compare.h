// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include "core/review/compare.h"

#include <QWidget>

#include <functional>
#include <optional>
#include <vector>

class QComboBox;
class QLabel;
class QPushButton;
class QTextBrowser;

namespace tealdeck {

/// Two recordings beside one another in a window of its own, aligned on an anchor: what "tealctl recording compare" writes, from the same
/// function, to be read, saved as HTML and Markdown, and printed as PDF.
class ReplayCompare final : public QWidget {
    Q_OBJECT
  public:
    ReplayCompare(QString first, QString second, QWidget* parent = nullptr);
    /// Word by word what is shown; nothing until both are read.
    [[nodiscard]] const std::optional<review::Document>& document() const { return m_document; }
    void setAnchor(const QString& anchor);

  signals:
    void saveWanted(const QString& format, const std::function<QByteArray()>& what); ///< html, md or pdf
    void compared();

  private:
    void read(const QString& second);
    void take(Result<review::ReportData> first, Result<review::ReportData> second);
    void offerAnchors();
    void showDocument();

    QString m_first;
    std::optional<review::ReportData> m_data[2];
    std::optional<review::Document> m_document;
    QLabel* m_state;
    QComboBox* m_anchor;
    QTextBrowser* m_text;
    std::vector<QPushButton*> m_saves;
};

} // namespace tealdeck
