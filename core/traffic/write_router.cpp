// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/traffic/write_router.h"

#include "core/postgres/admin_console.h"
#include "core/traffic/command_router.h"
#include "core/traffic/dns_router.h"
#include "core/traffic/haproxy_writes.h"
#include "core/traffic/service_file_router.h"

#include <fmt/format.h>
#include <thread>

namespace tealdeck {
namespace {

/// The same act on all at once: clients of one router need not wait for another.
template <class Act>
Status atOnce(const WriteRouters& routers, const Act& act) {
    std::vector<Status> results(routers.size());
    std::vector<std::thread> threads;
    for (std::size_t i = 1; i < routers.size(); ++i) {
        threads.emplace_back([&, i] { results[i] = act(*routers[i]); });
    }
    if (!routers.empty()) {
        results[0] = act(*routers[0]);
    }
    for (std::thread& thread : threads) {
        thread.join();
    }
    for (const Status& result : results) {
        if (!result) {
            return result;
        }
    }
    return {};
}

Status mustLeadTo(WriteRouter& router, Side side, Millis limit) {
    const Result<std::optional<Side>> now = router.target(limit);
    if (!now) {
        return now.error();
    }
    if (!*now || **now != side) {
        return Error{
            Error::Kind::Conflict,
            fmt::format("{}: {} leads to {}, not to {}.", router.name(), router.what(), *now ? sideName(**now) : "nobody", sideName(side)),
            "Point it there by hand, or correct the plan.",
            {}};
    }
    return {};
}

} // namespace

WriteRouters makeWriteRouters(const Plan& plan) {
    WriteRouters routers;
    for (const HaproxyPlan& haproxy : plan.routers.haproxies) {
        routers.push_back(std::make_unique<HaproxyWrites>(haproxy));
    }
    for (const ServiceFilePlan& file : plan.routers.serviceFiles) {
        routers.push_back(std::make_unique<ServiceFileRouter>(file));
    }
    for (const DnsPlan& dns : plan.routers.dns) {
        routers.push_back(std::make_unique<DnsRouter>(dns));
    }
    for (const RouterCommandPlan& command : plan.routers.commands) {
        routers.push_back(std::make_unique<CommandRouter>(command, plan));
    }
    return routers;
}

Status stageRouters(const WriteRouters& routers, Side from, Millis limit) {
    for (const auto& router : routers) {
        if (const Status leads = mustLeadTo(*router, from, limit); !leads) {
            return leads;
        }
        if (const std::vector<std::string> obstacles = router->obstacles(limit); !obstacles.empty()) {
            return Error{Error::Kind::Refused, fmt::format("{} could not be moved: {}", router->name(), obstacles.front()), {}, {}};
        }
    }
    return {};
}

Status closeRouters(const WriteRouters& routers, Millis limit) {
    return atOnce(routers, [limit](WriteRouter& router) { return router.close(limit); });
}

Status shiftRouters(const WriteRouters& routers, Side to, Millis limit) {
    return atOnce(routers, [to, limit](WriteRouter& router) { return router.shift(to, limit); });
}

Status confirmRouters(const WriteRouters& routers, const Plan& plan, Side to, const std::string& expected, Millis limit) {
    for (const auto& router : routers) {
        if (const Status leads = mustLeadTo(*router, to, limit); !leads) {
            return leads;
        }
        const Result<std::optional<RouterEndpoint>> endpoint = router->endpoint(limit);
        if (!endpoint) {
            return endpoint.error();
        }
        if (!*endpoint) {
            continue;
        }
        const Result<std::string> found = identityThrough(plan.side(to).primary, plan.controlDatabase(), **endpoint, limit);
        if (!found) {
            Error error = found.error();
            error.message = fmt::format("{}: {}", router->name(), error.message);
            return error;
        }
        if (*found != expected) {
            return Error{Error::Kind::Conflict,
                         fmt::format("{}: behind {}:{} answers the server {}, not {}'s {}.", router->name(), (*endpoint)->host,
                                     (*endpoint)->port, *found, sideName(to), expected),
                         "Look at what else stands between the clients and the servers.",
                         {}};
        }
    }
    return {};
}

Result<std::string> identityThrough(const Endpoint& credentials, const std::string& database, const RouterEndpoint& at, Millis limit) {
    const Deadline deadline(limit);
    const AdminConsole::Options options{at.host,
                                        at.port,
                                        credentials.user,
                                        credentials.passfile,
                                        credentials.sslmode,
                                        credentials.sslrootcert,
                                        fmt::format("{}:{}", at.host, at.port),
                                        at.hostaddr,
                                        database};
    const auto session = AdminConsole::open(options, deadline.left());
    if (!session) {
        Error error = session.error();
        error.remedy = "Is the endpoint in the plan the one that clients use?";
        return error;
    }
    const Result<Rows> rows = (*session)->command("select system_identifier from pg_catalog.pg_control_system()", deadline.left());
    return rows ? Result<std::string>(rows->text(0, 0)) : Result<std::string>(rows.error());
}

} // namespace tealdeck
