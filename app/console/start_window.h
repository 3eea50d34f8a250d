// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <QWidget>

class QLabel;
class QVBoxLayout;

namespace tealdeck {

/// The empty state: says what to do, and what went wrong with the last try.
class StartWindow final : public QWidget {
    Q_OBJECT
  public:
    explicit StartWindow(QWidget* parent = nullptr);
    void showProblem(const QString& text);
    void showBusy(const QString& text);

  signals:
    void openPlanRequested();
    void openRecordingRequested();
    void fileChosen(const QString& file);

  protected:
    void dragEnterEvent(QDragEnterEvent* event) override;
    void dropEvent(QDropEvent* event) override;

  private:
    void addLab(QVBoxLayout* layout);
    void addRecent(QVBoxLayout* layout);
    QLabel* m_status;
};

} // namespace tealdeck
