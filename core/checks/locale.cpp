// SPDX-License-Identifier: GPL-3.0-or-later
// Encodings and collations: rows travel as text, but order and uniqueness are made anew on the other side.
#include "core/checks/catalogue.h"
#include "core/postgres/sql.h"

#include <fmt/format.h>
#include <map>
#include <set>

namespace tealdeck {

using enum CheckScope;
using enum CheckWhen;

namespace {

/// Provider, locale and version of a database's collation; columns came with 15 and were renamed in 17.
constexpr const char* PROVIDER_SQL =
    "select coalesce(to_jsonb(d)->>'datlocprovider', 'c'), coalesce(to_jsonb(d)->>'datlocale', to_jsonb(d)->>'daticulocale', ''), "
    "coalesce(to_jsonb(d)->>'datcollversion', '') from pg_database d where datname = $1";

std::string providerText(const Rows& rows) {
    const std::string provider = rows.text(0, 0);
    const char* name = provider == "i" ? "ICU" : provider == "b" ? "built in" : "libc";
    return fmt::format("{}{}{}", name, rows.text(0, 1).empty() ? "" : " " + rows.text(0, 1),
                       rows.text(0, 2).empty() ? "" : ", version " + rows.text(0, 2));
}

/// Only when green has the database already; else it is made like blue's.
CheckAnswer providers(const CheckSubject& s) {
    const Result<Rows> here = s.sessions.query(s.side, "", PROVIDER_SQL, {s.database});
    const Result<Rows> there = s.sessions.query(otherSide(s.side), "", PROVIDER_SQL, {s.database});
    if (!here || !there) {
        return findingsOf(here ? there : here);
    }
    if (here->empty() || there->empty()) {
        return here->empty() ? CheckAnswer::unknown("There is no database " + s.database + ".")
                             : CheckAnswer::pass("not there yet; it will be made alike");
    }
    const std::string found =
        fmt::format("{} {}, {} {}", sideName(s.side), providerText(*here), sideName(otherSide(s.side)), providerText(*there));
    if (here->rows[0] == there->rows[0]) {
        return CheckAnswer::pass(found);
    }
    return {CheckResult::Fail,
            found,
            {{fmt::format("DROP DATABASE {} WITH (FORCE);", quoteIdentifier(s.database)), otherSide(s.side),
              s.plan().side(otherSide(s.side)).primary.database}}};
}

/// Collations of columns and indexes that the other side does not have, or has in another version of the library.
constexpr const char* USED_COLLATIONS_SQL = R"(
select distinct case when o.oid < 16384 then o.collname::text else '' end, coalesce(pg_collation_actual_version(o.oid), ''), o.collprovider, format('%s.%I', c.oid::regclass, a.attname)
  from pg_attribute a join pg_class c on c.oid = a.attrelid join pg_namespace n on n.oid = c.relnamespace join pg_collation o on o.oid = a.attcollation
 where c.relkind in ('r', 'p', 'i', 'I') and a.attnum > 0 and not a.attisdropped and n.nspname !~ '^pg_' and n.nspname <> 'information_schema' and o.collname not in ('default', 'C', 'POSIX', 'ucs_basic'))";

CheckAnswer collationVersions(const CheckSubject& s) {
    const Result<Rows> used = s.sessions.query(s.side, s.database, USED_COLLATIONS_SQL);
    const Result<Rows> there = s.sessions.query(otherSide(s.side), "",
                                                "select collname, coalesce(pg_collation_actual_version(oid), ''), collprovider from "
                                                "pg_collation where oid < 16384 order by collencoding");
    if (!used || !there) {
        return findingsOf(used ? there : used);
    }
    std::map<std::string, std::string> versions;
    std::set<std::string> providers;
    for (std::size_t i = 0; i < there->size(); ++i) {
        versions[there->text(i, 0)] = there->text(i, 1);
        providers.insert(there->text(i, 2));
    }
    std::vector<std::string> found;
    for (std::size_t i = 0; i < used->size(); ++i) {
        const std::string name = used->text(i, 0);
        const auto other = versions.find(name);
        if (providers.count(used->text(i, 2)) == 0) {
            found.push_back(fmt::format("{}: {} has no collations of this provider", used->text(i, 3), sideName(otherSide(s.side))));
        } else if (!name.empty() && other == versions.end()) {
            found.push_back(fmt::format("{}: {} has no collation \"{}\"", used->text(i, 3), sideName(otherSide(s.side)), name));
        } else if (!name.empty() && other->second != used->text(i, 1)) {
            found.push_back(
                fmt::format("{}: \"{}\" is of version {} here and {} there", used->text(i, 3), name, used->text(i, 1), other->second));
        }
    }
    return CheckAnswer::findings(found);
}

constexpr const char* DATABASE_VERSION_SQL =
    "select format('recorded %s, the library has %s', datcollversion, pg_database_collation_actual_version(oid)), "
    "format('REINDEX DATABASE %I;', datname) || format(' ALTER DATABASE %I REFRESH COLLATION VERSION;', datname) as fix from pg_database "
    "where datname = current_database() and datcollversion is not null and datcollversion is distinct from "
    "pg_database_collation_actual_version(oid)";

constexpr const char* COLLATION_VERSION_SQL =
    "select format('%s recorded %s, the library has %s', o.oid::regcollation, collversion, pg_collation_actual_version(o.oid)), "
    "format('ALTER COLLATION %s REFRESH VERSION;', "
    "o.oid::regcollation) as fix from pg_collation o where collversion is not null and collversion <> pg_collation_actual_version(o.oid)";

} // namespace

std::vector<CheckDefinition> localeChecks() {
    const std::string family = "locale";
    return {
        {.id = "LOC02",
         .family = family,
         .severity = Severity::Warning,
         .scope = Source,
         .perDatabase = true,
         .question = "Does the database know its encoding?",
         .why = "In a SQL_ASCII database bytes can be anything; a copy into another encoding fails at the first invalid one.",
         .expected = "an encoding other than SQL_ASCII",
         .fix = "Keep SQL_ASCII on green as well, or clean the texts first.",
         .source = "PostgreSQL manual, Character Set Support",
         .sql = "select 'the encoding is SQL_ASCII' from pg_database where datname = current_database() and encoding = 0"},
        {.id = "LOC03",
         .family = family,
         .severity = Severity::Warning,
         .scope = EachPrimary,
         .when = Always,
         .perDatabase = true,
         .question = "Was the database's collation made by the library that is installed?",
         .why = "After an update of the operating system texts may sort in another way than the indexes were built: rows are not found, or "
                "come twice.",
         .expected = "the recorded version is the library's",
         .fix = "Build the indexes on texts again, then record the version.",
         .source = "PostgreSQL manual, ALTER DATABASE, REFRESH COLLATION VERSION",
         .sql = DATABASE_VERSION_SQL,
         .minVersion = 15},
        {.id = "LOC04",
         .family = family,
         .severity = Severity::Warning,
         .scope = EachPrimary,
         .when = Always,
         .perDatabase = true,
         .question = "Were the collations made by the library that is installed?",
         .why = "Indexes on texts in such a collation may be in the wrong order.",
         .expected = "each recorded version is the library's",
         .fix = "Build the indexes that use it again, then record the version.",
         .source = "PostgreSQL manual, ALTER COLLATION, REFRESH VERSION",
         .sql = COLLATION_VERSION_SQL},
        {.id = "LOC05",
         .family = family,
         .severity = Severity::Warning,
         .scope = Pair,
         .perDatabase = true,
         .question = "Do both databases sort by the same library and version?",
         .why =
             "Another provider or version orders texts in another way: results, ranges of partitions and some unique constraints differ.",
         .expected = "equal provider, locale and version",
         .fix = "Let the database be made anew like the other; where only the version differs, accept it or use the same system.",
         .source = "PostgreSQL manual, Locale Providers; pg_database.datcollversion",
         .evaluate = providers},
        {.id = "LOC06",
         .family = family,
         .severity = Severity::Warning,
         .scope = Pair,
         .perDatabase = true,
         .question = "Does the other side have the collations of columns, in the same version?",
         .why = "A collation that is missing stops the schema copy; one of another version sorts in another way.",
         .expected = "each there, equal versions",
         .fix = "Install the locale or an ICU build on green's hosts; with another version test order and ranges of partitions.",
         .source = "PostgreSQL manual, Managing Collations",
         .evaluate = collationVersions},
    };
}

} // namespace tealdeck
