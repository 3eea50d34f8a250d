// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/engine/replicate_steps.h"

#include "core/control/control_store.h"
#include "core/cutover/sessions.h"
#include "core/engine/replicate_finish.h"
#include "core/postgres/sql.h"
#include "core/replication/link.h"
#include "core/replication/schema_copy.h"
#include "core/replication/schema_rehearsal.h"
#include "core/util/files.h"

#include <fmt/format.h>
#include <optional>

namespace tealdeck {
namespace {

using schema_copy::SchemaPart;

constexpr Millis COPY_LIMIT{std::chrono::hours(24)};
constexpr Millis SCHEMA_LIMIT{std::chrono::minutes(30)};

/// Keys that apply may need, by name and definition.
constexpr const char* KEYS_SQL =
    "select format('%I.%I', n.nspname, c.relname), k.conname, pg_get_constraintdef(k.oid) from pg_constraint k join pg_class c on c.oid = "
    "k.conrelid join pg_namespace n on n.oid = c.relnamespace where k.contype in ('p', 'u', 'x') and n.nspname !~ '^(pg_|tealdeck)' and "
    "n.nspname <> 'information_schema' order by 1, 2";

Status asStatus(const Result<Rows>& result) {
    return result.ok() ? Status() : Status(result.error());
}

/// What the steps share.
struct Replicate {
    Replicate(const Connector& c, CopyOutlet outlet)
        : connector(c), plan(c.plan()),
          data(c, std::move(outlet), [this](std::size_t i, StepContext& context) { return restoreOnce(SchemaPart::Keys, i, context); }) {}

    const Connector& connector;
    const Plan& plan;
    std::optional<SideSessions> blue;
    std::optional<SideSessions> green;
    DataCopy data;

    [[nodiscard]] std::filesystem::path dumpFile(const std::string& database) const {
        return plan.engineFolder / fmt::format("schema-{}.dump", sha256Hex(database).substr(0, 12));
    }
    Status openBlue() {
        auto opened = SideSessions::open(connector, Side::Blue, Millis(10000));
        if (!opened) {
            return opened.error();
        }
        blue.emplace(std::move(*opened));
        return {};
    }

    Status openGreen() {
        auto opened = SideSessions::open(connector, Side::Green, Millis(10000));
        if (!opened) {
            return opened.error();
        }
        green.emplace(std::move(*opened));
        return {};
    }

    /// The publisher's role must be able to read the marker on both sides.
    Status prepareControl(SideSessions& sessions) {
        for (std::size_t i = 0; i < sessions.size(); ++i) {
            if (const Status installed = control::install(sessions[i]); !installed) {
                return installed;
            }
            if (const Status row = control::initialiseSide(sessions[i], plan.deployment, sessions.side()); !row) {
                return row;
            }
            const std::string role = quoteIdentifier(plan.replication.user);
            if (const auto granted = sessions[i].batch(
                    fmt::format("grant usage on schema tealdeck_sync to {0}; grant select on tealdeck_sync.marker to {0}", role));
                !granted) {
                return granted.error();
            }
        }
        return {};
    }

    Status identities() {
        for (std::size_t i = 0; plan.replication.identityFull && i < blue->size(); ++i) {
            const Result<Json> saved = schema_copy::addReplicaIdentities((*blue)[i]);
            if (!saved) {
                return saved.error();
            }
            if (saved->empty()) {
                continue; // also when this is a repetition: the first saved state must survive
            }
            if (const Status kept = control::saveOnce((*blue)[i], "replica_identity", *saved); !kept) {
                return kept;
            }
        }
        return {};
    }

    Status roles() {
        auto admin = connector.primary(Side::Green, {});
        return admin.ok() ? schema_copy::copyRoles(blue->control(), **admin) : Status(admin.error());
    }

    Status databases() {
        auto admin = connector.primary(Side::Green, {});
        if (!admin) {
            return admin.error();
        }
        for (const std::string& database : plan.databases) {
            if (const Status dropped = dropHalfMade(**admin, database); !dropped) {
                return dropped;
            }
            const Result<bool> created = schema_copy::createDatabase(blue->control(), **admin, database);
            if (!created) {
                return created.error();
            }
        }
        if (const Status opened = openGreen(); !opened) {
            return opened;
        }
        return prepareControl(*green);
    }

    /// A database of ours whose schema restore was interrupted is made again: it was never open to anyone.
    Status dropHalfMade(Connection& admin, const std::string& database) {
        const Result<Rows> there = admin.query("select 1 from pg_database where datname = $1", {database});
        if (!there || there->empty()) {
            return there.ok() ? Status() : Status(there.error());
        }
        auto session = connector.primary(Side::Green, database);
        if (!session) {
            return session.error();
        }
        const Result<SideRow> side = control::readSide(**session);
        const auto restored = control::readSaved(**session, "schema_restored");
        if (!side || !restored) {
            return (side.ok() ? restored.error() : side.error());
        }
        if (side->role != SideRole::Replica || *restored) {
            return {}; // not ours, or complete
        }
        session->reset();
        return asStatus(admin.batch(fmt::format("drop database if exists {} with (force)", quoteIdentifier(database)), Millis(30000)));
    }

    /// Only before the first restore: later the dump would hold what was built since.
    Status rehearsal(StepContext& context) {
        auto admin = connector.primary(Side::Green, {});
        if (!admin) {
            return admin.error();
        }
        for (std::size_t i = 0; plan.copy.rehearsal && i < plan.databases.size(); ++i) {
            const auto restored = control::readSaved((*green)[i], "schema_restored");
            if (!restored) {
                return restored.error();
            }
            if (*restored) {
                continue;
            }
            context.report(fmt::format("the schema of {} in a scratch database", plan.databases[i]),
                           static_cast<double>(i) / static_cast<double>(plan.databases.size()));
            const std::filesystem::path file = dumpFile(plan.databases[i]).string() + ".rehearsal";
            if (const Status done = schema_copy::rehearse(plan, plan.databases[i], file, (*blue)[i], **admin, context); !done) {
                return done;
            }
        }
        return {};
    }

    Status schema(StepContext& context) {
        for (std::size_t i = 0; i < plan.databases.size(); ++i) {
            const std::string& database = plan.databases[i];
            const auto restored = control::readSaved((*green)[i], "schema_restored");
            if (!restored) {
                return restored.error();
            }
            if (*restored) {
                continue;
            }
            context.report(fmt::format("schema of {}", database), static_cast<double>(i) / static_cast<double>(plan.databases.size()));
            if (const Status dumped = schema_copy::dump(plan, database, dumpFile(database), context); !dumped) {
                return dumped;
            }
            if (const Status done =
                    schema_copy::restore(SchemaPart::Tables, false, plan, database, dumpFile(database), (*blue)[i], context);
                !done) {
                return done;
            }
            if (const Status kept = control::saveOnce((*green)[i], "schema_restored", true); !kept) {
                return kept;
            }
        }
        return {};
    }

    /// Green's clients get what blue's have, but not before the switch.
    Status closeGreen() {
        std::vector<std::string> keep = plan.readRoles;
        keep.push_back(plan.replication.user);
        keep.push_back(plan.green.primary.user);
        for (std::size_t i = 0; i < plan.databases.size(); ++i) {
            const Result<Rows> grants = (*blue)[i].query("select tealdeck.connect_grants()");
            if (!grants) {
                return grants.error();
            }
            if (const Status kept = control::saveOnce((*green)[i], "connect", parseJson(grants->text(0, 0)).value_or(Json::array()));
                !kept) {
                return kept;
            }
            if (const auto closed = (*green)[i].batch(fmt::format("select tealdeck.close_logins({})", textArray(keep))); !closed) {
                return closed.error();
            }
        }
        return asStatus(green->control().batch(fmt::format("select tealdeck.close_superusers({})", textArray(keep))));
    }

    /// Keys or the rest of one database, at most once. What an earlier life began is completed, and compared afterwards.
    Status restoreOnce(SchemaPart part, std::size_t i, StepContext& context) {
        const std::string key = part == SchemaPart::Keys ? "keys_restored" : "indexes_restored";
        const auto done = control::readSaved((*green)[i], key);
        const auto begun = control::readSaved((*green)[i], key + "_begun");
        if (!done || !begun) {
            return (done.ok() ? begun : done).error();
        }
        if (*done) {
            return {};
        }
        Status status = control::saveOnce((*green)[i], key + "_begun", true);
        status = status.ok() ? schema_copy::restore(part, begun->has_value(), plan, plan.databases[i], dumpFile(plan.databases[i]),
                                                    (*blue)[i], context)
                             : status;
        status = status.ok() && begun->has_value() && part == SchemaPart::Keys ? keysAreThere(i) : status;
        return status.ok() ? control::saveOnce((*green)[i], key, true) : status;
    }

    Status keysAreThere(std::size_t i) {
        const Result<Rows> here = (*blue)[i].query(KEYS_SQL, {}, Millis(60000));
        const Result<Rows> there = (*green)[i].query(KEYS_SQL, {}, Millis(60000));
        if (!here || !there) {
            return (here.ok() ? there : here).error();
        }
        return here->rows == there->rows
                   ? Status()
                   : Status(Error{Error::Kind::Conflict,
                                  fmt::format("The keys of {} are not the same on both sides.", plan.databases[i]),
                                  "Compare primary keys and unique constraints, make on GREEN what is missing, and run it again.",
                                  {}});
    }

    Status afterCopy(StepContext& context) {
        for (std::size_t i = 0; i < plan.databases.size(); ++i) {
            context.report(fmt::format("indexes, constraints and triggers of {}", plan.databases[i]),
                           static_cast<double>(i) / static_cast<double>(plan.databases.size()));
            const Status restored = restoreWithoutApply(i, context);
            if (!restored) {
                return restored;
            }
        }
        return {};
    }

    /// A foreign key locks two tables, and the apply worker holds locks on several: beside each other they deadlock. The feed stops
    /// meanwhile; what BLUE writes is kept there.
    Status restoreWithoutApply(std::size_t i, StepContext& context) {
        Link feed(plan, Direction::Forward, plan.databases[i], (*blue)[i], (*green)[i]);
        if (const Status stopped = feed.disable(); !stopped) {
            return stopped;
        }
        const Result<bool> gone = waitUntil(
            [&]() -> Result<bool> {
                const Result<LinkProgress> progress = feed.progress();
                return progress.ok() ? Result<bool>(!progress->workerAlive) : Result<bool>(progress.error());
            },
            context, Millis(50));
        Status status = !gone   ? Status(gone.error())
                        : *gone ? restoreOnce(SchemaPart::Rest, i, context)
                                : Status(Error{Error::Kind::Timeout, "The apply worker on GREEN did not end.", "Run it again.", {}});
        const Status started = feed.enable();
        return status.ok() ? started : status;
    }

    Status finish(StepContext& context) {
        for (std::size_t i = 0; i < plan.databases.size(); ++i) {
            context.report(fmt::format("statistics of {}", plan.databases[i]),
                           static_cast<double>(i) / static_cast<double>(plan.databases.size()));
            if (const Status refreshed = schema_copy::refreshMaterializedViews((*blue)[i], (*green)[i], context.deadline().left());
                !refreshed) {
                return refreshed;
            }
            if (const Status analyzed = analyzeInStages((*green)[i], context); !analyzed) {
                return analyzed;
            }
            const Result<Rows> states = (*blue)[i].query("select tealdeck.sequence_states()", {}, Millis(30000));
            if (!states) {
                return states.error();
            }
            if (const auto set = (*green)[i].query("select tealdeck.advance_sequences($1::jsonb, $2)",
                                                   {states->text(0, 0), std::to_string(plan.cutover.sequenceGap)}, Millis(30000));
                !set) {
                return set.error();
            }
        }
        return {};
    }

    Status catchUp(StepContext& context) {
        for (std::size_t i = 0; i < plan.databases.size(); ++i) {
            const std::string token = "caught-up-" + randomHex(6);
            if (const auto put = (*blue)[i].query("select tealdeck.put_marker(2, $1, null)", {token}); !put) {
                return put.error();
            }
            context.report(fmt::format("a marker of {} on GREEN", plan.databases[i]));
            const Result<bool> seen = waitUntil(
                [&]() -> Result<bool> {
                    const Result<Rows> rows = (*green)[i].query("select 1 from tealdeck_sync.marker where id = 2 and token = $1", {token});
                    return rows.ok() ? Result<bool>(!rows->empty()) : Result<bool>(rows.error());
                },
                context, Millis(20));
            if (!seen || !*seen) {
                return seen.ok() ? Status(Error{
                                       Error::Kind::Timeout, "GREEN does not catch up.", "See the lag graphs and the servers' logs.", {}})
                                 : Status(seen.error());
            }
        }
        return {};
    }
};

} // namespace

std::vector<Step> replicateSteps(const Connector& connector, const CopyOutlet& outlet) {
    auto r = std::make_shared<Replicate>(connector, outlet);
    const auto step = [](const char* id, const char* title, std::function<Status(StepContext&)> run, Millis limit, const char* waitsFor) {
        Step s;
        s.id = std::string("replicate.") + id;
        s.title = title;
        s.run = std::move(run);
        s.limit = limit;
        s.waitsFor = waitsFor;
        s.onTimeout = "the step fails; run it again to go on from here, or abort";
        return s;
    };
    Step copy = step(
        "copy", "Copy the data", [r](StepContext& c) { return r->data.run(*r->blue, *r->green, c); }, COPY_LIMIT,
        "the copy of each database");
    copy.onTimeout = "the step fails; run it again to go on, as after a death of the engine: tables that are finished stay and follow, the "
                     "others are emptied on GREEN and copied by the servers themselves";
    return {
        step(
            "control", "Make the control schema on BLUE",
            [r](StepContext&) {
                const Status opened = r->openBlue();
                return opened.ok() ? r->prepareControl(*r->blue) : opened;
            },
            Millis(30000), "BLUE"),
        step(
            "identity", "Give tables without a key a replica identity", [r](StepContext&) { return r->identities(); }, Millis(120000),
            "locks on those tables"),
        step(
            "roles", "Copy roles to GREEN", [r](StepContext&) { return r->roles(); }, Millis(60000), "GREEN"),
        step(
            "databases", "Make the databases on GREEN", [r](StepContext&) { return r->databases(); }, Millis(120000), "GREEN"),
        step(
            "rehearsal", "Rehearse the schema in a scratch database on GREEN", [r](StepContext& c) { return r->rehearsal(c); },
            SCHEMA_LIMIT, "pg_dump and pg_restore"),
        step(
            "schema", "Copy the schema: tables, types, functions, keys", [r](StepContext& c) { return r->schema(c); }, SCHEMA_LIMIT,
            "pg_dump and pg_restore"),
        step(
            "close", "Keep clients off GREEN until the switch", [r](StepContext&) { return r->closeGreen(); }, Millis(30000), "GREEN"),
        step(
            "subscribe", "Publish on BLUE, choose how to copy", [r](StepContext& c) { return r->data.subscribe(*r->blue, *r->green, c); },
            Millis(180000), "replication slots on BLUE"),
        copy,
        step(
            "indexes", "Build indexes, constraints and triggers on GREEN", [r](StepContext& c) { return r->afterCopy(c); }, COPY_LIMIT,
            "pg_restore"),
        step(
            "compare-schema", "Compare the schemas of both sides",
            [r](StepContext& c) { return compareSchemas(*r->blue, *r->green, r->plan, c); }, Millis(300000), "both primaries"),
        step(
            "statistics", "Statistics, materialized views, sequences", [r](StepContext& c) { return r->finish(c); }, COPY_LIMIT, "ANALYZE"),
        step(
            "catch-up", "Prove that GREEN has caught up", [r](StepContext& c) { return r->catchUp(c); }, Millis(600000),
            "a marker on GREEN"),
    };
}

} // namespace tealdeck
