// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <QWidget>

#include <functional>
#include <set>
#include <string>
#include <vector>

class QCheckBox;
class QLabel;
class QLineEdit;
class QPushButton;

namespace tealdeck {

/// A recording's report in one of its forms (html, md, csv, ndjson, pdf), byte by byte what the command line writes; read on a thread of
/// its own. `done` gets the bytes, or why there are none.
void makeReportBytes(QObject* owner, const QString& recording, const QString& format, std::function<void(QByteArray bytes, QString problem)> done);

/// Asks what to take out of a recording and writes the copy, as "tealctl recording redact" does; then says what was taken out.
class ReplayRedact final : public QWidget {
    Q_OBJECT
  public:
    explicit ReplayRedact(QString recording, QWidget* parent = nullptr);
    /// Into a file that is not there yet.
    void write(const QString& file);
    [[nodiscard]] QString said() const;

  signals:
    void fileWanted(); ///< a name for the copy is to be asked for; write() takes it
    void written(bool ok);

  private:
    QString m_recording;
    std::vector<std::pair<QCheckBox*, std::string>> m_classes;
    QLineEdit* m_words;
    QLabel* m_said;
    QPushButton* m_write;
};

} // namespace tealdeck
