// SPDX-License-Identifier: GPL-3.0-or-later
#include "widgets/topology/topology_layout.h"
#include "widgets/topology/topology_view.h"

#include <QPixmap>
#include <gtest/gtest.h>

using namespace tealdeck;

namespace {

std::vector<Node> nodes(int count) {
    std::vector<Node> list;
    for (int i = 0; i < count; ++i) {
        Node node;
        node.name = i == 0 ? "primary" : "replica-" + std::to_string(i);
        node.role = i == 0 ? "primary" : "replica";
        node.zone = std::string("az-") + static_cast<char>('a' + i % 3);
        node.state = "up";
        list.push_back(node);
    }
    return list;
}

std::vector<QRectF> boxes(const TopologyLayout& layout) {
    std::vector<QRectF> list{layout.clients, layout.pooler, layout.balancer};
    for (const PlacedEnv* env : {&layout.blue, &layout.green}) {
        for (const PlacedNode& node : env->nodes) {
            list.push_back(node.box);
        }
    }
    return list;
}

} // namespace

class TopologyLayoutOf : public ::testing::TestWithParam<int> {};

TEST_P(TopologyLayoutOf, NothingOverlapsOrLeavesItsPlace) {
    const int count = GetParam();
    for (const QSizeF size : {QSizeF(860, 380), QSizeF(460, 210), QSizeF(1400, 900), QSizeF(320, 180)}) {
        for (const int other : {1, count}) {
            const TopologyLayout layout = layoutTopology(size, 16, nodes(count), nodes(other));
            const std::vector<QRectF> all = boxes(layout);
            for (std::size_t i = 0; i < all.size(); ++i) {
                EXPECT_GE(all[i].left(), 0);
                EXPECT_GE(all[i].top(), 0);
                EXPECT_LE(all[i].bottom(), layout.height) << count << " nodes in " << size.width() << 'x' << size.height();
                for (std::size_t j = i + 1; j < all.size(); ++j) {
                    EXPECT_FALSE(all[i].intersects(all[j])) << count << " nodes in " << size.width() << 'x' << size.height() << ": boxes " << i << " and " << j;
                }
            }
            for (const PlacedEnv* env : {&layout.blue, &layout.green}) {
                for (const PlacedNode& node : env->nodes) {
                    EXPECT_TRUE(env->box.contains(node.box)) << count << " nodes in " << size.width() << 'x' << size.height();
                }
            }
            EXPECT_EQ(layout.blue.nodes.size(), static_cast<std::size_t>(count));
        }
    }
}

INSTANTIATE_TEST_SUITE_P(Nodes, TopologyLayoutOf, ::testing::Range(1, 13));

TEST(TopologyOrder, PrimaryThenProblemsThenZones) {
    std::vector<Node> list = nodes(4);
    list[3].state = "down";
    std::swap(list[0], list[2]);
    const auto order = drawingOrder(list);
    EXPECT_EQ(list[order[0]].role, "primary");
    EXPECT_EQ(list[order[1]].state, "down");
}

TEST(TopologyView, PaintsAnythingAndSaysIt) {
    Snapshot snapshot;
    snapshot.seq = 1;
    snapshot.blue = nodes(12);
    snapshot.green = nodes(1);
    snapshot.blue[3].name = "<b>evil\xE2\x80\xAE name</b>";
    snapshot.blue[4].state = "nonsense";
    snapshot.traffic.writesTo = "unknown";
    snapshot.replication.push_back({});
    snapshot.replication.push_back({});
    snapshot.replication[1].direction = "forward";
    snapshot.replication[1].state = "streaming";
    TopologyView view;
    view.resize(500, 260);
    view.update(snapshot, {10'000'000, 0});
    EXPECT_FALSE(view.grab().isNull());
    EXPECT_TRUE(view.description().contains(QStringLiteral("Writes go to unknown")));
    EXPECT_TRUE(view.description().contains(QStringLiteral("12 servers")));
    EXPECT_EQ(view.accessibleDescription(), view.description());
}

TEST(TopologyView, OldAndUnknownIsStale) {
    Node node = nodes(1)[0];
    node.sampledUs = 1'000'000;
    EXPECT_FALSE(nodeIsStale(node, {2'000'000, 0}));
    EXPECT_TRUE(nodeIsStale(node, {1'000'001 + staleness::NODE_US, 0}));
    node.state = "unknown";
    EXPECT_TRUE(nodeIsStale(node, {2'000'000, 0}));
    node.state = "down"; // known to be down is known
    EXPECT_FALSE(nodeIsStale(node, {2'000'000, 0}));
}
