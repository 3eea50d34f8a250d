// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include "core/util/clock.h"
#include "widgets/models/check_model.h"
#include "widgets/theme/format.h"

#include <QFrame>

class QLabel;
class QLineEdit;
class QVBoxLayout;
class QPlainTextEdit;
class QPushButton;

namespace tealdeck {

class ConfirmControl;
class ListTable;

/// The checklist and the sheet of the chosen check: why it is asked, how to fix it, where it comes from, and its override.
class ChecklistPanel final : public QFrame {
    Q_OBJECT
  public:
    enum class Controls { None, Full };
    ChecklistPanel(const Clock& clock, Controls controls, QWidget* parent = nullptr);
    void update(const Snapshot& snapshot, const ViewTime& now);
    using QFrame::update;
    /// The fixes of all that is not in order, each under its question as a comment; to be read before it is run.
    [[nodiscard]] QString fixes() const;

  signals:
    /// args as Command wants them: check, reason, typed.
    void overrideRequested(const Json& args);
    /// args as Command wants them: item, reason.
    void signOffRequested(const Json& args);

  protected:
    void resizeEvent(QResizeEvent* event) override;

  private:
    void makeTable();
    void makeSheet(const Clock& clock);
    void showSheet();
    void addSignOff(QVBoxLayout* layout);
    void updateSignOff();
    void updateOverride();
    [[nodiscard]] const CheckState* chosen() const;

    CheckModel m_model;
    QLabel* m_heading;
    ListTable* m_table = nullptr;
    QWidget* m_sheet = nullptr;
    QLabel* m_question = nullptr;
    QLabel* m_text = nullptr;
    QPlainTextEdit* m_fix = nullptr;
    QPushButton* m_copy = nullptr;
    QWidget* m_signOff = nullptr; ///< items that only a person can answer
    QLineEdit* m_signReason = nullptr;
    QPushButton* m_sign = nullptr;
    QPushButton* m_copyAll = nullptr;
    ConfirmControl* m_confirm = nullptr;
    std::string m_chosenId;
    Snapshot m_snapshot;
    ViewTime m_now;
    std::int64_t m_shownUs = -1;
    std::uint64_t m_shownSeq = 0;
};

} // namespace tealdeck
