// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/checks/catalogue.h"
#include "core/postgres/sql.h"

#include <fmt/format.h>

namespace tealdeck {

using enum CheckScope;
using enum CheckWhen;

namespace {

/// The schema copy makes each extension in the other side's default version: it must not be older than the one in use.
CheckAnswer versions(const CheckSubject& s) {
    const Result<Rows> used =
        s.sessions.query(s.side, s.database, "select extname, extversion from pg_extension where extname <> 'plpgsql'");
    if (!used) {
        return findingsOf(used);
    }
    std::vector<std::string> found;
    for (std::size_t i = 0; i < used->size(); ++i) {
        const std::string name = used->text(i, 0);
        const Result<Rows> there = s.sessions.query(otherSide(s.side), "",
                                                    "select default_version, exists (select from pg_extension_update_paths(name) p where "
                                                    "p.source = $2 and p.target = default_version and p.path is "
                                                    "not null) from pg_available_extensions where name = $1",
                                                    {name, used->text(i, 1)});
        if (!there) {
            return findingsOf(there);
        }
        // One that is not there at all is CMP05's finding.
        if (!there->empty() && there->text(0, 0) != used->text(i, 1) && there->text(0, 1) != "t") {
            found.push_back(fmt::format("{}: {} here, {} has {} and no way from one to the other", name, used->text(i, 1),
                                        sideName(otherSide(s.side)), there->text(0, 0)));
        }
    }
    return CheckAnswer::findings(found);
}

} // namespace

std::vector<CheckDefinition> extensionChecks() {
    const std::string family = "extensions";
    return {
        {.id = "EXT01",
         .family = family,
         .scope = Pair,
         .perDatabase = true,
         .question = "Does the other side have each extension in a version that is no older?",
         .why = "Objects of a newer version are missing in an older one, and what uses them does not restore.",
         .expected = "the same version, or one that this one can be updated to",
         .fix = "Install the extension's newer package on the other side's hosts.",
         .source = "PostgreSQL manual, pg_extension_update_paths()",
         .evaluate = versions},
        {.id = "EXT02",
         .family = family,
         .severity = Severity::Info,
         .scope = Source,
         .perDatabase = true,
         .question = "Are extensions as new as their packages?",
         .why = "Green gets its package's version at once; updating here first keeps two changes apart.",
         .expected = "each in its default version",
         .fix = "Update each.",
         .source = "PostgreSQL manual, ALTER EXTENSION, UPDATE",
         .sql = "select format('%s is %s, the package has %s', e.extname, e.extversion, a.default_version), format('ALTER EXTENSION %I "
                "UPDATE;', e.extname) as fix from pg_extension e join "
                "pg_available_extensions a on a.name = e.extname where e.extversion <> a.default_version"},
        {.id = "EXT03",
         .family = family,
         .severity = Severity::Warning,
         .scope = Source,
         .perDatabase = true,
         .question = "Are there no extensions that act or keep state by themselves?",
         .why = "Schedulers, partition managers and other replication systems would run on both sides, or keep what rows do not show.",
         .expected = "none of the known ones",
         .fix = "Follow the extension's own instructions: stop its jobs on green until the switch, and carry its state over by hand.",
         .source = "PostgreSQL manual, Logical Replication: Restrictions; the extensions' documentation",
         .sql = "select extname from pg_extension where extname in ('pg_cron', 'pg_partman', 'timescaledb', 'citus', 'pglogical', 'spock', "
                "'bdr', 'pgq', 'pgagent', 'postgis_topology', "
                "'pg_squeeze', 'pg_timetable', 'repmgr', 'anon', 'pgl_ddl_deploy', 'pg_net')"},
    };
}

} // namespace tealdeck
