// SPDX-License-Identifier: GPL-3.0-or-later
// The decision after a death, over every state that two databases can be in: never two primaries, never a source given back while the
// destination may be open.
#include "core/cutover/settle.h"

#include <gtest/gtest.h>

namespace tealdeck {
namespace {

using Verdict = Situation::Verdict;
using Row = std::optional<SideRow>;

Row row(SideRole role, std::int64_t generation) {
    return SideRow{role, generation, "token", "0/1"};
}

Situation::Database database(Row blue, Row green, bool blueClosed = false, bool greenClosed = false) {
    return {blue, green, blueClosed, greenClosed};
}

/// The states that one database passes in a move to green, in order; the last of them follows the point of no return.
std::vector<Situation::Database> road() {
    return {database(row(SideRole::Primary, 0), row(SideRole::Replica, 0)),
            database(row(SideRole::Primary, 0), row(SideRole::Replica, 0), true),
            database(row(SideRole::Fenced, 0), row(SideRole::Replica, 0)),
            database(row(SideRole::Fenced, 0), row(SideRole::Received, 0)),
            database(row(SideRole::Fenced, 0), row(SideRole::Primary, 1)),
            database(row(SideRole::Replica, 1), row(SideRole::Primary, 1))};
}

constexpr std::size_t OPENED = 4; ///< first place on the road where green is open

Situation mirrored(const Situation& s) {
    Situation m;
    for (const Situation::Database& d : s.databases) {
        m.databases.push_back({d.green, d.blue, d.greenLoginsClosed, d.blueLoginsClosed});
    }
    return m;
}

Verdict mirrored(Verdict v) {
    switch (v) {
    case Verdict::OnBlue:
        return Verdict::OnGreen;
    case Verdict::OnGreen:
        return Verdict::OnBlue;
    case Verdict::ReturnToBlue:
        return Verdict::ReturnToGreen;
    case Verdict::ReturnToGreen:
        return Verdict::ReturnToBlue;
    case Verdict::CompleteToGreen:
        return Verdict::CompleteToBlue;
    case Verdict::CompleteToBlue:
        return Verdict::CompleteToGreen;
    default:
        return v;
    }
}

TEST(Settle, returnsBeforeThePointOfNoReturnAndCompletesAfterIt) {
    const auto states = road();
    for (std::size_t a = 0; a < states.size(); ++a) {
        for (std::size_t b = 0; b < states.size(); ++b) {
            // All are received before the first is opened, so an open one has no neighbour that is behind "received".
            const bool reachable = (a < OPENED && b < OPENED) || std::min(a, b) + 1 >= OPENED;
            if (!reachable) {
                continue;
            }
            SCOPED_TRACE(std::to_string(a) + " " + std::to_string(b));
            const Situation s{{states[a], states[b]}};
            const bool opened = std::max(a, b) >= OPENED;
            const Verdict verdict = decide(s, false);
            if (opened && std::min(a, b) == 5) {
                EXPECT_EQ(verdict, Verdict::OnGreen);
            } else if (opened) {
                EXPECT_EQ(verdict, Verdict::CompleteToGreen);
            } else if (std::max(a, b) == 0) {
                EXPECT_EQ(verdict, Verdict::OnBlue);
            } else {
                EXPECT_EQ(verdict, Verdict::ReturnToBlue);
            }
            EXPECT_EQ(decide(mirrored(s), false), mirrored(verdict)) << "the way back follows the same table";
        }
    }
}

TEST(Settle, doesNotGiveAFencedBlueBackWhileGreenCannotBeAsked) {
    const Situation s{{database(row(SideRole::Fenced, 0), std::nullopt)}};
    EXPECT_EQ(decide(s, false), Verdict::Unclear);
    EXPECT_EQ(decide(s, true), Verdict::ReturnToBlue) << "no open was ever sent";
    EXPECT_EQ(decide(mirrored(s), false), Verdict::Unclear);
}

TEST(Settle, neverChoosesASideThatIsNotTheOnlyPrimary) {
    const SideRole roles[] = {SideRole::None, SideRole::Primary, SideRole::Fenced, SideRole::Replica, SideRole::Received};
    for (const SideRole blue : roles) {
        for (const SideRole green : roles) {
            for (std::int64_t blueGeneration = 0; blueGeneration < 2; ++blueGeneration) {
                for (std::int64_t greenGeneration = 0; greenGeneration < 2; ++greenGeneration) {
                    const Verdict verdict = decide({{database(row(blue, blueGeneration), row(green, greenGeneration))}}, false);
                    const bool toBlue = verdict == Verdict::ReturnToBlue || verdict == Verdict::CompleteToBlue;
                    const bool toGreen = verdict == Verdict::ReturnToGreen || verdict == Verdict::CompleteToGreen;
                    EXPECT_FALSE(toBlue && green == SideRole::Primary) << sideRoleName(blue) << " " << sideRoleName(green);
                    EXPECT_FALSE(toGreen && blue == SideRole::Primary) << sideRoleName(blue) << " " << sideRoleName(green);
                    if (blue == SideRole::Primary && green == SideRole::Primary) {
                        EXPECT_EQ(verdict, Verdict::Unclear);
                    }
                }
            }
        }
    }
}

TEST(Settle, touchesNothingBeforeTheBeginning) {
    EXPECT_EQ(decide({{database(row(SideRole::None, 0), row(SideRole::None, 0))}}, false), Verdict::NotBegun);
    EXPECT_EQ(decide({{database(std::nullopt, std::nullopt)}}, false), Verdict::Unclear);
}

} // namespace
} // namespace tealdeck
