// SPDX-License-Identifier: GPL-3.0-or-later
// Decisions of the checklist as data: what may stand in the way of a rollback, and answers that no lab can give.
#include "core/checks/catalogue.h"
#include "core/checks/replicas.h"

#include <gtest/gtest.h>
#include <map>
#include <set>

namespace tealdeck {
namespace {

TEST(Catalogue, SaysWhichBlockersStandInTheWayOfARollback) {
    // The way back is the emergency exit. Only what would lose acknowledged writes, let both sides take writes, reach a wrong server, or
    // make the move impossible anyway may stand in it; each line was decided on, and a new blocker has to be.
    const std::map<std::string, const char*> deliberate = {
        {"SRV01", "a standby takes no writes"},
        {"SRV03", "the way back needs a way back: a slot (law 7)"},
        {"SRV04", "as SRV03: a WAL sender"},
        {"SRV12", "the commits of fence and promotion would hang"},
        {"CMP02", "another server, or the same one twice"},
        {"PGB01", "clients cannot be moved"},
        {"PGB02", "PAUSE would wait for clients to leave"},
        {"PGB06", "clients would come back to the wrong side with the pooler's next start"},
        {"HAP01", "the reads cannot be moved, and the switch goes back"},
        {"RTR02", "as PGB01, for the other routers"},
        {"SES02", "a COMMIT PREPARED after the fence is a lost write"},
        {"SEC00", "without these rights no fence"},
        {"SEC01", "the feed of the way back cannot be made (law 7)"},
        {"SEC09", "both sides would take writes (law 1)"},
        {"OBJ04", "rows of unlogged tables stay behind"},
        {"OBJ06", "large objects stay behind"},
        {"GRN03", "rows that were not received are lost"},
        {"GRN04", "as GRN03: a table that no feed carries"},
        {"GRN06", "rows differ"},
        {"CMP04", "apply would stop at the first row that does not fit"},
        {"CMP17", "numbers would be given out twice"}};
    std::set<std::string> blocking;
    for (const CheckDefinition& check : checkCatalogue()) {
        const bool asked = check.when != CheckWhen::BeforeReplication && check.severity == Severity::Blocking;
        if (asked && check.blocksRollback) {
            blocking.insert(check.id);
            EXPECT_EQ(deliberate.count(check.id), 1U) << check.id << ": decide whether it may stand in the way of a rollback";
        }
    }
    EXPECT_EQ(blocking.size(), deliberate.size());
}

TEST(Catalogue, KnowsWhichServersDecodeWithPgoutput) {
    EXPECT_EQ(outputPlugins(std::nullopt).result, CheckResult::Pass) << "before August 2026";
    for (const char* fine : {"pgoutput", "pgoutput, test_decoding", "test_decoding,pgoutput", "\"pgoutput\"", "*"}) {
        EXPECT_EQ(outputPlugins(fine).result, CheckResult::Pass) << fine;
    }
    for (const char* bad : {"", "test_decoding", "my_pgoutput", "pgoutput2, wal2json"}) {
        EXPECT_EQ(outputPlugins(bad).result, CheckResult::Fail) << bad;
    }
}

TEST(Replicas, LimitsBelowThePrimaryAreNamed) {
    const ServerValues primary = {{"max_connections", "100"}, {"max_wal_senders", "10"}};
    EXPECT_TRUE(standbyLimitsBelow(primary, {{"max_connections", "100"}, {"max_wal_senders", "20"}}).empty());
    EXPECT_EQ(standbyLimitsBelow(primary, {{"max_connections", "50"}, {"max_wal_senders", "10"}}),
              (std::vector<std::string>{"max_connections = 50, its primary has 100"}));
    EXPECT_EQ(standbyLimitsBelow(primary, {{"max_connections", "100"}}).size(), 1U) << "what is not told is not enough";
}

TEST(Disk, MustHoldTheDataAndWhatComesWithIt) {
    EXPECT_EQ(roomOnDisk(10e9, {13e9, 20e9}).result, CheckResult::Pass);
    EXPECT_EQ(roomOnDisk(10e9, {12.9e9, 1000e9}).result, CheckResult::Fail) << "free space counts, not the size of the disk";
}

} // namespace
} // namespace tealdeck
