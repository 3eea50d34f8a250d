// SPDX-License-Identifier: GPL-3.0-or-later
// What an operator has round a run, on real servers: the dry run, hooks, holds, alarms, a second terminal, takeover; and that no password
// leaves the place where it was put.
#include "core/util/files.h"
#include "tests/support/real_lab.h"
#include "tests/support/upgrade_run.h"

#include <atomic>
#include <condition_variable>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <mutex>
#include <set>
#include <sstream>
#include <thread>

namespace tealdeck::test {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using testing::Not;

/// Everything that a dry run could have touched on a server, as one text.
std::string catalogsOf(TestLab& lab, Side side) {
    return lab.ask(side, "postgres",
                   "select concat_ws(' ', (select string_agg(oid || datname, ',' order by oid) from pg_database), "
                   "(select string_agg(rolname || coalesce(rolconfig::text, ''), ',' order by rolname) from pg_roles), "
                   "(select count(*) from pg_replication_slots where slot_type = 'logical'), (select count(*) from pg_subscription), "
                   "(select count(*) from pg_stat_activity where application_name like 'tealdeck/%'))") +
           (side == Side::Green
                ? ""
                : lab.ask(
                      side, "shop",
                      "select concat_ws(' ', (select count(*) from pg_publication), (select string_agg(nspname, ',' order by "
                      "oid) from pg_namespace), (select sum(hashtext(oid::text || relname || relreplident::text)::bigint) from pg_class), "
                      "(select sum(hashtext(oid::text || proname)::bigint) from pg_proc))"));
}

ProcessOutcome call(std::vector<std::string> arguments, const std::map<std::string, std::string>& environment = {}) {
    arguments.insert(arguments.begin(), std::string(TEALDECK_BIN_DIR) + "/tealctl");
    const Result<ProcessOutcome> outcome = runProcess({arguments, environment, {}, {}, 0, 0}, Deadline(Millis(120'000)));
    EXPECT_TRUE(outcome.ok()) << (outcome ? "" : outcome.error().text());
    return outcome ? *outcome : ProcessOutcome{};
}

void addToPlan(TestLab& lab, const std::string& text) {
    ASSERT_TRUE(writeFileAtomically(lab.plan(), readFile(lab.plan()).valueOr("") + "\n" + text).ok());
}

/// Passwords of the lab: the ends of its passfiles' lines, and what stands in its poolers' lists of users.
std::set<std::string> passwordsOf(const fs::path& folder) {
    std::set<std::string> found;
    for (const auto& entry : fs::recursive_directory_iterator(folder, fs::directory_options::skip_permission_denied)) {
        const std::string name = entry.path().filename();
        if (name != "passfile" && name != "userlist.txt") {
            continue;
        }
        std::istringstream lines(readFile(entry.path()).valueOr(""));
        for (std::string line; std::getline(lines, line);) {
            const std::size_t end = line.find_last_not_of('"');
            const std::size_t begin = line.find_last_of(":\"", end);
            if (begin != std::string::npos && end != std::string::npos && end - begin >= 16) {
                found.insert(line.substr(begin + 1, end - begin));
            }
        }
    }
    return found;
}

std::string commandLines() {
    std::string all;
    for (const auto& entry : fs::directory_iterator("/proc")) {
        if (std::isdigit(static_cast<unsigned char>(entry.path().filename().string()[0])) != 0) {
            std::string line = readFile(entry.path() / "cmdline").valueOr("");
            std::replace(line.begin(), line.end(), '\0', ' ');
            all += line + "\n";
        }
    }
    return all;
}

/// All command lines of the machine that were to be seen while it lived.
class CommandLineWatch {
  public:
    CommandLineWatch()
        : m_thread([this] {
              while (!m_ending) {
                  m_seen += commandLines();
                  std::unique_lock lock(m_mutex);
                  m_wake.wait_for(lock, Millis(150), [this] { return m_ending.load(); });
              }
          }) {}
    ~CommandLineWatch() { end(); }
    std::string end() {
        m_ending = true;
        m_wake.notify_all();
        if (m_thread.joinable()) {
            m_thread.join();
        }
        return m_seen;
    }

  private:
    std::atomic<bool> m_ending{false};
    std::mutex m_mutex;
    std::condition_variable m_wake;
    std::string m_seen;
    std::thread m_thread;
};

class OperatorTest : public testing::Test {
  protected:
    void SetUp() override { ASSERT_TRUE(run.ok()); }
    void expectNone(const std::string& text, const std::string& where) {
        for (const std::string& secret : secrets) {
            EXPECT_EQ(text.find(secret), std::string::npos) << "a password is in " << where;
        }
    }
    /// All that recordings of the folder tell, and their verdict.
    std::string recorded(const fs::path& folder) {
        std::string events;
        for (const auto& entry : fs::directory_iterator(folder)) {
            if (entry.path().extension() == ".teal") {
                events += call({"recording", "events", entry.path().string(), "--json"}).output;
                EXPECT_EQ(call({"recording", "verify", entry.path().string()}).exitCode, 0);
            }
            if (entry.is_regular_file()) {
                expectNone(readFile(entry.path()).valueOr(""), entry.path());
            }
        }
        return events;
    }
    /// Two hooks that print a secret of theirs; the first one vetoes while the file is there.
    void plantHooks(const fs::path& veto) {
        const fs::path hook = run.lab().file("hook.sh");
        const std::string script = "#!/bin/sh\necho \"at $TEALDECK_POINT with $HOOK_PASSWORD\"\ntest ! -e " + veto.string() + "\n";
        ASSERT_TRUE(writeFileAtomically(hook, script, 0700).ok());
        addToPlan(run.lab(), fmt::format("[[hook]]\nname = \"guard\"\nbefore = \"cutover\"\nprogram = \"{0}\"\nenvironment = "
                                         "[\"HOOK_PASSWORD\"]\n[[hook]]\nname = \"tell\"\nafter = \"cutover.switch\"\nprogram = "
                                         "\"{0}\"\nenvironment = [\"HOOK_PASSWORD\"]\n[[hook]]\nname = \"copied\"\nafter = "
                                         "\"validate\"\nprogram = \"{0}\"\n",
                                         hook.string()));
    }
    std::string alarms() { return call({"alarm", "list", run.lab().plan()}).output; }
    void tellAChangeOfTheSchema();
    UpgradeRun run{15, 18};
    std::set<std::string> secrets;
};

void OperatorTest::tellAChangeOfTheSchema() {
    // A change of the schema on the side that has the writes is told; it can be shelved, and goes when it was seen.
    const std::string plan = run.lab().plan();
    run.lab().ask(Side::Green, "shop", "create table shop.made_on_green(id int primary key); select 1");
    EXPECT_TRUE(eventually(Millis(90'000), [&] { return alarms().find("schema-changed/green") != std::string::npos; })) << alarms();
    EXPECT_EQ(call({"alarm", "shelve", plan, "schema-changed/green", "--minutes", "5", "--reason", "it is known"}).exitCode, 0);
    EXPECT_THAT(alarms(), HasSubstr("shelved by"));
    EXPECT_EQ(call({"alarm", "ack", plan, "schema-changed/green"}).exitCode, 0);
    EXPECT_TRUE(eventually(Millis(10'000), [&] { return alarms().find("over: schema-changed/green") != std::string::npos; })) << alarms();
}

TEST_F(OperatorTest, aDryRunTouchesNoServerAndLeavesNothing) {
    const std::string blue = catalogsOf(run.lab(), Side::Blue);
    const std::string green = catalogsOf(run.lab(), Side::Green);
    const ProcessOutcome dry = call({"run", run.lab().plan(), "--until", "finalized", "--dry-run"});
    EXPECT_EQ(dry.exitCode, 0) << dry.errors;
    std::size_t at = 0;
    for (const char* step : {"check:", "replicate.control", "replicate.copy", "replicate.catch-up", "Send 10 %", "Send 100 %",
                             "cutover.return-path", "cutover.switch", "cutover.return-proof", "finalize.reverse", "finalize.blue"}) {
        const std::size_t found = dry.output.find(step, at);
        ASSERT_NE(found, std::string::npos) << step << " is not in its place:\n" << dry.output;
        at = found;
    }
    EXPECT_EQ(catalogsOf(run.lab(), Side::Blue), blue);
    EXPECT_EQ(catalogsOf(run.lab(), Side::Green), green);
    EXPECT_TRUE(!fs::exists(run.lab().dir() / "engine") || fs::is_empty(run.lab().dir() / "engine")) << "no engine, no recording";
    EXPECT_EQ(run.enginePid(), 0);
}

TEST_F(OperatorTest, hooksHoldsAlarmsASecondTerminalAndNoPasswordAnywhere) {
    secrets = passwordsOf(run.lab().dir());
    ASSERT_GE(secrets.size(), 4U);
    secrets.insert("canary-in-the-hook");
    const std::map<std::string, std::string> environment{{"HOOK_PASSWORD", "canary-in-the-hook"}};
    const fs::path veto = run.lab().file("veto");
    plantHooks(veto);
    ASSERT_TRUE(writeFileAtomically(veto, "").ok());
    const std::string plan = run.lab().plan();

    // A place for the recording that would not do is refused before anything runs.
    const fs::path records = run.lab().file("records");
    fs::create_directory(records);
    fs::permissions(records, fs::perms::owner_all);
    const fs::path recording = records / "first.teal";
    for (const fs::path& bad : {records / "first.txt", run.lab().file("nowhere") / "a.teal", fs::path("/tmp/tealdeck-others.teal")}) {
        EXPECT_EQ(call({"run", plan, "--recording", bad.string()}).exitCode, 2) << bad;
    }
    EXPECT_EQ(call({"run", plan, "--auto", "--hold", "cutover"}).exitCode, 2) << "nobody would say continue";

    // A veto ends the run before anything was moved. All the time nobody's command line shows a password.
    CommandLineWatch watch;
    const ProcessOutcome refused = call({"run", plan, "--until", "observe", "--recording", recording.string()}, environment);
    expectNone(watch.end(), "a command line");
    EXPECT_EQ(fs::status(recording).permissions(), fs::perms::owner_read | fs::perms::owner_write);
    EXPECT_EQ(call({"run", plan, "--recording", (records / "second.teal").string()}).exitCode, 3) << "it is recorded elsewhere";
    EXPECT_EQ(refused.exitCode, 4) << refused.output << refused.errors;
    EXPECT_THAT(refused.errors, HasSubstr("guard answered with exit code 1"));
    EXPECT_EQ(run.lab().ask(Side::Blue, "shop", "select role from tealdeck.side"), "primary");
    fs::remove(veto);

    // A second terminal lets a run go on that holds in the first.
    ProcessOutcome held;
    std::thread first([&] { held = call({"run", plan, "--until", "observe", "--hold", "cutover.gate"}, environment); });
    EXPECT_TRUE(eventually(Millis(90'000), [&] { return call({"status", plan}).output.find("holds before") != std::string::npos; }));
    expectNone(commandLines(), "a command line");
    EXPECT_EQ(call({"alarm", "ack", plan, "nothing"}).exitCode, 2);
    EXPECT_EQ(call({"continue", plan}).exitCode, 0);
    first.join();
    EXPECT_EQ(held.exitCode, 0) << held.output << held.errors;
    EXPECT_THAT(held.output, HasSubstr("holds before cutover.gate"));
    EXPECT_THAT(held.output, HasSubstr("hook.tell"));
    EXPECT_EQ(call({"continue", plan}).exitCode, 3) << "nothing holds";

    tellAChangeOfTheSchema();

    // A login that fails is an error that holds no password either.
    const fs::path passfile = run.lab().dir() / "passfile";
    const std::string kept = readFile(passfile).valueOr("");
    ASSERT_TRUE(writeFileAtomically(passfile, "*:*:*:tealdeck:canary-that-is-wrong\n").ok());
    secrets.insert("canary-that-is-wrong");
    const ProcessOutcome failed = call({"rollback", plan});
    EXPECT_NE(failed.exitCode, 0);
    ASSERT_TRUE(writeFileAtomically(passfile, kept).ok());

    recorded(run.lab().dir() / "engine");
    const std::string events = recorded(records);
    EXPECT_THAT(events, HasSubstr("hook.copied"));
    EXPECT_THAT(events, HasSubstr("\"kind\":\"inventory\""));
    const fs::path csv = records / "first.csv";
    EXPECT_EQ(call({"recording", "export", recording.string(), "--format", "csv", "--out", csv.string()}).exitCode, 0);
    expectNone(readFile(csv).valueOr("canary-in-the-hook"), "the export");
    const Json now = parseJson(call({"status", plan, "--json"}).output).value_or(Json::object());
    ASSERT_EQ(now["inventory"].size(), 4U) << now["inventory"].dump(1) << "two servers a side";
    for (const Json& server : now["inventory"]) {
        EXPECT_TRUE(server["unknown"].empty()) << server.dump(1);
        EXPECT_TRUE(server["settings"].contains("max_connections"));
        EXPECT_TRUE(server["database_bytes"].contains("shop"));
        EXPECT_TRUE(server["disk_free_bytes"].is_number()) << "it runs here";
        if (server["node"] == "primary") {
            EXPECT_FALSE(server["extensions"].empty());
            EXPECT_FALSE(server["slots"].empty());
            EXPECT_FALSE(server["publications"].empty());
        }
    }
    expectNone(refused.output + refused.errors + held.output + held.errors + failed.output + failed.errors + alarms() +
                   call({"plan", "explain", plan}).output + call({"status", plan, "--json"}).output,
               "what programs printed");
    expectNone(events, "the export of the recording");
    EXPECT_THAT(events, HasSubstr("with [redacted]"));
    EXPECT_THAT(events, HasSubstr("tealdeck.fence("));
    EXPECT_THAT(events, Not(HasSubstr("SCRAM-SHA-256$"))) << "hashes of passwords are secrets too";
}

TEST_F(OperatorTest, takeoverNeedsAReasonAndLeavesIt) {
    ASSERT_EQ(run.ctl({"run", "--until", "preflight"}).exitCode, 0);
    EXPECT_EQ(call({"takeover", run.lab().plan(), "--reason", "no"}).exitCode, 3) << "it runs here";
    std::string text = readFile(run.lab().plan()).valueOr("");
    const std::size_t folder = text.find("folder = ");
    ASSERT_NE(folder, std::string::npos);
    text.replace(folder, text.find('\n', folder) - folder, "folder = \"" + run.lab().file("other-engine").string() + "\"");
    const fs::path other = run.lab().file("other-plan.toml");
    ASSERT_TRUE(writeFileAtomically(other, text).ok());
    EXPECT_EQ(call({"attach", other.string()}).exitCode, 3) << "no engine runs there";
    EXPECT_EQ(call({"takeover", other.string()}).exitCode, 2) << "without a reason";
    const ProcessOutcome taken = call({"takeover", other.string(), "--reason", "the bastion is gone"});
    EXPECT_EQ(taken.exitCode, 0) << taken.output << taken.errors;
    EXPECT_THAT(recorded(run.lab().file("other-engine")), HasSubstr("Taken over: the bastion is gone"));
    EXPECT_EQ(call({"stop", other.string()}).exitCode, 0);
}

} // namespace
} // namespace tealdeck::test
