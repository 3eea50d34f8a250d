// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include "core/api/session_source.h"
#include "widgets/status/hold_button.h"
#include "widgets/theme/format.h"

#include <QWidget>

namespace tealdeck {

enum class StripMode { Live, Rehearsal, Replay };

/// What is never scrolled away: the mode, where writes go, the clocks, the heartbeats, and Abort when commands can be given.
class ModeStrip final : public QWidget {
    Q_OBJECT
  public:
    enum class Controls { None, Abort };
    ModeStrip(const Clock& clock, Controls controls, QWidget* parent = nullptr);

    void setReplay(bool replay) { m_replay = replay; }
    void setSource(SourceState state, const QString& detail);
    void update(const Snapshot& snapshot, const ViewTime& now);
    /// Replay: whether one may believe the recording, in a word and in a sentence. Never left out for lack of room.
    void setIntegrity(const QString& word, const QString& sentence, bool good);
    [[nodiscard]] QString integrity() const { return m_integrity; }
    using QWidget::update;
    /// nullptr when there are no controls.
    [[nodiscard]] HoldButton* abortButton() const { return m_abort; }
    [[nodiscard]] QSize sizeHint() const override;
    [[nodiscard]] QSize minimumSizeHint() const override { return {480, sizeHint().height()}; }

  signals:
    void abortRequested();

  protected:
    void paintEvent(QPaintEvent* event) override;
    void resizeEvent(QResizeEvent* event) override;

  private:
    struct Item {
        QString caption;
        QString value;
        int priority = 0; ///< the highest number goes first when the strip is too narrow
        bool stale = false;
        bool alarm = false;
        char env = 0; ///< 'B' or 'G': draw its badge
    };
    [[nodiscard]] StripMode mode() const;
    [[nodiscard]] std::vector<Item> items() const;
    [[nodiscard]] Item heartbeat(const char* metric, char env) const;
    [[nodiscard]] double itemWidth(const Item& item) const;
    void paintMode(QPainter& painter, QRectF& left);
    void paintItem(QPainter& painter, const QRectF& box, const Item& item);
    void placeAbort();
    void describe();

    bool m_replay = false;
    SourceState m_sourceState = SourceState::Connecting;
    QString m_sourceDetail;
    QString m_integrity;
    QString m_integritySentence;
    bool m_integrityGood = true;
    Snapshot m_snapshot;
    ViewTime m_now;
    HoldButton* m_abort = nullptr;
};

} // namespace tealdeck
