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
    const Result<Side> target = PgBouncer(s.plan().pgbouncers[s.router], s.plan()).targetOf(status);
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
         .evaluate = withPooler(loginRetry)},
        {.id = "PGB04",
         .family = family,
         .scope = EachPooler,
         .when = Always,
         .question = "Do waiting clients outlast the pause?",
         .why = "A client that waits longer than query_wait_timeout is thrown out.",
         .expected = "query_wait_timeout 0, or more than twice the budget",
         .fix = "Raise query_wait_timeout and RELOAD.",
         .source = "pgbouncer(5), query_wait_timeout",
         .evaluate = withPooler(waitTimeout)},
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
         .evaluate = databasesFile},
        {.id = "HAP01",
         .family = family,
         .scope = EachBalancer,
         .when = Always,
         .question = "Does the balancer answer, with the backend and the servers of the plan?",
         .why = "The read ramp works through its runtime socket.",
         .expected = "all servers of the plan in the backend",
         .fix = "Start HAProxy, open its runtime socket with level admin, or correct the names in the plan.",
         .source = "HAProxy management guide, 9.3",
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
         .source = "HAProxy management guide, 9.3",
         .evaluate = balancerServes,
         .validForSeconds = 60},
    };
}

} // namespace tealdeck
