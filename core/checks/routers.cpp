// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/checks/catalogue.h"
#include "core/traffic/databases_file.h"
#include "core/util/files.h"

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <fmt/format.h>
#include <unistd.h>

namespace tealdeck {

using enum CheckScope;
using enum CheckWhen;

namespace {

CheckAnswer poolerReachable(const CheckSubject& s) {
    const Result<PoolerStatus>& status = s.sessions.pooler(s.router);
    return status ? CheckAnswer::pass("PgBouncer " + status->version) : CheckAnswer::fail(status.error().text());
}

/// A check on a status that must be there.
std::function<CheckAnswer(const CheckSubject&)> withPooler(CheckAnswer (*evaluate)(const CheckSubject&, const PoolerStatus&)) {
    return [evaluate](const CheckSubject& s) {
        const Result<PoolerStatus>& status = s.sessions.pooler(s.router);
        return status ? evaluate(s, *status) : CheckAnswer::unknown(status.error().text());
    };
}

CheckAnswer poolMode(const CheckSubject& s, const PoolerStatus& status) {
    std::vector<std::string> found;
    for (const PoolerDatabase& database : status.databases) {
        const auto& ours = s.plan().pgbouncers[s.router].databases;
        if (std::find(ours.begin(), ours.end(), database.name) != ours.end() && database.poolMode == "session") {
            found.push_back(database.name + " is pooled by session");
        }
    }
    return CheckAnswer::findings(found);
}

/// A setting in seconds; std::nullopt when this PgBouncer does not show it.
std::optional<double> seconds(const PoolerStatus& status, const char* key) {
    const auto it = status.config.find(key);
    return it == status.config.end() || it->second.empty() ? std::nullopt : std::optional<double>(std::strtod(it->second.c_str(), nullptr));
}

CheckAnswer loginRetry(const CheckSubject&, const PoolerStatus& status) {
    const std::optional<double> value = seconds(status, "server_login_retry");
    if (!value) {
        return CheckAnswer::unknown("SHOW CONFIG does not tell server_login_retry.");
    }
    const std::string found = fmt::format("server_login_retry = {}", *value);
    return *value <= 1 ? CheckAnswer::pass(found) : CheckAnswer::fail(found);
}

CheckAnswer waitTimeout(const CheckSubject& s, const PoolerStatus& status) {
    const std::optional<double> value = seconds(status, "query_wait_timeout");
    if (!value) {
        return CheckAnswer::unknown("SHOW CONFIG does not tell query_wait_timeout.");
    }
    const std::string found = fmt::format("query_wait_timeout = {}, the budget is {} ms", *value, s.plan().cutover.budget.count());
    // 0 is "for ever"; twice the budget, because the way back takes time as well.
    return *value == 0 || *value * 1000 > 2.0 * static_cast<double>(s.plan().cutover.budget.count()) ? CheckAnswer::pass(found)
                                                                                                     : CheckAnswer::fail(found);
}

CheckAnswer poolerTarget(const CheckSubject& s, const PoolerStatus& status) {
    const Result<Side> target = PgBouncer(s.plan().pgbouncers[s.router], s.plan()).targetOf(status.databases);
    if (!target) {
        return CheckAnswer::fail(target.error().text());
    }
    const std::string found = fmt::format("points to {}", sideName(*target));
    return *target == s.side ? CheckAnswer::pass(found) : CheckAnswer::fail(found);
}

CheckAnswer databasesFile(const CheckSubject& s) {
    const PgBouncerPlan& pooler = s.plan().pgbouncers[s.router];
    const Result<std::string> bytes = readFile(pooler.databasesFile);
    if (!bytes) {
        return CheckAnswer::fail(bytes.error().text());
    }
    if (const Result<std::string> changed = retargetDatabases(*bytes, pooler.databases, "host", 1); !changed) {
        return CheckAnswer::fail(pooler.databasesFile + ": " + changed.error().text());
    }
    const std::string folder = std::filesystem::path(pooler.databasesFile).parent_path().string();
    for (const std::string& path : {pooler.databasesFile, folder}) {
        if (::access(path.c_str(), W_OK) != 0) {
            return CheckAnswer::fail(fmt::format("{} can't be written: {}", path, systemReason(errno)));
        }
    }
    return CheckAnswer::pass();
}

/// 1.23.0 may crash when it reloads its configuration, which the switch does.
CheckAnswer poolerVersion(const CheckSubject&, const PoolerStatus& status) {
    return poolerRelease(status.version);
}

/// All connections that the poolers may open together, against what the destination takes.
CheckAnswer poolerConnections(const CheckSubject& s) {
    double wanted = 0;
    for (std::size_t i = 0; i < s.plan().pgbouncers.size(); ++i) {
        const Result<PoolerStatus>& status = s.sessions.pooler(i);
        const std::optional<double> size = status ? seconds(*status, "default_pool_size") : std::nullopt;
        if (!size) {
            return CheckAnswer::unknown(status ? "SHOW CONFIG does not tell default_pool_size." : status.error().text());
        }
        wanted += *size * static_cast<double>(s.plan().pgbouncers[i].databases.size());
    }
    const Result<Rows> room = s.sessions.query(
        otherSide(s.side), "", "select current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int");
    if (!room) {
        return findingsOf(room);
    }
    const std::string found = fmt::format("the poolers' default_pool_size makes {} for each user, {} has room for {}", wanted,
                                          sideName(otherSide(s.side)), room->text(0, 0));
    return wanted <= std::strtod(room->text(0, 0).c_str(), nullptr) ? CheckAnswer::pass(found) : CheckAnswer::fail(found);
}

/// Before there is anything on green, no read may go there.
CheckAnswer greenTakesNoReads(const CheckSubject& s) {
    const Result<HaproxyStatus>& status = s.sessions.balancer(s.router);
    if (!status) {
        return CheckAnswer::unknown(status.error().text());
    }
    std::vector<std::string> found;
    for (const BalancerServer& server : status->servers) {
        if (server.side == Side::Green && server.running && server.weight > 0) {
            found.push_back(fmt::format("{} takes reads with weight {}", server.name, server.weight));
        }
    }
    return CheckAnswer::findings(found);
}

CheckAnswer blueServersRun(const CheckSubject& s) {
    const Result<HaproxyStatus>& status = s.sessions.balancer(s.router);
    if (!status) {
        return CheckAnswer::unknown(status.error().text());
    }
    std::vector<std::string> found;
    for (const BalancerServer& server : status->servers) {
        if (server.side == Side::Blue && !server.running) {
            found.push_back(fmt::format("{} is {}, {}", server.name, server.state, server.status));
        }
    }
    return CheckAnswer::findings(found);
}

CheckAnswer balancerReachable(const CheckSubject& s) {
    const Result<HaproxyStatus>& status = s.sessions.balancer(s.router);
    return status ? CheckAnswer::pass(fmt::format("{} servers", status->servers.size())) : CheckAnswer::fail(status.error().text());
}

CheckAnswer balancerServes(const CheckSubject& s) {
    const Result<HaproxyStatus>& status = s.sessions.balancer(s.router);
    if (!status) {
        return CheckAnswer::unknown(status.error().text());
    }
    const bool any = std::any_of(status->servers.begin(), status->servers.end(),
                                 [](const BalancerServer& server) { return server.running && server.weight > 0; });
    return any ? CheckAnswer::pass() : CheckAnswer::fail("no server of the plan takes sessions");
}

} // namespace

CheckAnswer poolerRelease(const std::string& version) {
    return version == "1.23.0" ? CheckAnswer::fail("PgBouncer " + version) : CheckAnswer::pass("PgBouncer " + version);
}

std::vector<CheckDefinition> routerChecks() {
    const std::string family = "routers";
    return {
        {.id = "PGB01",
         .family = family,
         .scope = EachPooler,
         .when = Always,
         .question = "Does the pooler's console answer?",
         .why = "Writes are paused and moved through it; a pooler that is forgotten keeps its clients on the old side.",
         .expected = "answers SHOW CONFIG and SHOW DATABASES",
         .fix = "Start PgBouncer, and add the plan's user to admin_users.",
         .source = "pgbouncer(1), Admin console",
         .evaluate = poolerReachable,
         .overridable = false,
         .validForSeconds = 60},
        {.id = "PGB02",
         .family = family,
         .scope = EachPooler,
         .when = Always,
         .question = "Are connections pooled by transaction?",
         .why = "With session pooling PAUSE waits until the clients leave.",
         .expected = "pool_mode transaction or statement for the plan's databases",
         .fix = "Set pool_mode = transaction and RELOAD.",
         .source = "pgbouncer(1), PAUSE; tried",
         .evaluate = withPooler(poolMode)},
        {.id = "PGB03",
         .family = family,
         .scope = EachPooler,
         .when = Always,
         .question = "Does the pooler try a failed log-in again at once?",
         .why = "A client that comes between RELOAD and RESUME stops its whole pool for server_login_retry, 15 s by default.",
         .expected = "server_login_retry at most 1",
         .fix = "Set server_login_retry = 0 and RELOAD.",
         .source = "PgBouncer issue 498; tried",
         .evaluate = withPooler(loginRetry),
         .blocksRollback = false},
        {.id = "PGB04",
         .family = family,
         .scope = EachPooler,
         .when = Always,
         .question = "Do waiting clients outlast the pause?",
         .why = "A client that waits longer than query_wait_timeout is thrown out.",
         .expected = "query_wait_timeout 0, or more than twice the budget",
         .fix = "Raise query_wait_timeout and RELOAD.",
         .source = "pgbouncer(5), query_wait_timeout",
         .evaluate = withPooler(waitTimeout),
         .blocksRollback = false},
        {.id = "PGB05",
         .family = family,
         .scope = EachPooler,
         .when = Always,
         .question = "Does the pooler send writes to the side that is production?",
         .why = "If it points elsewhere, the plan or the state is not what it seems.",
         .expected = "every database of the plan at the source's primary, written as in the plan",
         .fix = "Correct host and port in the databases file, or the plan; then RELOAD.",
         .source = "pgbouncer(1), SHOW DATABASES",
         .evaluate = withPooler(poolerTarget),
         .blocksRollback = false,
         .validForSeconds = 60},
        {.id = "PGB06",
         .family = family,
         .scope = EachPooler,
         .when = Always,
         .question = "Can the databases file be rewritten?",
         .why = "The switch replaces it by one with another host and port.",
         .expected = "readable, in a folder that can be written, with an entry for each database",
         .fix = "Give the engine's user the file and its folder, and each database an entry of its own.",
         .source = "pgbouncer(5), Include directive",
         .evaluate = databasesFile,
         .overridable = false},
        {.id = "PGB07",
         .family = family,
         .scope = EachPooler,
         .when = Always,
         .question = "Does this release of the pooler survive a RELOAD?",
         .why = "1.23.0 may crash when it reloads, and every switch reloads it.",
         .expected = "any other release",
         .fix = "Install 1.23.1 or newer.",
         .source = "PgBouncer changelog, 1.23.1, issues 1105 and 1120",
         .evaluate = withPooler(poolerVersion),
         .blocksRollback = false},
        {.id = "PGB08",
         .family = family,
         .severity = Severity::Warning,
         .scope = Pair,
         .when = Always,
         .question = "Does the other side have a place for each of the poolers' connections?",
         .why = "After RESUME all poolers connect at once; those that are refused make their clients wait.",
         .expected = "default_pool_size of all databases and poolers below max_connections",
         .fix = "Lower default_pool_size, or raise max_connections there.",
         .source = "pgbouncer(5), default_pool_size",
         .evaluate = poolerConnections,
         .existsFor = [](const Plan& plan) { return !plan.pgbouncers.empty(); }},
        {.id = "HAP03",
         .family = family,
         .scope = EachBalancer,
         .when = BeforeReplication,
         .question = "Does no read go to green yet?",
         .why = "Before the copy green is empty: a read there finds nothing, or an old state.",
         .expected = "green's servers in maintenance, or with weight 0",
         .fix = "set server BACKEND/SERVER state maint, on the runtime socket.",
         .source = "HAProxy management guide, Unix Socket commands",
         .evaluate = greenTakesNoReads,
         .validForSeconds = 60},
        {.id = "HAP04",
         .family = family,
         .severity = Severity::Warning,
         .scope = EachBalancer,
         .when = BeforeReplication,
         .question = "Do all of blue's servers take reads?",
         .why = "They carry all of production during the deployment; one that is out leaves less room.",
         .expected = "all ready and not down",
         .fix = "Bring it back: set server BACKEND/SERVER state ready.",
         .source = "HAProxy management guide, Unix Socket commands",
         .evaluate = blueServersRun,
         .validForSeconds = 60},
        {.id = "HAP01",
         .family = family,
         .scope = EachBalancer,
         .when = Always,
         .question = "Does the balancer answer, with the backend and the servers of the plan?",
         .why = "The read ramp works through its runtime socket.",
         .expected = "all servers of the plan in the backend",
         .fix = "Start HAProxy, open its runtime socket with level admin, or correct the names in the plan.",
         .source = "HAProxy management guide, Unix Socket commands",
         .evaluate = balancerReachable,
         .validForSeconds = 60},
        {.id = "HAP02",
         .family = family,
         .severity = Severity::Warning,
         .scope = EachBalancer,
         .when = Always,
         .question = "Does a server of the backend take sessions?",
         .why = "Otherwise reads fail already now.",
         .expected = "at least one",
         .fix = "set server BACKEND/SERVER state ready, on the runtime socket.",
         .source = "HAProxy management guide, Unix Socket commands",
         .evaluate = balancerServes,
         .validForSeconds = 60},
    };
}

} // namespace tealdeck
