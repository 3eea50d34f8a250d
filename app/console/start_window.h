// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <QWidget>

class QLabel;
class QVBoxLayout;

namespace tealdeck {

class LabRunner;

/// The empty state: says what to do, and what went wrong with the last try.
class StartWindow final : public QWidget {
    Q_OBJECT
  public:
    explicit StartWindow(QWidget* parent = nullptr);
    void showProblem(const QString& text);
    void showBusy(const QString& text);
    /// The window on this plan died: one press brings it back.
    void offerAgain(const QString& plan);
    [[nodiscard]] LabRunner* lab() const { return m_lab; }

  signals:
    void newPlanRequested();
    void openPlanRequested();
    void openRecordingRequested();
    void fileChosen(const QString& file);
    void labReady(const QString& plan, const QString& folder);

  protected:
    void dragEnterEvent(QDragEnterEvent* event) override;
    void dropEvent(QDropEvent* event) override;

  private:
    void addLab(QVBoxLayout* layout);
    void addRecent(QVBoxLayout* layout);
    QLabel* m_status;
    QVBoxLayout* m_again;
    LabRunner* m_lab = nullptr;
};

} // namespace tealdeck
