// SPDX-License-Identifier: GPL-3.0-or-later
// The witness of the fence on a real server: silent when only the fence itself wrote, and naming the table of a row that came through.
#include "core/control/schema_sql.h"
#include "core/cutover/witness.h"
#include "tests/support/real_lab.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace tealdeck::test {
namespace {

TEST(Witness, NamesWhatWasWrittenBehindTheFence) {
    LabOptions options;
    options.replicas = 0;
    Result<std::unique_ptr<RealLab>> started = RealLab::start(options);
    ASSERT_TRUE(started.ok()) << started.error().text();
    const RealLab& lab = **started;
    for (const std::string& database : lab.plan().databases) {
        lab.run(Side::Blue, database, CONTROL_SCHEMA_SQL);
        lab.run(Side::Blue, database, "insert into tealdeck.side(deployment, side, role) values ('lab', 'blue', 'primary')");
        lab.run(Side::Blue, database, "create table public.leak(a int primary key)");
        lab.run(Side::Blue, database, "create publication tealdeck_lab for table public.leak, tealdeck_sync.marker");
    }
    const Connector connector(lab.plan(), "tealdeck/lab/1");
    Result<SideSessions> blue = SideSessions::open(connector, Side::Blue, Millis(10000));
    ASSERT_TRUE(blue.ok()) << blue.error().text();
    Witness witness(lab.plan(), *blue);
    const char* const slots = "select count(*) from pg_replication_slots where slot_name like 'tealdeck_lab_witness%'";
    const auto fence = [&] {
        for (std::size_t i = 0; i < blue->size(); ++i) {
            lab.run(Side::Blue, lab.plan().databases[i],
                    "begin read write; insert into public.leak select coalesce(max(a), 0) + 1 from public.leak; commit"); // before it
            const std::string keep = textArray({lab.plan().blue.primary.user, lab.plan().replication.user});
            ASSERT_TRUE((*blue)[i].query(fmt::format("select tealdeck.close_logins({})", keep)).ok());
            const auto closed =
                (*blue)[i].query(fmt::format("select tealdeck.fence('token', 0, 1000, 500, {}, false)", pidArray(blue->pids())));
            ASSERT_TRUE(closed.ok()) << closed.error().text();
        }
    };

    ASSERT_TRUE(witness.create(Millis(20000)).ok());
    EXPECT_EQ(lab.value(Side::Blue, "postgres", slots), std::to_string(blue->size()));
    ASSERT_NO_FATAL_FAILURE(fence());
    const Status silent = witness.hear(Millis(20000));
    EXPECT_TRUE(silent.ok()) << silent.error().text();
    EXPECT_EQ(lab.value(Side::Blue, "postgres", slots), "0") << "it keeps WAL for nothing";

    for (const std::string& database : lab.plan().databases) {
        lab.run(Side::Blue, database, "begin read write; update tealdeck.side set role = 'primary'; commit");
    }
    ASSERT_TRUE(witness.create(Millis(20000)).ok());
    ASSERT_NO_FATAL_FAILURE(fence());
    lab.run(Side::Blue, "shop", "begin read write; insert into public.leak values (1000); commit");
    const Status leaked = witness.hear(Millis(20000));
    ASSERT_FALSE(leaked.ok());
    EXPECT_EQ(leaked.error().kind, Error::Kind::Conflict);
    EXPECT_NE(leaked.error().message.find("1 rows were changed behind the fence, in public.leak"), std::string::npos)
        << leaked.error().text();
    EXPECT_EQ(lab.value(Side::Blue, "postgres", slots), std::to_string(blue->size())) << "the evidence stays";
}

} // namespace
} // namespace tealdeck::test
