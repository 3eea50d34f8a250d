// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/checks/catalogue.h"

#include <set>

namespace tealdeck {

using enum CheckScope;
using enum CheckWhen;

namespace {

/// Languages that the source uses and the destination can't offer.
CheckAnswer languages(const CheckSubject& s) {
    const Result<Rows> used =
        s.sessions.query(s.side, s.database, "select lanname from pg_language where oid >= 16384 or lanname like 'plpython%'");
    if (!used) {
        return findingsOf(used);
    }
    const Result<Rows> offered =
        s.sessions.query(otherSide(s.side), "", "select lanname from pg_language union select name from pg_available_extensions");
    if (!offered) {
        return findingsOf(offered);
    }
    std::set<std::string> names;
    for (std::size_t i = 0; i < offered->size(); ++i) {
        names.insert(offered->text(i, 0));
    }
    std::vector<std::string> missing;
    for (std::size_t i = 0; i < used->size(); ++i) {
        if (names.count(used->text(i, 0)) == 0) {
            missing.push_back(used->text(i, 0));
        }
    }
    return CheckAnswer::findings(missing);
}

} // namespace

std::vector<CheckDefinition> versionChecks() {
    const std::string family = "versions";
    const std::string notes = "PostgreSQL 14 release notes, Migration";
    return {
        {.id = "VER01",
         .family = family,
         .scope = Source,
         .perDatabase = true,
         .question = "Are there postfix operators?",
         .why = "Since 14 they can't be created: the schema would not restore.",
         .expected = "none",
         .fix = "Replace them by functions and DROP OPERATOR ...;",
         .source = notes,
         .sql = "select oid::regoperator::text from pg_operator where oprright = 0 and oid >= 16384",
         .maxVersion = 13},
        {.id = "VER02",
         .family = family,
         .scope = Source,
         .perDatabase = true,
         .question = "Do aggregates or operators build on array functions that changed?",
         .why = "Since 14 array_append and its like take anycompatible types, so such definitions do not restore.",
         .expected = "none",
         .fix = "Make them again with anycompatiblearray and anycompatible.",
         .source = notes,
         .sql = "select 'aggregate ' || a.aggfnoid::regprocedure::text from pg_aggregate a where a.aggfnoid >= 16384 and exists (select "
                "from pg_proc f where f.oid in (a.aggtransfn, a.aggfinalfn) and f.oid < 16384 "
                "and f.proname in ('array_append', 'array_cat', 'array_prepend', 'array_remove', 'array_replace', 'array_position', "
                "'array_positions', 'width_bucket') and 2277 = any(f.proargtypes::oid[])) "
                "union all select 'operator ' || o.oid::regoperator::text from pg_operator o join pg_proc f on f.oid = o.oprcode where "
                "o.oid >= 16384 and f.oid < 16384 "
                "and f.proname in ('array_append', 'array_cat', 'array_prepend', 'array_remove')",
         .maxVersion = 13},
        {.id = "VER03",
         .family = family,
         .scope = Source,
         .perDatabase = true,
         .question = "Are there encoding conversions of users?",
         .why = "14 changed the signature of their functions: they do not restore.",
         .expected = "none",
         .fix = "DROP CONVERSION ...; and make it again on green after the upgrade.",
         .source = notes,
         .sql = "select conname from pg_conversion where oid >= 16384",
         .maxVersion = 13},
        {.id = "VER04",
         .family = family,
         .scope = Pair,
         .perDatabase = true,
         .question = "Does the other side have every procedural language?",
         .why = "Functions in a language that is missing (plpython2u is gone since 15) do not restore.",
         .expected = "each language installed or available",
         .fix = "Install the language's package on green's hosts, or port the functions and DROP LANGUAGE ...;",
         .source = "PostgreSQL 15 release notes, Migration",
         .evaluate = languages},
        {.id = "LOC02",
         .family = family,
         .severity = Severity::Warning,
         .scope = Source,
         .perDatabase = true,
         .question = "Does the database know its encoding?",
         .why = "In a SQL_ASCII database bytes can be anything; a copy into another encoding fails at the first invalid one.",
         .expected = "an encoding other than SQL_ASCII",
         .fix = "Keep SQL_ASCII on green as well, or clean the texts first.",
         .source = "PostgreSQL manual, 24.3 Character Set Support",
         .sql = "select 'the encoding is SQL_ASCII' from pg_database where datname = current_database() and encoding = 0"},
    };
}

} // namespace tealdeck
