// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/traffic/databases_file.h"
#include "core/traffic/haproxy.h"

#include <gtest/gtest.h>

namespace tealdeck {
namespace {

std::string moved(const std::string& ini, const std::vector<std::string>& names = {"shop"}) {
    const Result<std::string> result = retargetDatabases(ini, names, "10.0.0.2", 6000);
    return result ? *result : "error: " + result.error().message;
}

TEST(DatabasesFile, OnlyHostAndPortOfThePlansDatabasesChange) {
    EXPECT_EQ(moved("; shop = host=a\r\n[databases]\r\n  shop=host=a  port=1 dbname=Shop pool_size=3\r\nother = host=a port=1\r\n"),
              "; shop = host=a\r\n[databases]\r\n  shop=host=10.0.0.2  port=6000 dbname=Shop pool_size=3\r\nother = host=a port=1\r\n");
    EXPECT_EQ(moved("shop = port=1 host=a,b"), "shop = port=6000 host=10.0.0.2");
    EXPECT_EQ(moved("[databases]\nshop = host='/tmp/a b' password='it''s host=x' port = 1 # no comment here=1\n"),
              "error: line 2: the connection string of shop cannot be read.");
    EXPECT_EQ(moved("shop = host='/tmp/a b' password='it''s host=x port=9' port = '1'\n"),
              "shop = host=10.0.0.2 password='it''s host=x port=9' port = 6000\n");
}

TEST(DatabasesFile, MissingKeysAreAdded) {
    EXPECT_EQ(moved("shop =\n"), "shop =host=10.0.0.2 port=6000\n");
    EXPECT_EQ(moved("shop = dbname=x  \nnext = host=a"), "shop = dbname=x host=10.0.0.2 port=6000  \nnext = host=a");
    EXPECT_EQ(moved("shop = port=7"), "shop = port=6000 host=10.0.0.2");
}

TEST(DatabasesFile, QuotedNames) {
    const std::vector<std::string> names = {"a\"b c", "Shop"};
    EXPECT_EQ(moved("\"a\"\"b c\" = host=x port=1\nShop = host=x port=1\nshop = host=x port=1\n", names),
              "\"a\"\"b c\" = host=10.0.0.2 port=6000\nShop = host=10.0.0.2 port=6000\nshop = host=x port=1\n");
}

TEST(DatabasesFile, OtherSectionsAndMissingEntries) {
    EXPECT_EQ(moved("[databases]\nshop = host=a port=1\n[pgbouncer]\nshop = host=a port=1\n"),
              "[databases]\nshop = host=10.0.0.2 port=6000\n[pgbouncer]\nshop = host=a port=1\n");
    EXPECT_EQ(moved("[databases]\n* = host=a\n"), "error: no entry for shop.");
    EXPECT_EQ(moved(""), "error: no entry for shop.");
    EXPECT_EQ(moved("\"shop = host=a\n"), "error: no entry for shop.");
}

TEST(ShareWeights, ComeNearToEveryShare) {
    for (int blue = 1; blue <= 3; ++blue) {
        for (int green = 1; green <= 3; ++green) {
            for (int percent = 1; percent < 100; ++percent) {
                const ShareWeights w = weightsFor(percent, blue, green);
                EXPECT_GE(std::min(w.blue, w.green), 1);
                EXPECT_LE(std::max(w.blue, w.green), 256);
                EXPECT_NEAR(100.0 * w.green * green / (w.green * green + w.blue * blue), percent, 0.2) << blue << " " << green;
            }
        }
    }
    EXPECT_EQ(weightsFor(0.001, 1, 1).blue, 256);
    EXPECT_EQ(weightsFor(99.999, 1, 1).green, 256);
}

} // namespace
} // namespace tealdeck
