// SPDX-License-Identifier: GPL-3.0-or-later
// What travels in the clear, and what it would cost to keep it so.
#include "core/checks/advice.h"
#include "core/checks/catalogue.h"
#include "core/checks/cost.h"

#include <fmt/format.h>
#include <set>

namespace tealdeck {

using enum CheckScope;
using enum CheckWhen;

namespace {

bool verifies(const std::string& sslmode) {
    return sslmode == "verify-ca" || sslmode == "verify-full";
}

CheckAnswer planEncrypts(const CheckSubject& s) {
    std::vector<std::string> found;
    if (!verifies(s.plan().replication.sslmode)) {
        found.push_back("replication.sslmode = " + s.plan().replication.sslmode);
    }
    for (const Side side : {Side::Blue, Side::Green}) {
        const Environment& environment = s.plan().side(side);
        // A folder is a Unix socket: nothing leaves the host.
        if (!verifies(environment.primary.sslmode) && environment.primary.host.rfind('/', 0) != 0) {
            found.push_back(fmt::format("{}.primary.sslmode = {}", sideName(side), environment.primary.sslmode));
        }
    }
    return CheckAnswer::findings(found);
}

/// The larger one must hold what the smaller one's databases have now, and their indexes and WAL.
CheckAnswer room(const CheckSubject& s) {
    const Result<Rows> rows = s.sessions.query(s.side, "", "select sum(pg_database_size(oid)) / 1e9 from pg_database");
    if (!rows) {
        return findingsOf(rows);
    }
    const double data = std::strtod(rows->text(0, 0).c_str(), nullptr);
    const double disk = s.plan().side(otherSide(s.side)).primary.storageGb;
    const std::string found = fmt::format("{:.2f} GB here, {:.0f} GB of disk on {}", data, disk, sideName(otherSide(s.side)));
    return data * 1.3 <= disk ? CheckAnswer::pass(found) : CheckAnswer::fail(found);
}

CheckAnswer strategy(const CheckSubject& s) {
    const char* sql = "select current_setting('server_version_num')";
    const Result<Rows> blue = s.sessions.query(Side::Blue, "", sql);
    const Result<Rows> green = s.sessions.query(Side::Green, "", sql);
    if (!blue || !green) {
        return findingsOf(blue ? green : blue);
    }
    const UpgradeAdvice advice = adviseUpgrade(std::atoi(blue->text(0, 0).c_str()), std::atoi(green->text(0, 0).c_str()));
    const std::string found = advice.summary + " " + advice.reason;
    return advice.strategy == "blue-green" ? CheckAnswer::pass(found) : CheckAnswer::fail(found);
}

/// Since GREEN began to cost by the plan's word; the recording's begin is not known to a check.
CheckAnswer cost(const CheckSubject& s) {
    const CostReport report = costOf(s.plan(), Clock::system().wallUs(), 0);
    std::string found;
    for (const std::string& line : costLines(report)) {
        found += (found.empty() ? "" : "; ") + line;
    }
    return report.missing.empty() && report.breaks.empty() ? CheckAnswer::pass(found) : CheckAnswer::fail(found);
}

} // namespace

std::vector<CheckDefinition> networkChecks() {
    return {
        {.id = "ADV01",
         .family = "advice",
         .severity = Severity::Info,
         .scope = Pair,
         .question = "Is blue-green the fitting way for this upgrade?",
         .why = "A minor release needs no second environment; a new major can't be tried on the old data folder.",
         .expected = "a step to another major",
         .fix = "For a minor release install it and restart the replicas, then the primary, after smoke tests on one replica.",
         .source = "PostgreSQL manual, Upgrading a PostgreSQL Cluster; versioning policy",
         .evaluate = strategy},
        {.id = "ADV02",
         .family = "advice",
         .severity = Severity::Info,
         .scope = Pair,
         .when = Always,
         .question = "Is what the second environment costs known, and is it as strong as the first?",
         .why = "Two environments cost twice; a cheaper one may be slower in the hour when it counts.",
         .expected = "a price for every server, and GREEN no weaker than BLUE",
         .fix = "Complete [cost] in the plan, or choose another instance for GREEN.",
         .source = "[cost] in the plan",
         .evaluate = cost,
         .existsFor = [](const Plan& plan) { return !plan.cost.currency.empty(); },
         .blocksRollback = false},
        {.id = "NET01",
         .family = "network",
         .scope = EachPrimary,
         .when = Always,
         .question = "Do the servers speak TLS with each other?",
         .why = "Every row and the replication role's log-in cross the network.",
         .expected = "each connection of a standby or a subscription encrypted, but those on the host itself",
         .fix = "Set sslmode = verify-full in primary_conninfo or in [replication] of the plan.",
         .source = "PostgreSQL manual, pg_stat_ssl",
         .sql = "select format('%s of %s from %s', r.application_name, r.usename, r.client_addr) from pg_stat_replication r left join "
                "pg_stat_ssl t on t.pid = r.pid where r.client_addr is not null "
                "and not coalesce(t.ssl, false)",
         .blocksRollback = false},
        {.id = "NET02",
         .family = "network",
         .severity = Severity::Warning,
         .scope = Pair,
         .when = Always,
         .question = "Does everyone prove that they speak to the right server?",
         .why = "Without verify-full or verify-ca another machine can take the server's place and read or change everything.",
         .expected = "sslmode verify-full or verify-ca in the plan",
         .fix = "Set sslmode = \"verify-full\" and sslrootcert.",
         .source = "PostgreSQL manual, Client Verification of Server Certificates",
         .evaluate = planEncrypts},
        {.id = "CAP01",
         .family = "capacity",
         .scope = Pair,
         .question = "Has the other side's disk room for the data?",
         .why = "A full disk in the middle of the copy costs the whole copy.",
         .expected = "storage_gb of its primary at least 1.3 times the data",
         .fix = "Enlarge the disk, and storage_gb in the plan with it.",
         .source = "storage_gb in the plan; pg_database_size()",
         .evaluate = room,
         .existsFor = [](const Plan& plan) { return plan.green.primary.storageGb > 0; }},
    };
}

} // namespace tealdeck
