// SPDX-License-Identifier: GPL-3.0-or-later
// The checklist against real servers: a clean lab passes, each planted problem is found by its check and mended by its fix.
#include "core/checks/catalogue.h"
#include "core/checks/runner.h"
#include "core/discovery/discovery.h"
#include "core/util/files.h"
#include "tests/support/real_lab.h"

#include <algorithm>
#include <csignal>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <set>

namespace tealdeck::test {
namespace {

const CheckState* find(const std::vector<CheckState>& lines, const std::string& id) {
    const auto it = std::find_if(lines.begin(), lines.end(), [&](const CheckState& line) { return line.id == id; });
    return it == lines.end() ? nullptr : &*it;
}

std::string shown(const CheckState& line) { return fmt::format("{} {}: {}", line.id, checkResultName(line.result), line.actual); }

class Checks : public testing::Test {
  protected:
    void startLab(int replicas) {
        LabOptions options;
        options.replicas = replicas;
        Result<std::unique_ptr<RealLab>> lab = RealLab::start(options);
        ASSERT_TRUE(lab.ok()) << lab.error().text();
        m_lab = std::move(*lab);
        m_plan = m_lab->plan();
    }
    std::vector<CheckState> run(CheckContext context = {}) { return runChecks(Connector(m_plan, "tealdeck/lab/1"), context); }
    CheckResult resultOf(const std::string& id) {
        const std::vector<CheckState> lines = run();
        const CheckState* line = find(lines, id);
        EXPECT_NE(line, nullptr) << id;
        m_actual = line == nullptr ? "" : line->actual;
        return line == nullptr ? CheckResult::Unknown : line->result;
    }
    std::unique_ptr<RealLab> m_lab;
    Plan m_plan;
    std::string m_actual;
};

TEST_F(Checks, ACleanLabPasses) {
    ASSERT_NO_FATAL_FAILURE(startLab(1));
    const Deadline quick(Millis(3000));
    const std::vector<CheckState> lines = run();
    EXPECT_FALSE(quick.passed());
    std::set<std::string> ids;
    for (const CheckState& line : lines) {
        EXPECT_NE(line.result, CheckResult::Unknown) << shown(line);
        EXPECT_FALSE(line.severity == Severity::Blocking && line.result != CheckResult::Pass) << shown(line);
        EXPECT_TRUE(ids.insert(line.id).second) << line.id;
        for (const std::string& text : {line.question, line.why, line.expected, line.actual, line.fix, line.source}) {
            EXPECT_FALSE(text.empty()) << line.id;
        }
    }
    EXPECT_GT(lines.size(), 60u);
    // The shop has a table without a key: allowed by identity_full, but said.
    const CheckState* key = find(lines, "OBJ01/blue/shop");
    ASSERT_NE(key, nullptr);
    EXPECT_EQ(key->severity, Severity::Warning);

    Connector connector(m_plan, "tealdeck/lab/1");
    Discovery discovery(connector);
    for (const Side side : {Side::Blue, Side::Green}) {
        const std::vector<Node> nodes = discovery.nodes(side);
        ASSERT_EQ(nodes.size(), 2u);
        EXPECT_EQ(nodes[0].role, "primary");
        EXPECT_EQ(nodes[1].role, "replica");
        EXPECT_EQ(nodes[1].state, "up") << nodes[1].detail;
        EXPECT_TRUE(nodes[1].lagBytes && nodes[1].lagSeconds);
        EXPECT_EQ(nodes[0].version.substr(0, 2), side == Side::Blue ? "15" : "18");
        EXPECT_EQ(nodes[0].systemIdentifier, nodes[1].systemIdentifier);
    }
    ::kill(m_lab->pidOf("green-replica-1"), SIGKILL);
    EXPECT_TRUE(eventually(Millis(3000), [&] { return discovery.nodes(Side::Green)[1].state == "down"; }));
    EXPECT_FALSE(discovery.nodes(Side::Green)[1].detail.empty());
    // Its orphaned processes need a moment to notice.
    ASSERT_TRUE(eventually(Millis(10000), [&] { return restartLabProcess(m_lab->state().options.dir, "green-replica-1").ok(); }));
    EXPECT_TRUE(eventually(Millis(5000), [&] { return discovery.nodes(Side::Green)[1].state == "up"; }));
}

/// Something planted on a side, who must find it, and what takes it away.
struct Problem {
    const char* check;
    Side side;
    const char* database;
    const char* plant;
    const char* mend;
};

const std::vector<Problem>& problems() {
    static const std::vector<Problem> list = {
        {"OBJ01/blue/shop", Side::Blue, "shop", "create table bad_keyless(a int)", "alter table bad_keyless add primary key (a)"},
        {"OBJ04/blue/shop", Side::Blue, "shop", "create unlogged table bad_unlogged(a int primary key)", "alter table bad_unlogged set logged"},
        {"OBJ06/blue/shop_audit", Side::Blue, "shop_audit", "select lo_create(4711)", "select lo_unlink(oid) from pg_largeobject_metadata"},
        {"OBJ10/blue/shop", Side::Blue, "shop", "create table bad_generated(a int not null unique, b int generated always as (a + 1) stored, primary key (a, b))",
         "alter table bad_generated replica identity using index bad_generated_a_key"},
        {"OBJ13/blue/shop", Side::Blue, "shop", "create table bad_check(a int primary key); alter table bad_check add constraint positive check (a > 0) not valid",
         "alter table bad_check validate constraint positive"},
        {"OBJ14/blue/shop", Side::Blue, "shop",
         "create table bad_trigger(a int primary key); create trigger always before insert on bad_trigger for each row execute function suppress_redundant_updates_trigger(); alter table bad_trigger enable always trigger always",
         "alter table bad_trigger enable trigger always"},
        {"OBJ17/blue/shop", Side::Blue, "shop", "create table bad_rls(a int primary key); alter table bad_rls enable row level security; alter role tealdeck_repl nobypassrls", "alter role tealdeck_repl bypassrls"},
        {"SEC01/green", Side::Green, "postgres", "alter role tealdeck_repl noreplication", "alter role tealdeck_repl replication"},
        {"SEC02/blue/shop", Side::Blue, "shop", "revoke pg_read_all_data from tealdeck_repl", "grant pg_read_all_data to tealdeck_repl"},
        {"SEC08/blue", Side::Blue, "postgres", "create role bad_admin superuser login", "alter role bad_admin nologin"},
        {"SEC09/blue/shop", Side::Blue, "shop", "create role bad_writers; grant create on schema public to bad_writers; grant bad_writers to shop_reader", "revoke bad_writers from shop_reader"},
        {"SES02/blue", Side::Blue, "shop", "begin; select pg_current_xact_id(); prepare transaction 'bad'", "rollback prepared 'bad'"},
        {"GRN01/shop", Side::Green, "postgres", "create database shop", "drop database shop with (force)"},
        {"CMP03/shop", Side::Green, "postgres", "create database shop encoding 'LATIN1' lc_collate 'C' lc_ctype 'C' template template0", "drop database shop with (force)"},
        {"SRV08/green", Side::Green, "postgres", "alter system set idle_replication_slot_timeout = '1h'", "alter system set idle_replication_slot_timeout = 0"},
        {"SRV11/blue", Side::Blue, "postgres", "alter system set full_page_writes = off", "alter system set full_page_writes = on"},
        {"CMP08/green", Side::Blue, "postgres", "alter role tealdeck_repl nologin", "alter role tealdeck_repl login"},
    };
    return list;
}

TEST_F(Checks, EachPlantedProblemIsFoundAndItsFixMendsIt) {
    ASSERT_NO_FATAL_FAILURE(startLab(0));
    m_plan.replication.identityFull = false;
    // The shop's own table without a key would hide the planted one.
    m_lab->run(Side::Blue, "shop",
               "do $$ declare t record; begin for t in select c.oid::regclass as name from pg_class c join pg_namespace n on n.oid = c.relnamespace where c.relkind in ('r', 'p') and n.nspname !~ '^pg_' and "
               "n.nspname <> 'information_schema' and not c.relispartition and not exists (select from pg_index i where i.indrelid = c.oid and i.indisprimary) loop "
               "execute format('alter table %s add column planted_key bigint generated always as identity primary key', t.name); end loop; end $$");
    m_lab->run(Side::Blue, "postgres", "alter system set max_prepared_transactions = 4");
    ::kill(m_lab->pidOf("blue-primary"), SIGINT);
    ASSERT_TRUE(eventually(Millis(10000), [&] { return ::kill(m_lab->pidOf("blue-primary"), 0) != 0; }));
    ASSERT_TRUE(restartLabProcess(m_lab->state().options.dir, "blue-primary").ok());
    for (const Problem& p : problems()) {
        SCOPED_TRACE(p.check);
        EXPECT_NE(resultOf(p.check), CheckResult::Fail) << "before: " << m_actual;
        m_lab->run(p.side, p.database, p.plant);
        m_lab->run(p.side, "postgres", "select pg_reload_conf(), pg_sleep(0.1)");
        EXPECT_EQ(resultOf(p.check), CheckResult::Fail) << "planted: " << m_actual;
        m_lab->run(p.side, p.database, p.mend);
        m_lab->run(p.side, "postgres", "select pg_reload_conf(), pg_sleep(0.1)");
        EXPECT_EQ(resultOf(p.check), CheckResult::Pass) << "mended: " << m_actual;
    }
}

TEST_F(Checks, WhatCannotBeAskedIsUnknown) {
    ASSERT_NO_FATAL_FAILURE(startLab(0));
    m_lab->run(Side::Blue, "shop", "revoke execute on function pg_catalog.pg_control_system() from public");
    m_lab->run(Side::Blue, "postgres", "revoke execute on function pg_catalog.pg_control_system() from public; create role weak login; grant connect on database shop to weak");
    // A console role that may not look: never a pass.
    Plan weak = m_plan;
    m_lab->run(Side::Blue, "postgres", "alter role weak password '" + m_lab->password("shop_app") + "'");
    weak.blue.primary.user = "weak";
    const std::string passfile = m_lab->state().path("engine/weak.pass").string();
    ASSERT_TRUE(writeFileAtomically(passfile, "*:*:*:*:" + m_lab->password("shop_app") + "\n").ok());
    weak.blue.primary.passfile = passfile;
    const std::vector<CheckState> asked = runChecks(Connector(weak, "tealdeck/lab/1"), {});
    EXPECT_EQ(find(asked, "CMP02")->result, CheckResult::Unknown) << shown(*find(asked, "CMP02"));
    EXPECT_EQ(find(asked, "SEC00/blue")->result, CheckResult::Fail);

    ::kill(m_lab->pidOf("green-primary"), SIGSTOP);
    const Deadline bounded(Millis(15000));
    const std::vector<CheckState> frozen = run();
    EXPECT_FALSE(bounded.passed()) << "a hung server costs one time-out, not one for each check";
    ::kill(m_lab->pidOf("green-primary"), SIGCONT);
    for (const char* id : {"SRV02/green", "SRV03/green", "SEC01/green", "CMP01", "CMP02", "CMP03/shop", "CMP05/shop", "GRN01/shop", "CMP08/green"}) {
        ASSERT_NE(find(frozen, id), nullptr) << id;
        EXPECT_EQ(find(frozen, id)->result, CheckResult::Unknown) << shown(*find(frozen, id));
        EXPECT_FALSE(find(frozen, id)->actual.empty());
    }
    EXPECT_EQ(find(frozen, "SRV02/blue")->result, CheckResult::Pass);
    ::kill(m_lab->pidOf("pooler-1"), SIGKILL);
    ASSERT_TRUE(eventually(Millis(2000), [&] { return ::kill(m_lab->pidOf("pooler-1"), 0) != 0; }));
    const std::vector<CheckState> noPooler = run();
    EXPECT_EQ(find(noPooler, "PGB01/pooler-1")->result, CheckResult::Fail);
    EXPECT_EQ(find(noPooler, "PGB02/pooler-1")->result, CheckResult::Unknown);
}

TEST_F(Checks, MixedUpEndpointsAreFound) {
    ASSERT_NO_FATAL_FAILURE(startLab(1));
    const Plan good = m_plan;
    std::swap(m_plan.blue, m_plan.green);
    EXPECT_EQ(resultOf("CMP01"), CheckResult::Fail) << m_actual;
    m_plan = good;
    m_plan.blue.primary.port = good.blue.replicas[0].port;
    EXPECT_EQ(resultOf("CMP02"), CheckResult::Fail);
    EXPECT_NE(m_actual.find("blue primary is a standby"), std::string::npos) << m_actual;
    EXPECT_NE(m_actual.find("are the same server"), std::string::npos) << m_actual;
    EXPECT_EQ(resultOf("SRV01/blue"), CheckResult::Fail);
    m_plan = good;
    m_plan.green.replicas[0].port = good.blue.replicas[0].port;
    EXPECT_EQ(resultOf("CMP02"), CheckResult::Fail);
    EXPECT_NE(m_actual.find("another cluster"), std::string::npos) << m_actual;
}

} // namespace
} // namespace tealdeck::test
