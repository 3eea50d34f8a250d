// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include "widgets/theme/format.h"
#include "widgets/theme/paint.h"
#include "widgets/topology/topology_layout.h"

#include <QWidget>

namespace tealdeck {

/// Both environments, what stands in front of them and how the data flows between. Nodes can be walked with Tab-focus and the arrow keys.
class TopologyView final : public QWidget {
    Q_OBJECT
  public:
    explicit TopologyView(QWidget* parent = nullptr);
    void update(const Snapshot& snapshot, const ViewTime& now);
    using QWidget::update;
    /// Everything that the picture says, in words.
    [[nodiscard]] QString description() const;
    [[nodiscard]] QSize sizeHint() const override { return {640, 300}; }
    [[nodiscard]] QSize minimumSizeHint() const override { return {320, 180}; }

  signals:
    void nodeActivated(Env env, const QString& node);

  protected:
    void paintEvent(QPaintEvent* event) override;
    bool event(QEvent* event) override;
    void mousePressEvent(QMouseEvent* event) override;
    void keyPressEvent(QKeyEvent* event) override;
    void focusInEvent(QFocusEvent* event) override;
    void resizeEvent(QResizeEvent* event) override;
    void changeEvent(QEvent* event) override;

  private:
    void relayout();
    void paintLanes(QPainter& painter) const;
    void paintWrites(QPainter& painter) const;
    void paintReads(QPainter& painter) const;
    void paintRouter(QPainter& painter, const QRectF& box, const QString& name, const QString& detail, bool stale) const;
    void paintEnv(QPainter& painter, const PlacedEnv& placed, Env env) const;
    void paintFence(QPainter& painter, const PlacedEnv& placed, const std::string& fence) const;
    void paintNode(QPainter& painter, const PlacedNode& placed, const Node& node, Env env) const;
    void paintReplication(QPainter& painter) const;
    void paintDirection(QPainter& painter, const char* direction, double y) const;
    [[nodiscard]] QString nodeSheet(const Node& node, Env env) const;
    [[nodiscard]] const std::vector<Node>& nodes(Env env) const { return env == Env::Blue ? m_snapshot.blue : m_snapshot.green; }
    [[nodiscard]] std::vector<std::pair<const PlacedNode*, Env>> walkable() const;

    Snapshot m_snapshot;
    ViewTime m_now;
    TopologyLayout m_layout;
    int m_focusNode = -1;
    bool m_showFocus = false;
};

/// A node whose numbers are too old, or that is not known to be up.
bool nodeIsStale(const Node& node, const ViewTime& now);

} // namespace tealdeck
