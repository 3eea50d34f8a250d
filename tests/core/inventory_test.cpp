// SPDX-License-Identifier: GPL-3.0-or-later
// What a server has: asked, told when it changed, folded; and what Patroni says of it, from a server of HTTP of our own.
#include "core/discovery/disk.h"
#include "core/discovery/inventory_query.h"
#include "core/discovery/patroni.h"
#include "core/model/snapshot.h"
#include "core/util/http_get.h"
#include "tests/support/http_server.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <map>
#include <unistd.h>

namespace tealdeck::test {
namespace {

using testing::HasSubstr;

constexpr const char* LEADER = R"({"state": "running", "role": "master", "server_version": 150020, "timeline": 7, "pause": true,
 "database_system_identifier": "42", "tags": {"zone": "az-1"}, "patroni": {"version": "3.3.2", "scope": "shop"}})";

TEST(HttpAddresses, AreHostsAndPortsAndNothingElse) {
    ASSERT_TRUE(parseHttpAddress("http://10.0.0.5:8008"));
    EXPECT_EQ(parseHttpAddress("http://10.0.0.5:8008")->port, "8008");
    EXPECT_EQ(parseHttpAddress("http://node/")->port, "80");
    EXPECT_EQ(parseHttpAddress("http://[::1]:8008")->host, "::1");
    for (const char* bad :
         {"", "http://", "https://node:8008", "http://node:0", "http://node:70000", "http://node:x", "http://node/patroni",
          "http://user:secret@node", "http://no de", "http://[::1", "http://node:80:80", "node:8008"}) {
        EXPECT_FALSE(parseHttpAddress(bad)) << bad;
    }
}

TEST(Patroni, IsComparedWithTheServerAndThePlan) {
    const ServerSays server{"primary", "42", "az-1"};
    const PatroniAnswer fine = readPatroni(200, LEADER, server);
    EXPECT_EQ(fine.problem, "");
    EXPECT_EQ(fine.role, "primary") << "master is the word of older ones";
    EXPECT_EQ(fine.timeline, 7.0);
    EXPECT_EQ(fine.zone, "az-1");
    EXPECT_TRUE(fine.paused);
    EXPECT_EQ(readPatroni(200, R"({"state": "running", "role": "standby_leader"})", {"replica", "", ""}).problem, "");
    const std::tuple<ServerSays, const char*> contradictions[] = {
        {{"replica", "42", "az-1"}, "Patroni says primary, the server says replica"},
        {{"primary", "43", "az-1"}, "another cluster"},
        {{"primary", "42", "az-2"}, "zone az-1, the plan says az-2"}};
    for (const auto& [says, problem] : contradictions) {
        EXPECT_THAT(readPatroni(200, LEADER, says).problem, HasSubstr(problem));
    }
    EXPECT_THAT(readPatroni(503, R"({"state": "starting", "role": "replica"})", server).problem, HasSubstr("starting"));
    for (const char* nonsense : {"", "hello", "[]", "{}", R"({"state": 5})", R"({"state": ["running"]})"}) {
        const PatroniAnswer answer = readPatroni(200, nonsense, server);
        EXPECT_TRUE(answer.state.empty()) << nonsense;
        EXPECT_THAT(answer.problem, HasSubstr("is no Patroni")) << nonsense;
    }
    const PatroniAnswer hostile = readPatroni(200, "{\"state\": \"run\\nning\\u202e\", \"role\": \"\\u0007\"}", {});
    EXPECT_EQ(hostile.state.find('\n'), std::string::npos) << "plain text";
}

TEST(Patroni, IsAskedOverHttpWithADeadline) {
    HttpServer server(HttpServer::json(LEADER));
    Endpoint endpoint;
    endpoint.patroni = server.url();
    const PatroniAnswer answer = askPatroni(endpoint, {"primary", "42", ""}, Millis(10000));
    EXPECT_EQ(answer.state, "running");
    EXPECT_EQ(answer.problem, "");
    EXPECT_EQ(server.request().rfind("GET /patroni HTTP/1.0\r\n", 0), 0U) << server.request();
    server.say("SSH-2.0-OpenSSH_9\r\n");
    EXPECT_THAT(askPatroni(endpoint, {}, Millis(10000)).problem, HasSubstr("does not speak HTTP"));
    server.say(HttpServer::json(std::string(std::size_t{2} << 20, ' ')));
    EXPECT_THAT(askPatroni(endpoint, {}, Millis(10000)).problem, HasSubstr("more than can be right"));
    server.say("");
    EXPECT_THAT(askPatroni(endpoint, {}, Millis(300)).problem, HasSubstr("in time")) << "silence ends with the limit";
    endpoint.patroni = "http://127.0.0.1:1";
    EXPECT_THAT(askPatroni(endpoint, {}, Millis(10000)).problem, HasSubstr("cannot be reached"));
    EXPECT_TRUE(askPatroni(endpoint, {}, Millis(10000)).state.empty()) << "unknown, not running";
}

/// A server of canned answers, by a word of the statement.
class Answers {
  public:
    std::map<std::string, Rows> rows;
    std::map<std::string, Error> errors;
    int asked = 0;
    Result<Rows> operator()(const std::string&, const std::string& sql) {
        ++asked;
        for (const auto& [word, error] : errors) {
            if (sql.find(word) != std::string::npos) {
                return error;
            }
        }
        for (const auto& [word, found] : rows) {
            if (sql.find(word) != std::string::npos) {
                return found;
            }
        }
        return Rows();
    }
};

Rows table(std::vector<std::vector<std::optional<std::string>>> rows) {
    return {{"a", "b", "c"}, std::move(rows), 0};
}

Answers usual() {
    Answers answers;
    answers.rows["pg_control_system"] = table({{"primary", "42"}});
    answers.rows["pg_settings"] = table({{"work_mem", "4MB"}, {"jit", "on\n<b>"}});
    answers.rows["pg_replication_slots"] = table({{"shop", "s1", "logical pgoutput, active, reserved"}});
    answers.rows["pg_extension"] = table({{"shop", "pg_trgm", "1.6"}});
    answers.rows["pg_publication "] = table({{"shop", "p1", "3 tables"}});
    answers.rows["pg_database_size"] = table({{"postgres", "1000"}, {"secret", std::nullopt}, {"shop", "2000"}});
    answers.rows["pg_roles"] = table({{"5"}});
    return answers;
}

TEST(InventoryQuery, TellsWhatThereIsAndNamesWhatCouldNotBeAsked) {
    Answers answers = usual();
    InventoryQuery query([&](const std::string& database, const std::string& sql) { return answers(database, sql); });
    Endpoint endpoint;
    endpoint.name = "primary";
    const Inventory all = query.take(Side::Green, endpoint, {"shop", "books"});
    EXPECT_EQ(all.side, "green");
    EXPECT_EQ(all.settings.at("work_mem"), "4MB");
    EXPECT_EQ(all.settings.at("jit").find('\n'), std::string::npos);
    ASSERT_EQ(all.extensions.size(), 1U) << "books is not there yet";
    EXPECT_EQ(all.extensions[0].detail, "1.6");
    EXPECT_EQ(all.replicationSlots.at(0).name, "s1");
    EXPECT_EQ(all.publications.at(0).detail, "3 tables");
    EXPECT_EQ(all.databaseBytes, (std::map<std::string, double>{{"postgres", 1000}, {"shop", 2000}})) << "unknown is not zero";
    EXPECT_EQ(all.roles, 5.0);
    EXPECT_FALSE(all.diskFreeBytes);

    answers.errors["pg_replication_slots"] = {Error::Kind::Server, "permission denied", {}, "42501"};
    const Inventory some = query.take(Side::Green, endpoint, {"shop"});
    EXPECT_EQ(some.unknown.at("slots"), "permission denied");
    EXPECT_TRUE(some.replicationSlots.empty());
    EXPECT_EQ(some.extensions.size(), 1U);

    answers.errors[""] = {Error::Kind::Timeout, "no answer within 2000 ms", {}, {}};
    answers.asked = 0;
    const Inventory none = query.take(Side::Green, endpoint, {"shop"});
    EXPECT_EQ(answers.asked, 1) << "a silent server costs one limit";
    EXPECT_EQ(none.unknown.count("identity"), 1U);
}

TEST(InventoryQuery, AsksPatroniWhereThereIsOne) {
    Answers answers = usual();
    HttpServer server(HttpServer::json(R"({"state": "running", "role": "replica", "database_system_identifier": "42"})"));
    InventoryQuery query([&](const std::string& database, const std::string& sql) { return answers(database, sql); });
    Endpoint endpoint;
    endpoint.name = "primary";
    EXPECT_FALSE(query.take(Side::Blue, endpoint, {}).patroni);
    endpoint.patroni = server.url();
    const Inventory found = query.take(Side::Blue, endpoint, {});
    ASSERT_TRUE(found.patroni);
    EXPECT_THAT(found.patroni->problem, HasSubstr("Patroni says replica, the server says primary"));
}

TEST(Inventory, IsFoldedByServerAndForgottenWithTheEngine) {
    Inventory primary;
    primary.side = "blue";
    primary.node = "primary";
    primary.settings["work_mem"] = "4MB";
    primary.patroni = PatroniAnswer{"running", "primary", 3, "az-1", false, ""};
    primary.databaseBytes["shop"] = 100;
    Inventory replica = primary;
    replica.node = "replica-1";
    Snapshot s;
    s = fold(s, {1, 10, 0, EventKind::Inventory, "engine", toJson(primary)});
    s = fold(s, {2, 20, 0, EventKind::Inventory, "engine", toJson(replica)});
    primary.settings["work_mem"] = "8MB";
    s = fold(s, {3, 30, 0, EventKind::Inventory, "engine", toJson(primary)});
    ASSERT_EQ(s.inventory.size(), 2U);
    EXPECT_EQ(s.inventory[0].settings.at("work_mem"), "8MB");
    EXPECT_EQ(toJson(snapshotFromJson(toJson(s))), toJson(s));
    EXPECT_EQ(s.gateSeq, 0U) << "no gate depends on it";
    EXPECT_TRUE(fold(s, {4, 40, 0, EventKind::Session, "engine", {{"deployment", "lab"}}}).inventory.empty());
}

TEST(Inventory, ChangesOnlyWhenAReaderWouldSaySo) {
    Inventory before;
    before.databaseBytes["shop"] = 1000;
    before.diskFreeBytes = 1e9;
    Inventory now = before;
    now.sampledUs = 5;
    now.databaseBytes["shop"] = 1040;
    now.diskFreeBytes = 0.98e9;
    EXPECT_FALSE(hasChanged(before, now)) << "a database that is used grows all the time";
    now.databaseBytes["shop"] = 1100;
    EXPECT_TRUE(hasChanged(before, now));
    now = before;
    now.diskFreeBytes.reset();
    EXPECT_TRUE(hasChanged(before, now)) << "no longer known";
    now = before;
    now.replicationSlots.push_back({"shop", "s1", "active"});
    EXPECT_TRUE(hasChanged(before, now));
    now = before;
    now.unknown["slots"] = "permission denied";
    EXPECT_TRUE(hasChanged(before, now));
}

TEST(Disk, IsToldOnlyOfAServerOnThisMachine) {
    // We are no server process, and neither is process 1.
    for (const int pid : {0, 1, static_cast<int>(::getpid()), 99999999}) {
        const Result<DiskSpace> disk = diskOfServer({"/", pid, 5432});
        ASSERT_FALSE(disk.ok()) << pid;
        EXPECT_THAT(disk.error().text(), HasSubstr("another machine"));
    }
}

} // namespace
} // namespace tealdeck::test
