// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include "core/model/snapshot.h"

#include <QRectF>
#include <QSizeF>

#include <vector>

namespace tealdeck {

/// How much a node's card tells.
enum class NodeDetail { Full, Compact, Mini };

struct PlacedNode {
    QRectF box;
    std::size_t index = 0; ///< in the snapshot's list
};

struct PlacedEnv {
    QRectF box;    ///< the whole environment with its heading
    QRectF header;
    std::vector<PlacedNode> nodes; ///< the primary first
};

/// Where everything of the topology is drawn: the writes' lane runs above the environments, the reads' lane below.
struct TopologyLayout {
    QRectF clients;
    QRectF pooler;
    QRectF balancer;
    PlacedEnv blue;
    PlacedEnv green;
    double writesLane = 0; ///< y
    double readsLane = 0;  ///< y
    QRectF between;        ///< the gap with the replication arrow
    NodeDetail detail = NodeDetail::Full;
    double height = 0;     ///< what it needs; may exceed the size given
};

/// `unit` is the height of a line of text. The largest detail that fits both sides is taken; below the smallest the height grows.
TopologyLayout layoutTopology(QSizeF size, double unit, const std::vector<Node>& blue, const std::vector<Node>& green);

/// Order of drawing: the primary, then what has a problem, then by zone and name.
std::vector<std::size_t> drawingOrder(const std::vector<Node>& nodes);

} // namespace tealdeck
