// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/engine/teardown_steps.h"

#include "core/control/control_store.h"
#include "core/cutover/sessions.h"
#include "core/replication/drift.h"
#include "core/replication/link.h"
#include "core/replication/schema_copy.h"
#include "core/replication/schema_rehearsal.h"
#include "core/util/files.h"

#include <fmt/format.h>
#include <optional>

namespace tealdeck {
namespace {

constexpr Millis ROUTER_LIMIT{3000};

struct Teardown {
    explicit Teardown(TeardownContext c) : context(c), plan(c.connector.plan()) {}

    TeardownContext context;
    const Plan& plan;
    std::optional<SideSessions> blue;
    std::optional<SideSessions> green;

    Status open() {
        auto openedBlue = SideSessions::open(context.connector, Side::Blue, Millis(10000));
        if (openedBlue) {
            blue.emplace(std::move(*openedBlue));
        }
        auto openedGreen = SideSessions::open(context.connector, Side::Green, Millis(10000));
        if (openedGreen) {
            green.emplace(std::move(*openedGreen));
        }
        // An abort goes on with the side that answers; green may not even have the databases yet.
        return blue || green ? Status() : Status(openedBlue.error());
    }

    Status readsToBlue() {
        Status status;
        for (const auto& balancer : context.balancers) {
            Status one;
            if (const Result<std::string> saved = readFile(savedRouterFile(plan, balancer->name())); saved.ok()) {
                one = balancer->restore(parseJson(*saved).value_or(Json::object()), ROUTER_LIMIT);
            }
            status = one.ok() ? status : one;
        }
        return status;
    }

    Status restorePoolers() {
        Status status;
        for (const auto& pooler : context.poolers) {
            const std::filesystem::path file = savedRouterFile(plan, pooler->name());
            if (std::error_code none; !std::filesystem::exists(file, none)) {
                continue;
            }
            const Status one = pooler->restoreOriginal(file, ROUTER_LIMIT);
            status = one.ok() ? status : one;
        }
        for (const auto& router : context.routers) {
            const Result<std::string> saved = readFile(savedRouterFile(plan, router->name()));
            const Status one = saved ? router->restore(parseJson(*saved).value_or(Json::object()), ROUTER_LIMIT) : Status();
            status = one.ok() ? status : one;
        }
        return status;
    }

    Status endFeed(Direction direction) {
        Status status;
        for (std::size_t i = 0; i < plan.databases.size(); ++i) {
            if (!blue || !green) {
                return Error{Error::Kind::Unavailable,
                             fmt::format("Left over: the {} feed; {} does not answer.", directionName(direction), blue ? "green" : "blue"),
                             fmt::format("Drop subscription {} and slots {}_*.", subscriptionName(plan, direction),
                                         subscriptionName(plan, direction)),
                             {}};
            }
            Connection& source = direction == Direction::Forward ? (*blue)[i] : (*green)[i];
            Connection& destination = direction == Direction::Forward ? (*green)[i] : (*blue)[i];
            const Status one = Link(plan, direction, plan.databases[i], source, destination).retire(Millis(10000));
            status = one.ok() ? status : one;
        }
        return status;
    }

    /// Publication, identities and, unless it is still needed there, the control schema of one side.
    Status clean(std::optional<SideSessions>& side, bool removeControl) {
        Status status;
        for (std::size_t i = 0; side && i < side->size(); ++i) {
            Connection& session = (*side)[i];
            const auto saved = control::readSaved(session, "replica_identity");
            if (saved.ok() && *saved) {
                const Status one = schema_copy::restoreReplicaIdentities(session, **saved);
                status = one.ok() ? status : one;
            }
            const Result<Rows> witness =
                session.query("select pg_drop_replication_slot(slot_name) from pg_replication_slots where slot_name = $1",
                              {witnessName(plan, plan.databases[i])}, Millis(10000));
            status = witness.ok() ? status : Status(witness.error());
            const Status unguarded = drift::removeGuard(session);
            status = unguarded.ok() ? status : unguarded;
            const Status unpublished = Link::unpublish(plan, session);
            status = unpublished.ok() ? status : unpublished;
            if (removeControl) {
                const Status removed = control::remove(session);
                status = removed.ok() ? status : removed;
            }
        }
        return status;
    }

    Status dropScratch() const {
        auto admin = context.connector.primary(Side::Green, {});
        return admin.ok() ? schema_copy::dropRehearsal(plan, **admin) : Status(admin.error());
    }

    Status copyIdentitiesToGreen() {
        for (std::size_t i = 0; blue && green && i < plan.databases.size(); ++i) {
            const Result<SideRow> row = control::readSide((*green)[i]);
            if (row.ok() && row->role == SideRole::None) {
                continue; // cleaned by an earlier attempt, which restored the identities before it removed the schema
            }
            const auto saved = control::readSaved((*blue)[i], "replica_identity");
            if (saved.ok() && *saved) {
                if (const Status kept = control::saveOnce((*green)[i], "replica_identity", **saved); !kept) {
                    return kept;
                }
            }
        }
        return {};
    }
};

Step make(const char* id, const char* title, std::function<Status(StepContext&)> run, const char* waitsFor) {
    Step s;
    s.id = id;
    s.title = title;
    s.run = std::move(run);
    s.limit = Millis(60000);
    s.waitsFor = waitsFor;
    s.onTimeout = "it is named as left over; run the command again";
    s.safety = true;
    return s;
}

} // namespace

std::filesystem::path savedRouterFile(const Plan& plan, const std::string& router) {
    return plan.engineFolder / ("before-" + sha256Hex(router).substr(0, 12));
}

Status keepRouterStates(const Plan& plan, const WriteRouters& routers) {
    for (const auto& router : routers) {
        const std::filesystem::path file = savedRouterFile(plan, router->name());
        if (std::error_code none; std::filesystem::exists(file, none)) {
            continue;
        }
        const Result<Json> state = router->save(ROUTER_LIMIT);
        if (!state) {
            return state.error();
        }
        if (const Status kept = writeFileAtomically(file, dumpJson(*state)); !kept) {
            return kept;
        }
    }
    return {};
}

std::vector<Step> abortSteps(TeardownContext context) {
    auto t = std::make_shared<Teardown>(context);
    return {
        make(
            "abort.reads", "Return reads to BLUE", [t](StepContext&) { return t->readsToBlue(); }, "the load balancer"),
        make(
            "abort.poolers", "Give poolers and routers back what they had", [t](StepContext&) { return t->restorePoolers(); },
            "the poolers"),
        make(
            "abort.sessions", "Reach both sides", [t](StepContext&) { return t->open(); }, "both primaries"),
        make(
            "abort.forward", "Remove the feed to GREEN", [t](StepContext&) { return t->green ? t->endFeed(Direction::Forward) : Status(); },
            "both primaries"),
        make(
            "abort.reverse", "Remove the feed to BLUE", [t](StepContext&) { return t->green ? t->endFeed(Direction::Reverse) : Status(); },
            "both primaries"),
        make(
            "abort.green", "Clean GREEN",
            [t](StepContext&) {
                const Status scratch = t->dropScratch();
                const Status cleaned = t->clean(t->green, true);
                return cleaned.ok() ? scratch : cleaned;
            },
            "GREEN"),
        make(
            "abort.blue", "Leave BLUE as it was found", [t](StepContext&) { return t->clean(t->blue, true); }, "BLUE"),
    };
}

Result<bool> isLeftToFinalize(const Connector& connector) {
    const Plan& plan = connector.plan();
    bool left = false;
    for (const Side side : {Side::Blue, Side::Green}) {
        const auto sessions = SideSessions::open(connector, side, Millis(5000));
        if (!sessions) {
            return sessions.error();
        }
        for (std::size_t i = 0; i < sessions->size(); ++i) {
            const Result<Rows> found = (*sessions)[i].query(
                "select exists (select from pg_subscription s join pg_database d on d.oid = s.subdbid where d.datname = current_database() "
                "and subname in ($1, $2)) or exists (select from pg_replication_slots where slot_name in ($3, $4)) or exists (select from "
                "pg_publication where pubname = $5) or ($6 = 'green' and to_regnamespace('tealdeck') is not null)",
                {subscriptionName(plan, Direction::Forward), subscriptionName(plan, Direction::Reverse),
                 slotName(plan, Direction::Forward, plan.databases[i]), slotName(plan, Direction::Reverse, plan.databases[i]),
                 publicationName(plan), sideName(side)});
            if (!found) {
                return found.error();
            }
            left = left || found->text(0, 0) == "t";
        }
    }
    return left;
}

std::vector<Step> finalizeSteps(TeardownContext context) {
    auto t = std::make_shared<Teardown>(context);
    return {
        make(
            "finalize.sessions", "Reach both sides", [t](StepContext&) { return t->open(); }, "both primaries"),
        make(
            "finalize.reverse", "End the feed to BLUE", [t](StepContext&) { return t->endFeed(Direction::Reverse); }, "both primaries"),
        make(
            "finalize.forward", "Remove what is left of the feed to GREEN", [t](StepContext&) { return t->endFeed(Direction::Forward); },
            "both primaries"),
        make(
            "finalize.green", "Clean GREEN",
            [t](StepContext&) {
                const Status copied = t->copyIdentitiesToGreen();
                return copied.ok() ? t->clean(t->green, true) : copied;
            },
            "GREEN"),
        // Blue keeps its fence, and the control schema that knows what to give back should someone want to use it for something else.
        make(
            "finalize.blue", "Unpublish on BLUE, which stays fenced", [t](StepContext&) { return t->clean(t->blue, false); }, "BLUE"),
    };
}

} // namespace tealdeck
