// SPDX-License-Identifier: GPL-3.0-or-later
#include "widgets/topology/topology_layout.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace tealdeck {
namespace {

struct CardSize {
    double leastWidth; ///< in units of text height
    double height;
};

CardSize cardSize(NodeDetail detail) {
    return detail == NodeDetail::Full ? CardSize{10.5, 4.0} : detail == NodeDetail::Compact ? CardSize{7.5, 2.6} : CardSize{5.0, 1.5};
}

struct Grid {
    int columns = 1;
    int rows = 0;
    double cardWidth = 0;
    double cardHeight = 0;
    double gap = 0;
    [[nodiscard]] double height(bool withPrimary) const {
        const double replicas = rows * (cardHeight + gap);
        return (withPrimary ? cardHeight + gap + (rows > 0 ? gap : 0) : 0) + replicas;
    }
};

Grid gridFor(NodeDetail detail, double width, double unit, std::size_t replicas) {
    const CardSize card = cardSize(detail);
    Grid grid;
    grid.gap = std::max(6.0, unit * 0.45);
    grid.cardHeight = card.height * unit;
    grid.columns = std::max(1, static_cast<int>((width + grid.gap) / (card.leastWidth * unit + grid.gap)));
    grid.columns = std::min<int>(grid.columns, std::max<int>(1, static_cast<int>(replicas)));
    grid.rows = static_cast<int>((replicas + static_cast<std::size_t>(grid.columns) - 1) / static_cast<std::size_t>(grid.columns));
    grid.cardWidth = (width - grid.gap * (grid.columns - 1)) / grid.columns;
    return grid;
}

bool isPrimary(const Node& node) { return node.role == "primary"; }

std::size_t replicaCount(const std::vector<Node>& nodes) { return nodes.empty() ? 0 : nodes.size() - 1; }

PlacedEnv placeEnv(const QRectF& box, double unit, const Grid& grid, const std::vector<Node>& nodes) {
    PlacedEnv env;
    env.box = box;
    const double pad = unit * 0.5;
    env.header = QRectF(box.left() + pad, box.top() + pad * 0.6, box.width() - 2 * pad, unit * 1.5);
    const double left = box.left() + pad;
    double y = env.header.bottom() + pad * 0.6;
    const std::vector<std::size_t> order = drawingOrder(nodes);
    for (std::size_t i = 0; i < order.size(); ++i) {
        if (i == 0) {
            env.nodes.push_back({QRectF(left, y, box.width() - 2 * pad, grid.cardHeight), order[i]});
            y += grid.cardHeight + 2 * grid.gap;
            continue;
        }
        const int place = static_cast<int>(i) - 1;
        const double x = left + (place % grid.columns) * (grid.cardWidth + grid.gap);
        const double top = y + (place / grid.columns) * (grid.cardHeight + grid.gap);
        env.nodes.push_back({QRectF(x, top, grid.cardWidth, grid.cardHeight), order[i]});
    }
    return env;
}

} // namespace

std::vector<std::size_t> drawingOrder(const std::vector<Node>& nodes) {
    std::vector<std::size_t> order(nodes.size());
    std::iota(order.begin(), order.end(), 0);
    const auto key = [&](std::size_t i) { return std::tuple(!isPrimary(nodes[i]), nodes[i].state == "up", nodes[i].zone, nodes[i].name); };
    std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return key(a) < key(b); });
    return order;
}

TopologyLayout layoutTopology(QSizeF size, double unit, const std::vector<Node>& blue, const std::vector<Node>& green) {
    TopologyLayout out;
    const double margin = unit * 0.6;
    const double lane = size.height() < unit * 17 ? unit * 1.5 : unit * 1.9;
    const double routersWidth = std::clamp(size.width() * 0.16, unit * 5.5, unit * 9);
    const double gap = std::clamp(size.width() * 0.15, unit * 5.5, unit * 9);
    const double left = margin + routersWidth + unit * 1.4;
    const double envWidth = std::max(unit * 7, (size.width() - left - gap - margin) / 2);
    const double inner = envWidth - unit;
    const double room = size.height() - 2 * (margin * 0.3 + lane);
    double need = 0;
    Grid blueGrid;
    Grid greenGrid;
    for (const NodeDetail detail : {NodeDetail::Full, NodeDetail::Compact, NodeDetail::Mini}) {
        blueGrid = gridFor(detail, inner, unit, replicaCount(blue));
        greenGrid = gridFor(detail, inner, unit, replicaCount(green));
        need = std::max(blueGrid.height(true), greenGrid.height(true)) + unit * 2.5;
        out.detail = detail;
        if (need <= room) {
            break;
        }
    }
    const double envHeight = std::max(std::min(room, need + unit), need);
    const double top = margin * 0.3 + lane + std::max(0.0, (room - envHeight) / 3);
    out.blue = placeEnv(QRectF(left, top, envWidth, envHeight), unit, blueGrid, blue);
    out.green = placeEnv(QRectF(left + envWidth + gap, top, envWidth, envHeight), unit, greenGrid, green);
    out.between = QRectF(left + envWidth, top, gap, envHeight);
    out.writesLane = top - lane * 0.55;
    out.readsLane = top + envHeight + lane * 0.55;
    const double routerHeight = std::min(unit * 2.6, envHeight * 0.28);
    out.pooler = QRectF(margin, out.writesLane - unit * 0.75, routersWidth, routerHeight);
    out.balancer = QRectF(margin, out.readsLane + unit * 0.75 - routerHeight, routersWidth, routerHeight);
    const double middle = (out.pooler.bottom() + out.balancer.top()) / 2;
    out.clients = QRectF(margin, middle - routerHeight / 2, routersWidth, routerHeight);
    out.height = out.readsLane + lane * 0.5 + margin * 0.3;
    return out;
}

} // namespace tealdeck
