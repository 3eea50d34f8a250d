// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include "widgets/timeline/timeline_data.h"

#include <QFont>
#include <QPixmap>
#include <QWidget>

#include <optional>

namespace tealdeck {

/// The lanes of a recording with the position: phases, alarms, operator acts, statements with their duration, lag, notes with what others
/// recorded; gaps and steps of the clock through all. Marks of one pixel merge, alarms and acts never vanish. Knows no source; says where one
/// wants to be. The wheel shows a part of the time, F all of it.
class Scrubber final : public QWidget {
    Q_OBJECT
  public:
    explicit Scrubber(QWidget* parent = nullptr);
    void setData(TimelineData timeline);
    void setPosition(std::int64_t timeUs);
    /// Another moment to compare with; nothing: none.
    void setReference(std::optional<std::int64_t> timeUs);
    /// A span that is being marked.
    void setSpan(std::optional<std::int64_t> fromUs);
    /// All of the time.
    void fit();
    [[nodiscard]] std::int64_t viewFromUs() const { return m_fromUs; }
    [[nodiscard]] std::int64_t viewToUs() const { return m_toUs; }
    [[nodiscard]] std::int64_t position() const { return m_position; }
    [[nodiscard]] const TimelineData& data() const { return m_data; }
    [[nodiscard]] QSize sizeHint() const override;
    [[nodiscard]] QSize minimumSizeHint() const override { return {300, sizeHint().height()}; }

  signals:
    void seekRequested(qlonglong timeUs);
    void playToggled();
    void noteRequested();
    void spanRequested();
    void referenceRequested();

  protected:
    void paintEvent(QPaintEvent* event) override;
    void mousePressEvent(QMouseEvent* event) override;
    void mouseMoveEvent(QMouseEvent* event) override;
    void wheelEvent(QWheelEvent* event) override;
    void keyPressEvent(QKeyEvent* event) override;
    void focusInEvent(QFocusEvent* event) override;
    bool event(QEvent* event) override;

  private:
    [[nodiscard]] TimeScale scale() const;
    [[nodiscard]] QRectF lane(int number) const;
    void paintPhases(QPainter& painter) const;
    void paintMarks(QPainter& painter, const std::vector<TimeMark>& marks, const QRectF& box, bool alarms) const;
    void paintStatements(QPainter& painter) const;
    void paintLag(QPainter& painter) const;
    void paintSpans(QPainter& painter, const std::vector<TimeMark>& marks, const QRectF& box, bool ofOthers) const;
    void paintThrough(QPainter& painter) const;
    void paintPosition(QPainter& painter) const;
    void zoom(double factor, std::int64_t aroundUs);
    /// A key that asks for something else than a moment; false: none of ours.
    bool ask(const QKeyEvent* event);
    /// Where the key leads, or -1 when it is none of ours.
    [[nodiscard]] std::int64_t target(const QKeyEvent* event) const;
    /// What the lanes look like below the position, painted once: a day's statements take longer than all the rest of a frame.
    struct GroundKey {
        QSize size;
        double scale = 1;
        std::int64_t fromUs = 0;
        std::int64_t toUs = 0;
        int data = 0;
        qint64 palette = 0;
        QFont font;
        bool operator==(const GroundKey&) const = default;
    };
    const QPixmap& ground();
    void paintGround();

    QPixmap m_ground;
    GroundKey m_groundKey;
    int m_dataNumber = 0; ///< which data they are
    TimelineData m_data;
    std::int64_t m_position = 0;
    std::int64_t m_fromUs = 0; ///< what is shown
    std::int64_t m_toUs = 1;
    std::optional<std::int64_t> m_reference;
    std::optional<std::int64_t> m_span;
    bool m_showFocus = false;
};

} // namespace tealdeck
