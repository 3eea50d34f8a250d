// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/plan/plan.h"
#include "core/util/files.h"

#include <algorithm>
#include <filesystem>
#include <fmt/format.h>
#include <gtest/gtest.h>

namespace tealdeck {
namespace {

const std::string GOOD = R"(format = 1
[deployment]
name = "lab"
databases = ["shop", "shop_audit"]
[engine]
folder = "engine"
[blue.primary]
host = "127.0.0.1"
port = 50001
user = "console"
passfile = "passfile"
sslmode = "require"
sslrootcert = "/tls/ca.crt"
zone = "az-a"
[[blue.replicas]]
name = "replica-1"
host = "127.0.0.1"
port = 50002
zone = "az-b"
[green.primary]
host = "127.0.0.1"
port = 50003
user = "console"
[replication]
user = "repl"
passfile = "/server/passfile"
identity_full = false
[roles]
reads = ["reader"]
[[pgbouncer]]
name = "pooler-1"
host = "127.0.0.1"
port = 50010
user = "pgb_admin"
databases_file = "pgbouncer/databases.ini"
databases = ["shop"]
[[haproxy]]
name = "balancer"
socket = "haproxy/admin.sock"
backend = "reads"
blue_servers = ["blue_1"]
green_servers = ["green_1"]
[ramp]
steps = [10, 100]
hold_seconds = 1.5
[cutover]
budget_ms = 900
[rollback]
window_hours = 12
[programs]
pg_dump = "bin/pg_dump"
)";

Result<Plan> parse(const std::string& text) {
    return parsePlan(text, "deck.toml", "/plans");
}

TEST(Plan, ReadsHowTheDataAreCopied) {
    const Result<Plan> without = parse(GOOD);
    ASSERT_TRUE(without.ok());
    EXPECT_EQ(without->copy.strategy, CopyStrategy::Auto);
    EXPECT_TRUE(without->copy.rehearsal);
    const Result<Plan> plan =
        parse(GOOD + "[copy]\nstrategy = \"server-to-server\"\nconnections = 2\nbytes_per_second = 5e6\n"
                     "max_wal_retained_mib = 512\nmax_replica_lag_mib = 64\nsplit_mib = 0.5\nstall_seconds = 3\nrehearsal = false\n"
                     "[[copy.accepted_difference]]\nobject = \"index public.i\"\nwhy = \"made on green only\"\n");
    ASSERT_TRUE(plan.ok()) << plan.error().text();
    EXPECT_EQ(plan->copy.strategy, CopyStrategy::ServerToServer);
    EXPECT_EQ(plan->copy.maxReplicaLagMib, 64);
    EXPECT_EQ(plan->copy.connections, 2);
    EXPECT_EQ(plan->copy.bytesPerSecond, 5e6);
    EXPECT_EQ(plan->copy.maxWalRetainedMib, 512);
    EXPECT_EQ(plan->copy.splitMib, 0.5);
    EXPECT_EQ(plan->copy.stallSeconds, 3);
    EXPECT_FALSE(plan->copy.rehearsal);
    ASSERT_EQ(plan->copy.accepted.size(), 1U);
    EXPECT_EQ(plan->copy.accepted[0].object, "index public.i");
    const Result<Plan> wrong = parse(GOOD + "[copy]\nstrategy = \"fast\"\n");
    ASSERT_FALSE(wrong.ok());
    EXPECT_NE(wrong.error().message.find("copy.strategy must be auto, snapshot or server-to-server"), std::string::npos)
        << wrong.error().text();
    EXPECT_FALSE(parse(GOOD + "[copy]\nconnections = 0\n").ok());
    EXPECT_FALSE(parse(GOOD + "[[copy.accepted_difference]]\nobject = \"x\"\n").ok()) << "without a reason";
}

TEST(Plan, ReadsEveryKey) {
    const Result<Plan> read = parse(GOOD);
    ASSERT_TRUE(read.ok()) << read.error().text();
    const Plan& plan = *read;
    EXPECT_EQ(plan.deployment, "lab");
    EXPECT_EQ(plan.controlDatabase(), "shop");
    EXPECT_EQ(plan.file, "/plans/deck.toml");
    EXPECT_EQ(plan.sha256, sha256Hex(GOOD));
    EXPECT_EQ(plan.engineFolder, "/plans/engine");
    EXPECT_EQ(plan.blue.primary.passfile, "/plans/passfile");
    EXPECT_EQ(plan.side(Side::Green).primary.port, 50003);
    EXPECT_EQ(plan.green.primary.sslmode, "verify-full");
    EXPECT_FALSE(plan.replication.identityFull);
    EXPECT_EQ(plan.pgbouncers.at(0).databasesFile, "/plans/pgbouncer/databases.ini");
    EXPECT_EQ(plan.haproxies.at(0).socket, "/plans/haproxy/admin.sock");
    EXPECT_EQ(plan.ramp.hold, Millis(1500));
    EXPECT_EQ(plan.cutover.budget, Millis(900));
    EXPECT_EQ(plan.cutover.drain, CutoverPlan().drain);
    EXPECT_EQ(plan.programs.pgDump, "/plans/bin/pg_dump");
    EXPECT_EQ(plan.programs.pgRestore, "pg_restore");
}

TEST(Plan, ReplicasInheritFromTheirPrimary) {
    const Result<Plan> read = parse(GOOD);
    ASSERT_TRUE(read.ok());
    const Endpoint& replica = read->blue.replicas.at(0);
    EXPECT_EQ(replica.user, "console");
    EXPECT_EQ(replica.passfile, "/plans/passfile");
    EXPECT_EQ(replica.sslmode, "require");
    EXPECT_EQ(replica.sslrootcert, "/tls/ca.crt");
    EXPECT_EQ(replica.database, "postgres");
    EXPECT_EQ(replica.zone, "az-b");
}

/// A line of the good plan and what a person wrote instead.
struct Mistake {
    const char* line;
    std::string instead;
    const char* key;
    const char* says;
};

const std::vector<Mistake>& mistakes() {
    static const std::vector<Mistake> list = {
        {"format = 1", "format = 2", "format", "from 1 to 1"},
        {"name = \"lab\"", "name = \"Lab\"", "deployment.name", "a-z, 0-9 and _"},
        {"name = \"lab\"", "name = \"" + std::string(33, 'a') + "\"", "deployment.name", "1 to 32"},
        {"name = \"lab\"", "name = 7", "deployment.name", "a whole number"},
        {"name = \"lab\"", "name = \"lab\"\nnmae = 1", "deployment.nmae", "Allowed here: databases, name"},
        {"databases = [\"shop\", \"shop_audit\"]", "databases = []", "deployment.databases", "an empty list"},
        {"databases = [\"shop\", \"shop_audit\"]", "databases = \"shop\"", "deployment.databases", "must be a list"},
        {"databases = [\"shop\", \"shop_audit\"]", "databases = [\"shop\", \"shop\"]", "deployment.databases", "twice"},
        {"databases = [\"shop\", \"shop_audit\"]", "databases = [\"sh\\nop\"]", "deployment.databases", "control characters"},
        {"databases = [\"shop\", \"shop_audit\"]", "databases = [\"" + std::string(64, 'd') + "\"]", "deployment.databases", "63 bytes"},
        {"folder = \"engine\"", "folder = \"\"", "engine.folder", "an empty text"},
        {"host = \"127.0.0.1\"\nport = 50001", "host = \"\"\nport = 50001", "blue.primary.host", "not empty"},
        {"port = 50001", "port = 0", "blue.primary.port", "from 1 to 65535, not 0"},
        {"port = 50001", "port = 70000", "blue.primary.port", "not 70000"},
        {"port = 50001", "port = \"50001\"", "blue.primary.port", "not a text"},
        {"sslmode = \"require\"", "sslmode = \"on\"", "blue.primary.sslmode", "verify-ca"},
        {"zone = \"az-a\"", "zone = \"" + std::string(2000, 'z') + "\"", "blue.primary.zone", "2000 bytes"},
        {"zone = \"az-a\"", "patroni_url = \"https://node:8008\"", "blue.primary.patroni_url", "http://"},
        {"zone = \"az-a\"", "patroni_url = \"http://user:secret@node\"", "blue.primary.patroni_url", "http://"},
        {"zone = \"az-a\"", "pasword = \"x\"", "blue.primary.pasword", "not a key"},
        {"name = \"replica-1\"", "name = \"primary\"", "blue.replicas[1].name", "taken"},
        {"port = 50002", "port = 50001", "blue.replicas[1].port", "the same server"},
        {"port = 50003", "port = 50001", "green.primary.port", "the same server"},
        {"passfile = \"/server/passfile\"", "passfile = \"passfile\"", "replication.passfile", "absolute path"},
        {"identity_full = false", "identity_full = \"no\"", "replication.identity_full", "true or false"},
        {"reads = [\"reader\"]", "reads = [3]", "roles.reads", "a whole number"},
        {"databases = [\"shop\"]", "# none", "pgbouncer[1].databases", "is missing"},
        {"databases = [\"shop\"]", "databases = [\"shop\"]\ngreen_port = 50001", "pgbouncer[1].green_port", "the same server"},
        {"backend = \"reads\"", "backend = \"reads; shutdown\"", "haproxy[1].backend", "letters, digits"},
        {"green_servers = [\"green_1\"]", "green_servers = [\"blue_1\"]", "haproxy[1].green_servers", "blue server too"},
        {"steps = [10, 100]", "steps = [50, 50, 100]", "ramp.steps", "must rise"},
        {"steps = [10, 100]", "steps = [10, 50]", "ramp.steps", "end with 100"},
        {"steps = [10, 100]", "steps = [0, 100]", "ramp.steps", "from 1 to 100"},
        {"hold_seconds = 1.5", "hold_seconds = -1", "ramp.hold_seconds", "must be a number"},
        {"hold_seconds = 1.5", "hold_seconds = nan", "ramp.hold_seconds", "must be a number"},
        {"budget_ms = 900", "budget_ms = 0", "cutover.budget_ms", "from 1 to"},
        {"window_hours = 12", "window_hours = true", "rollback.window_hours", "true or false"},
        {"[programs]", "[programms]", "programms", "not a key"},
        {"[programs]", "[programs", "the text", "is not TOML"},
        {"name = \"lab\"", "name = \"lab\"\nname = \"lab\"", "the text", "is not TOML"},
        {"zone = \"az-a\"", "zone = \"\xff\xfe\"", "the text", "is not TOML"},
    };
    return list;
}

TEST(Plan, APoolerMayReachThePrimariesUnderOtherAddresses) {
    EXPECT_EQ(parse(GOOD)->pgbouncers[0].bluePort, 0);
    std::string text = GOOD;
    const std::string key = "databases = [\"shop\"]\n";
    text.replace(text.find(key), key.size(), key + "blue_host = \"db-a\"\nblue_port = 6001\ngreen_host = \"db-b\"\ngreen_port = 6002\n");
    const Result<Plan> read = parse(text);
    ASSERT_TRUE(read.ok()) << read.error().text();
    const PgBouncerPlan& pooler = read->pgbouncers[0];
    EXPECT_EQ(pooler.blueHost + ":" + std::to_string(pooler.bluePort), "db-a:6001");
    EXPECT_EQ(pooler.greenHost + ":" + std::to_string(pooler.greenPort), "db-b:6002");
}

TEST(Plan, EveryMistakeNamesItsLineAndKey) {
    for (const Mistake& m : mistakes()) {
        std::string text = GOOD;
        const std::size_t at = text.find(m.line);
        ASSERT_NE(at, std::string::npos) << m.line;
        const auto line = std::count(text.begin(), text.begin() + static_cast<long>(at), '\n') + 1;
        text.replace(at, std::string(m.line).size(), m.instead);
        const Result<Plan> read = parse(text);
        ASSERT_FALSE(read.ok()) << m.instead;
        const Error& error = read.error();
        SCOPED_TRACE(error.text());
        EXPECT_EQ(error.kind, Error::Kind::Invalid);
        EXPECT_FALSE(error.remedy.empty());
        EXPECT_NE(error.message.find(m.key), std::string::npos) << m.key;
        EXPECT_NE(error.text().find(m.says), std::string::npos) << m.says;
        EXPECT_EQ(error.message.find('\n'), std::string::npos);
        EXPECT_EQ(error.message.find("secret"), std::string::npos) << "a password in the wrong place";
        // A key that was added or left out is reported where its table or its own line is.
        const auto near = [&](long offset) { return error.message.rfind(fmt::format("deck.toml:{}:", line + offset), 0) == 0; };
        EXPECT_TRUE(near(0) || near(1) || std::string(m.says) == "is missing") << m.instead << " at line " << line;
    }
}

TEST(Plan, MissingTablesAndKeysSayWhatToAdd) {
    EXPECT_NE(parse("").error().text().find("format is missing"), std::string::npos);
    EXPECT_NE(parse("format = 1").error().text().find("Add a table [deployment]"), std::string::npos);
    const std::string noUser = "format = 1\n[deployment]\nname = \"a\"\ndatabases = [\"d\"]\n[blue.primary]\nhost = \"h\"\n";
    EXPECT_NE(parse(noUser).error().message.find("deck.toml:5: blue.primary.user is missing"), std::string::npos)
        << parse(noUser).error().text();
}

TEST(Plan, HostileInputIsRefusedShortly) {
    const std::string huge = "format = 1\n[deployment]\nname = \"" + std::string(10'000'000, 'x') + "\"\n";
    EXPECT_NE(parse(huge).error().message.find("more than"), std::string::npos);
    const std::string large = "format = 1\n[deployment]\nname = \"" + std::string(900'000, 'x') + "\"\n";
    EXPECT_LT(parse(large).error().text().size(), 400u);
    EXPECT_FALSE(parse("x = " + std::string(100'000, '[')).ok());
    EXPECT_FALSE(parse(std::string("format = 1\n\0", 12)).ok());
}

TEST(Plan, AFileThatIsNotThereIsAUsageError) {
    const Result<Plan> read = readPlan("/nonexistent/plan.toml");
    ASSERT_FALSE(read.ok());
    EXPECT_EQ(read.error().kind, Error::Kind::Invalid);
    EXPECT_NE(read.error().message.find("/nonexistent/plan.toml"), std::string::npos);
}

} // namespace
} // namespace tealdeck
