// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <QTabWidget>
#include <QWidget>

#include <vector>

class QSplitter;

namespace tealdeck {

/// Where the panels stand: side by side where there is room, behind tabs where there is not (a small screen, large text).
/// "Now and next" stays in sight in both.
class WindowLayout final : public QWidget {
    Q_OBJECT
  public:
    struct Page {
        QWidget* widget;
        QString title;
    };
    struct Panels {
        Page checklist;
        Page topology;
        Page plots;
        Page alarms;
        std::vector<Page> foot; ///< share one place at the foot; the first is in front
        QWidget* nextAct = nullptr;
    };
    explicit WindowLayout(Panels panels, QWidget* parent = nullptr);

    void restoreDefault();
    /// The operator's own sizes, as text for settings; restore returns false when it is none of ours.
    [[nodiscard]] QByteArray save() const;
    bool restore(const QByteArray& state);
    /// Brings a panel to the front wherever it is.
    void raisePanel(QWidget* panel);
    [[nodiscard]] bool isNarrow() const { return m_narrow; }
    /// In words what is in sight: a recording keeps them.
    [[nodiscard]] QString inSight() const;
    [[nodiscard]] QSize minimumSizeHint() const override;

  signals:
    void sightChanged();

  protected:
    void resizeEvent(QResizeEvent* event) override;
    void changeEvent(QEvent* event) override;

  private:
    void choose();
    void layWide();
    void layNarrow();
    Panels m_panels;
    QSplitter* m_columns;
    QSplitter* m_centre;
    QSplitter* m_rows;
    QSplitter* m_foot;
    QTabWidget* m_footTabs;
    QSplitter* m_narrowColumns;
    QTabWidget* m_tabs;
    bool m_narrow = false;
    bool m_touched = false; ///< a person moved a border: sizes are theirs
};

} // namespace tealdeck
