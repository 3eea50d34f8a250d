// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/checks/catalogue.h"
#include "core/checks/server_link.h"
#include "core/checks/settings_compare.h"
#include "core/postgres/sql.h"
#include "core/util/process.h"

#include <cstdlib>
#include <fmt/format.h>
#include <map>
#include <set>

namespace tealdeck {

using enum CheckScope;
using enum CheckWhen;

namespace {

CheckAnswer unknownFrom(const Error& error) {
    return CheckAnswer::unknown(error.text());
}

CheckAnswer versionOrder(const CheckSubject& s) {
    const Result<int> blue = s.sessions.majorVersion(Side::Blue);
    const Result<int> green = s.sessions.majorVersion(Side::Green);
    if (!blue || !green) {
        return unknownFrom(blue ? green.error() : blue.error());
    }
    const std::string found = fmt::format("blue {}, green {}", *blue, *green);
    return *blue >= 12 && *green >= *blue ? CheckAnswer::pass(found) : CheckAnswer::fail(found);
}

/// What tells one running server from another, asked on an endpoint of its own.
struct Identity {
    std::string where;
    bool primary = false;
    std::string system;
    bool standby = false;
    std::string instance; ///< the same for two ways to one server
};

Result<Identity> identityOf(const CheckSubject& s, Side side, const Endpoint& endpoint, bool primary) {
    const auto connection = s.sessions.connector().server(side, endpoint, endpoint.database, CheckSessions::CONNECT_LIMIT);
    if (!connection) {
        return connection.error();
    }
    const Result<Rows> rows = (*connection)
                                  ->query("select system_identifier, pg_is_in_recovery(), concat_ws(' ', system_identifier, "
                                          "pg_postmaster_start_time(), current_setting('port')) from pg_control_system()",
                                          {}, CheckSessions::STATEMENT_LIMIT);
    if (!rows) {
        return rows.error();
    }
    return Identity{fmt::format("{} {}", sideName(side), endpoint.name), primary, rows->text(0, 0), rows->text(0, 1) == "t",
                    rows->text(0, 2)};
}

/// Sides swapped or mixed, two endpoints on one server, a standby as primary, a replica of another cluster.
CheckAnswer identities(const CheckSubject& s) {
    std::vector<std::string> found;
    std::map<std::string, std::string> instances;
    std::map<Side, std::string> systems;
    for (const Side side : {Side::Blue, Side::Green}) {
        const Environment& environment = s.plan().side(side);
        std::vector<std::pair<const Endpoint*, bool>> endpoints{{&environment.primary, true}};
        for (const Endpoint& replica : environment.replicas) {
            endpoints.emplace_back(&replica, false);
        }
        for (const auto& [endpoint, primary] : endpoints) {
            const Result<Identity> id = identityOf(s, side, *endpoint, primary);
            if (!id) {
                return unknownFrom(id.error());
            }
            if (primary) {
                systems[side] = id->system;
            } else if (id->system != systems[side]) {
                found.push_back(fmt::format("{} belongs to another cluster than its primary", id->where));
            }
            if (primary == id->standby) {
                found.push_back(id->where + (primary ? " is a standby" : " is no standby"));
            }
            if (const auto [it, isNew] = instances.emplace(id->instance, id->where); !isNew) {
                found.push_back(fmt::format("{} and {} are the same server", it->second, id->where));
            }
        }
    }
    if (systems[Side::Blue] == systems[Side::Green]) {
        found.push_back("blue and green have the same system identifier: one is a physical copy of the other, or both are one");
    }
    return CheckAnswer::findings(found);
}

/// So that the schema copy makes the database anew.
std::vector<FixStatement> dropOnGreen(const CheckSubject& s) {
    return {{fmt::format("DROP DATABASE {} WITH (FORCE);", quoteIdentifier(s.database)), Side::Green, s.plan().green.primary.database}};
}

/// Encoding must be equal; when green has no such database yet, its template0 can take any.
CheckAnswer encodings(const CheckSubject& s) {
    const auto ask = [&](Side side) {
        return s.sessions.query(side, "", "select pg_encoding_to_char(encoding) from pg_database where datname = $1", {s.database});
    };
    const Result<Rows> blue = ask(Side::Blue);
    const Result<Rows> green = ask(Side::Green);
    if (!blue || !green) {
        return unknownFrom(blue ? green.error() : blue.error());
    }
    if (blue->empty()) {
        return CheckAnswer::fail("blue has no database " + s.database);
    }
    const bool equal = green->empty() || blue->text(0, 0) == green->text(0, 0);
    const std::string found =
        fmt::format("blue {}, green {}", blue->text(0, 0), green->empty() ? "has no such database yet" : green->text(0, 0));
    return equal ? CheckAnswer::pass(found) : CheckAnswer{CheckResult::Fail, found, dropOnGreen(s)};
}

CheckAnswer collations(const CheckSubject& s) {
    const auto ask = [&](Side side) {
        return s.sessions.query(side, "", "select datcollate || ' ' || datctype from pg_database where datname = $1", {s.database});
    };
    const Result<Rows> blue = ask(Side::Blue);
    const Result<Rows> green = ask(Side::Green);
    if (!blue || !green) {
        return unknownFrom(blue ? green.error() : blue.error());
    }
    const bool equal = green->empty() || blue->text(0, 0) == green->text(0, 0);
    return equal ? CheckAnswer::pass(blue->text(0, 0))
                 : CheckAnswer{CheckResult::Fail, fmt::format("blue {}, green {}", blue->text(0, 0), green->text(0, 0)), dropOnGreen(s)};
}

CheckAnswer extensions(const CheckSubject& s) {
    const Result<Rows> used = s.sessions.query(Side::Blue, s.database, "select extname from pg_extension");
    const Result<Rows> offered = s.sessions.query(Side::Green, "", "select name from pg_available_extensions");
    if (!used || !offered) {
        return unknownFrom(used ? offered.error() : used.error());
    }
    std::set<std::string> names;
    for (std::size_t i = 0; i < offered->size(); ++i) {
        names.insert(offered->text(i, 0));
    }
    std::vector<std::string> missing;
    for (std::size_t i = 0; i < used->size(); ++i) {
        // Always built in: some packages leave its control file out of the list.
        if (used->text(i, 0) != "plpgsql" && names.count(used->text(i, 0)) == 0) {
            missing.push_back(used->text(i, 0) + " is not available on green");
        }
    }
    return CheckAnswer::findings(missing);
}

/// What lies on GREEN while it is being filled is this deployment's own: an interrupted copy goes on with it. BLUE's catalog says so.
Result<bool> isBeingFilled(const CheckSubject& s) {
    const std::string database = s.plan().controlDatabase();
    const Result<Rows> known = s.sessions.query(Side::Blue, database, "select to_regclass('tealdeck.deployment') is not null");
    if (!known || known->text(0, 0) != "t") {
        return known.ok() ? Result<bool>(false) : Result<bool>(known.error());
    }
    const Result<Rows> row = s.sessions.query(
        Side::Blue, database, "select 1 from tealdeck.deployment where phase = 'replicate' and id = $1", {s.plan().deployment});
    return row.ok() ? Result<bool>(!row->empty()) : Result<bool>(row.error());
}

CheckAnswer greenIsEmpty(const CheckSubject& s) {
    const Result<bool> exists = s.sessions.exists(Side::Green, s.database);
    if (!exists) {
        return unknownFrom(exists.error());
    }
    if (!*exists) {
        return CheckAnswer::pass("not there yet; it will be created");
    }
    CheckAnswer found =
        findingsOf(s.sessions.query(Side::Green, s.database,
                                    "select format('%I.%I', n.nspname, c.relname) from pg_class c join pg_namespace n on n.oid = "
                                    "c.relnamespace where c.relkind in ('r', 'p', 'v', 'm', 'S', 'f') and n.nspname !~ '^pg_' "
                                    "and n.nspname not in ('information_schema', 'tealdeck', 'tealdeck_sync') and not exists (select "
                                    "from pg_depend d where d.classid = 'pg_class'::regclass and d.objid = c.oid and d.deptype = 'e')"));
    if (found.result != CheckResult::Fail) {
        return found;
    }
    const Result<bool> ours = isBeingFilled(s);
    if (!ours) {
        return unknownFrom(ours.error());
    }
    if (*ours) {
        return CheckAnswer::pass("this deployment is filling it; the copy goes on");
    }
    found.fixes = dropOnGreen(s);
    return found;
}

/// A pg_dump older than the server refuses to dump it.
CheckAnswer dumpProgram(const CheckSubject& s) {
    const Result<int> blue = s.sessions.majorVersion(Side::Blue);
    if (!blue) {
        return unknownFrom(blue.error());
    }
    std::vector<std::string> found;
    for (const std::string& program : {s.plan().programs.pgDump, s.plan().programs.pgRestore}) {
        const Result<ProcessOutcome> outcome = runProcess({{program, "--version"}, {}, {}, {}, 0, 0}, Deadline(Millis(15000)));
        if (!outcome) {
            return unknownFrom(outcome.error());
        }
        const std::size_t at = outcome->output.find_first_of("0123456789");
        const int major = at == std::string::npos ? 0 : std::atoi(outcome->output.c_str() + at);
        if (outcome->exitCode != 0 || major < *blue) {
            found.push_back(fmt::format("{} is of version {}, blue is {}", program, major, *blue));
        }
    }
    return CheckAnswer::findings(found);
}

/// A session that is opened meanwhile would count as skew, so each side is asked once before.
CheckAnswer clocks(const CheckSubject& s) {
    const auto read = [&](Side side) { return s.sessions.query(side, "", "select extract(epoch from clock_timestamp())::float8"); };
    static_cast<void>(read(otherSide(s.side)));
    static_cast<void>(read(s.side));
    const std::int64_t begin = Clock::system().steadyUs();
    const Result<Rows> first = read(s.side);
    const Result<Rows> other = read(otherSide(s.side));
    const Result<Rows> last = read(s.side);
    if (!first || !other || !last) {
        return findingsOf(!first ? first : !other ? other : last);
    }
    const auto seconds = [](const Rows& rows) { return std::strtod(rows.text(0, 0).c_str(), nullptr); };
    const double uncertain = static_cast<double>(Clock::system().steadyUs() - begin) / 2e6;
    return compareClocks(seconds(*other) - (seconds(*first) + seconds(*last)) / 2, uncertain);
}

} // namespace

std::vector<CheckDefinition> pairChecks() {
    const std::string family = "pair";
    return {
        {.id = "CMP01",
         .family = family,
         .scope = Pair,
         .question = "Is green's version not older than blue's?",
         .why = "An upgrade goes forward; blue must be 12 or newer.",
         .expected = "green at least blue's major, blue at least 12",
         .fix = "Correct blue and green in the plan, or build green from a newer version.",
         .source = "PostgreSQL manual, Upgrading a PostgreSQL Cluster",
         .evaluate = versionOrder,
         .overridable = false},
        {.id = "CMP02",
         .family = family,
         .scope = Pair,
         .when = Always,
         .question = "Does every name of the plan reach another server, in its role, of the right cluster?",
         .why = "Swapped sides, two names for one server or a standby as primary lose data at the first switch.",
         .expected = "blue and green are different clusters; replicas are standbys of their primary",
         .fix = "Correct hosts and ports in the plan.",
         .source = "PostgreSQL manual, pg_control_system()",
         .evaluate = identities,
         .overridable = false},
        {.id = "CMP03",
         .family = family,
         .scope = Pair,
         .perDatabase = true,
         .question = "Do both databases have the same encoding?",
         .why = "With another encoding the copy fails or changes texts.",
         .expected = "equal encodings",
         .fix = "Let green's database be created again with blue's encoding; what is in it is lost.",
         .source = "PostgreSQL manual, Character Set Support",
         .evaluate = encodings,
         .overridable = false},
        {.id = "CMP03b",
         .family = family,
         .severity = Severity::Warning,
         .scope = Pair,
         .perDatabase = true,
         .question = "Do both databases have the same collation?",
         .why = "Orders, ranges of partitions on texts and some unique constraints may differ.",
         .expected = "equal datcollate and datctype",
         .fix = "Let green's database be created again with blue's locale; what is in it is lost.",
         .source = "PostgreSQL manual, Collation Support",
         .evaluate = collations},
        {.id = "CMP05",
         .family = family,
         .scope = Pair,
         .perDatabase = true,
         .question = "Is every extension available on green?",
         .why = "CREATE EXTENSION of the schema copy fails otherwise.",
         .expected = "each in pg_available_extensions of green",
         .fix = "Install the extension's package on green's hosts, or DROP EXTENSION on blue.",
         .source = "PostgreSQL manual, pg_available_extensions",
         .evaluate = extensions},
        {.id = "CMP08",
         .family = family,
         .scope = EachPrimary,
         .question = "Can this server log in to the other one as the replication role?",
         .why = "It is asked by the server itself, in a subscription that is rolled back: host, port, TLS, password file and pg_hba are "
                "proven as they will be used.",
         .expected = "CREATE SUBSCRIPTION connects",
         .fix = "Correct [replication] in the plan, the password file on this server's host, or pg_hba.conf of the other one.",
         .source = "PostgreSQL manual, CREATE SUBSCRIPTION; tried: nothing is left behind",
         .evaluate = serverReachesOther,
         .overridable = false},
        {.id = "GRN01",
         .family = "green",
         .scope = Pair,
         .perDatabase = true,
         .question = "Is green empty?",
         .why = "Tables that are there already stop the schema copy, rows that are there stop the table copy.",
         .expected = "no database of that name, one without tables, views and sequences, or one that this deployment is filling",
         .fix = "Remove green's database, if nothing in it is needed; the schema copy makes it anew.",
         .source = "PostgreSQL manual, Logical Replication: Subscription",
         .evaluate = greenIsEmpty,
         .overridable = false},
        {.id = "PRG01",
         .family = "programs",
         .scope = Pair,
         .question = "Are pg_dump and pg_restore new enough?",
         .why = "pg_dump refuses servers that are newer than itself.",
         .expected = "at least blue's major version",
         .fix = "Set programs.pg_dump and programs.pg_restore in the plan to newer ones.",
         .source = "PostgreSQL manual, pg_dump, Notes",
         .evaluate = dumpProgram,
         .overridable = false},
        {.id = "CMP13",
         .family = family,
         .severity = Severity::Warning,
         .scope = Pair,
         .when = Always,
         .question = "Do the clocks agree?",
         .why = "now() would jump at the switch, backwards perhaps; the lag in seconds is wrong by as much.",
         .expected = "less than one second apart",
         .fix = "Synchronise both hosts by NTP.",
         .source = "PostgreSQL manual, Current Date/Time",
         .evaluate = clocks,
         .validForSeconds = 120},
    };
}

} // namespace tealdeck
