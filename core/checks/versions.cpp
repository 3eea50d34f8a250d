// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/checks/catalogue.h"

#include <fmt/format.h>
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

/// A built-in function that green has and blue has not comes before a user's own of the same name and arguments.
CheckAnswer shadowed(const CheckSubject& s) {
    const Result<Rows> own = s.sessions.query(
        s.side, s.database,
        "select format('%s(%s)', p.proname, oidvectortypes(p.proargtypes)), p.oid::regprocedure, format('ALTER ROUTINE %s RENAME TO %I;', "
        "p.oid::regprocedure, p.proname || '_own') "
        "from pg_proc p join pg_namespace n on n.oid = p.pronamespace where n.nspname !~ '^pg_' and n.nspname <> 'information_schema' "
        "and not exists (select from pg_depend d where d.classid = 'pg_proc'::regclass and d.objid = p.oid and d.deptype = 'e') "
        "and not exists (select from pg_proc b where b.pronamespace = 'pg_catalog'::regnamespace and b.proname = p.proname and "
        "b.proargtypes = p.proargtypes)");
    const Result<Rows> builtIn = s.sessions.query(
        otherSide(s.side), "",
        "select format('%s(%s)', proname, oidvectortypes(proargtypes)) from pg_proc where pronamespace = 'pg_catalog'::regnamespace");
    if (!own || !builtIn) {
        return findingsOf(own ? builtIn : own);
    }
    std::set<std::string> names;
    for (std::size_t i = 0; i < builtIn->size(); ++i) {
        names.insert(builtIn->text(i, 0));
    }
    std::vector<std::string> found;
    std::vector<FixStatement> fixes;
    for (std::size_t i = 0; i < own->size(); ++i) {
        if (names.count(own->text(i, 0)) > 0) {
            found.push_back(own->text(i, 1));
            fixes.push_back({own->text(i, 2)});
        }
    }
    return CheckAnswer::findings(found, std::move(fixes));
}

/// Settings that blue has set and green does not know. Names with a point belong to extensions and are taken as they come.
CheckAnswer unknownSettings(const CheckSubject& s, const char* used) {
    const Result<Rows> set = s.sessions.query(s.side, "", used);
    const Result<Rows> known = s.sessions.query(otherSide(s.side), "", "select name from pg_settings");
    if (!set || !known) {
        return findingsOf(set ? known : set);
    }
    std::set<std::string> names;
    for (std::size_t i = 0; i < known->size(); ++i) {
        names.insert(known->text(i, 0));
    }
    std::vector<std::string> found;
    std::vector<FixStatement> fixes;
    for (std::size_t i = 0; i < set->size(); ++i) {
        if (set->text(i, 0).find('.') == std::string::npos && names.count(set->text(i, 0)) == 0) {
            found.push_back(fmt::format("{} ({})", set->text(i, 0), set->text(i, 1)));
            fixes.push_back({set->text(i, 2)});
        }
    }
    return CheckAnswer::findings(found, std::move(fixes));
}

CheckAnswer unknownServerSettings(const CheckSubject& s) {
    return unknownSettings(s, "select name, setting, format('ALTER SYSTEM RESET %I; SELECT pg_reload_conf();', name) from pg_settings "
                              "where source in ('configuration file', "
                              "'command line')");
}

CheckAnswer unknownRoleSettings(const CheckSubject& s) {
    return unknownSettings(s, "select split_part(c, '=', 1), concat_ws(' in ', 'of ' || coalesce(r.rolname, 'all'), d.datname), "
                              "format('ALTER %s RESET %I;', case when r.oid is null then format('DATABASE %I', d.datname) when d.oid is "
                              "null then format('ROLE %I', r.rolname) "
                              "else format('ROLE %I IN DATABASE %I', r.rolname, d.datname) end, split_part(c, '=', 1)) "
                              "from pg_db_role_setting x left join pg_database d on d.oid = x.setdatabase left join pg_roles r on r.oid = "
                              "x.setrole, unnest(x.setconfig) c");
}

constexpr const char* REMOVED_NAMES_SQL = R"(
select p.oid::regprocedure::text, string_agg(distinct lower(m[1]), ', ') from pg_proc p join pg_namespace n on n.oid = p.pronamespace,
       regexp_matches(p.prosrc, '(?i)\m(pg_start_backup|pg_stop_backup|pg_is_in_backup|pg_backup_start_time|plpython2u|pg_stat_get_backend_idset|relhasoids|adsrc|consrc|proisagg|old_snapshot_threshold|buffers_backend|buffers_backend_fsync|checkpoints_timed|checkpoints_req|checkpoint_write_time|checkpoint_sync_time|blk_read_time|blk_write_time|wal_write_time|wal_sync_time|db_user_namespace|vacuum_defer_cleanup_age|promote_trigger_file|force_parallel_mode|operator_precedence_warning|vacuum_cleanup_index_scale_factor|wal_keep_segments|pg_file_write|pg_file_unlink|pg_logdir_ls)\M', 'g') m
 where {users} and not exists (select from pg_depend d where d.classid = 'pg_proc'::regclass and d.objid = p.oid and d.deptype = 'e') group by p.oid)";

/// Operators that 14 removed: factorial, and the old containment operators of geometric types. Built-in objects leave no trace in
/// pg_depend.
constexpr const char* REMOVED_OPERATORS_SQL = R"(
with gone as (select o.oid, format('%s(%s,%s)', o.oprname, o.oprleft::regtype, o.oprright::regtype) as name from pg_operator o where o.oid < 16384
               and (o.oprname in ('!', '!!') and o.oprcode::text = 'numeric_fac' or o.oprname in ('@', '~') and o.oprleft in ('point'::regtype, 'lseg'::regtype, 'path'::regtype, 'box'::regtype, 'polygon'::regtype, 'line'::regtype, 'circle'::regtype) and o.oprright <> 0)),
     used as (select 'view ' || w.ev_class::regclass as object, format('DROP VIEW %s;', w.ev_class::regclass) as fix, w.ev_action::text as tree from pg_rewrite w where w.ev_class >= 16384
              union all select format('constraint %I of %s', conname, conrelid::regclass), format('ALTER TABLE %s DROP CONSTRAINT %I;', conrelid::regclass, conname), conbin::text from pg_constraint where conbin is not null and conrelid >= 16384
              union all select 'default of ' || adrelid::regclass, null, adbin::text from pg_attrdef where adrelid >= 16384
              union all select 'index ' || indexrelid::regclass, format('DROP INDEX %s;', indexrelid::regclass), concat(indexprs::text, indpred::text) from pg_index where indexrelid >= 16384)
select distinct object, name, fix from used, regexp_matches(tree, ':opno ([0-9]+)', 'g') m join gone on gone.oid = m[1]::oid)";

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
         .fix = "Call their functions instead, then drop them.",
         .source = notes,
         .sql = "select oid::regoperator::text, format('DROP OPERATOR %s;', oid::regoperator) as fix from pg_operator where oprright = 0 "
                "and oid >= 16384",
         .crossing = 14,
         .overridable = false},
        {.id = "VER02",
         .family = family,
         .scope = Source,
         .perDatabase = true,
         .question = "Do aggregates or operators build on array functions that changed?",
         .why = "Since 14 array_append and its like take anycompatible types, so such definitions do not restore.",
         .expected = "none",
         .fix = "Drop them, and make them again on green with anycompatiblearray and anycompatible.",
         .source = notes,
         .sql = "select 'aggregate ' || a.aggfnoid::regprocedure::text, format('DROP AGGREGATE %s;', a.aggfnoid::regprocedure) as fix from "
                "pg_aggregate a where a.aggfnoid >= 16384 and exists (select "
                "from pg_proc f where f.oid in (a.aggtransfn, a.aggfinalfn) and f.oid < 16384 "
                "and f.proname in ('array_append', 'array_cat', 'array_prepend', 'array_remove', 'array_replace', 'array_position', "
                "'array_positions', 'width_bucket') and 2277 = any(f.proargtypes::oid[])) "
                "union all select 'operator ' || o.oid::regoperator::text, format('DROP OPERATOR %s;', o.oid::regoperator) from "
                "pg_operator o join pg_proc f on f.oid = o.oprcode where "
                "o.oid >= 16384 and f.oid < 16384 "
                "and f.proname in ('array_append', 'array_cat', 'array_prepend', 'array_remove')",
         .crossing = 14,
         .overridable = false},
        {.id = "VER03",
         .family = family,
         .scope = Source,
         .perDatabase = true,
         .question = "Are there encoding conversions of users?",
         .why = "14 changed the signature of their functions: they do not restore.",
         .expected = "none",
         .fix = "Drop them, and make them again on green after the upgrade.",
         .source = notes,
         .sql = "select conname, format('DROP CONVERSION %I.%I;', nspname, conname) as fix from pg_conversion k join pg_namespace n on "
                "n.oid = k.connamespace where k.oid >= 16384",
         .crossing = 14,
         .overridable = false},
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
        {.id = "VER05",
         .family = family,
         .severity = Severity::Warning,
         .scope = Source,
         .perDatabase = true,
         .question = "May only chosen roles create objects in schema public?",
         .why = "Since 15 a new database allows it to its owner only; the schema copy carries the old openness over to green.",
         .expected = "no CREATE on schema public for PUBLIC",
         .fix = "Take it away, and grant it to those who need it.",
         .fixSql = "REVOKE CREATE ON SCHEMA public FROM PUBLIC;",
         .source = "PostgreSQL 15 release notes, Migration",
         .sql = "select 'PUBLIC may create in schema public' from pg_namespace n, aclexplode(coalesce(n.nspacl, acldefault('n', "
                "n.nspowner))) x where n.nspname = 'public' and x.grantee = 0 and "
                "x.privilege_type = 'CREATE'"},
        {.id = "VER06",
         .family = family,
         .severity = Severity::Warning,
         .scope = Source,
         .perDatabase = true,
         .question = "Do functions use only names that newer versions still have?",
         .why =
             "Bodies are not checked by the schema copy: what was removed or renamed fails when the function is called, after the switch.",
         .expected = "none of the functions, columns and settings that went between 12 and 18",
         .fix = "Port each function to green's version; drop those that nobody calls.",
         .source = "PostgreSQL release notes 12 to 18, Migration",
         .sql = REMOVED_NAMES_SQL},
        {.id = "VER07",
         .family = family,
         .severity = Severity::Warning,
         .scope = Source,
         .perDatabase = true,
         .question = "Is the one-byte type \"char\" unused in tables?",
         .why = "16 changed how it shows bytes outside of ASCII, and rows travel as text.",
         .expected = "no column of it",
         .fix = "Look whether such bytes occur; where they don't, text of one character does as well.",
         .source = "PostgreSQL 16 release notes, Migration",
         .sql = "select format('%I.%I.%I', n.nspname, c.relname, a.attname), format('ALTER TABLE %I.%I ALTER COLUMN %I TYPE char(1);', "
                "n.nspname, c.relname, a.attname) as fix from "
                "pg_attribute a join pg_class c on c.oid = a.attrelid join pg_namespace n on n.oid = c.relnamespace where a.atttypid = "
                "'\"char\"'::regtype and a.attnum > 0 and not "
                "a.attisdropped and c.relkind in ('r', 'p') and {users}",
         .crossing = 16},
        {.id = "VER08",
         .family = family,
         .severity = Severity::Warning,
         .scope = Source,
         .perDatabase = true,
         .question = "Do values mean the same on another server?",
         .why = "Object numbers, transaction numbers and names of objects point into the server that wrote them; money depends on "
                "lc_monetary.",
         .expected = "no column of type oid, xid, cid, tid, aclitem, reg... or money",
         .fix = "See what the values point to; keep names as text instead of numbers.",
         .source = "PostgreSQL manual, Object Identifier Types; Monetary Types",
         .sql = "select format('%I.%I.%I', n.nspname, c.relname, a.attname), format_type(a.atttypid, a.atttypmod), format('ALTER TABLE "
                "%I.%I ALTER COLUMN %I TYPE text USING %I::text;', "
                "n.nspname, c.relname, a.attname, a.attname) as fix from pg_attribute a join pg_class c on c.oid = a.attrelid join "
                "pg_namespace n on n.oid = c.relnamespace where a.attnum > 0 "
                "and not a.attisdropped and c.relkind in ('r', 'p') and {users} and a.atttypid = any (array['regproc', 'regprocedure', "
                "'regoper', 'regoperator', 'regclass', 'regtype', "
                "'regrole', 'regnamespace', 'regconfig', 'regdictionary', 'oid', 'xid', 'cid', 'tid', 'aclitem', "
                "'money']::text[]::regtype[]::oid[])"},
        {.id = "VER09",
         .family = family,
         .severity = Severity::Warning,
         .scope = Source,
         .question = "Are all passwords stored as SCRAM secrets?",
         .why = "18 warns of MD5 passwords, and a later major will refuse them.",
         .expected = "no role with an MD5 password",
         .fix =
             "Have each password set anew with password_encryption = 'scram-sha-256'; without a password, as here, nobody logs in by it.",
         .source = "PostgreSQL 18 release notes, Migration",
         .sql = "select rolname, format('ALTER ROLE %I PASSWORD NULL;', rolname) as fix from pg_authid where rolpassword like 'md5%'"},
        {.id = "VER10",
         .family = family,
         .severity = Severity::Warning,
         .scope = Pair,
         .perDatabase = true,
         .question = "Do your functions keep their names to themselves?",
         .why = "A built-in function of the same name and arguments, new on the other side, is called instead of yours wherever the schema "
                "is not written.",
         .expected = "none that the other side has built in",
         .fix = "Write the schema in every call, or rename the function.",
         .source = "PostgreSQL manual, The Schema Search Path",
         .evaluate = shadowed},
        {.id = "VER11",
         .family = family,
         .scope = Source,
         .perDatabase = true,
         .question = "Are partitioned tables logged?",
         .why = "18 refuses UNLOGGED for a partitioned table: the schema would not restore.",
         .expected = "none that is unlogged",
         .fix = "Make the partitioned table anew without UNLOGGED and attach its partitions; SET LOGGED does nothing to it.",
         .source = "PostgreSQL 18 release notes, Migration",
         .sql = "select format('%I.%I', n.nspname, c.relname) from pg_class c join pg_namespace n on n.oid = c.relnamespace where "
                "c.relkind = 'p' and c.relpersistence = 'u' and {users}",
         .crossing = 18,
         .overridable = false},
        {.id = "VER12",
         .family = family,
         .scope = Source,
         .perDatabase = true,
         .question = "Are the operators that 14 removed unused?",
         .why = "Views, constraints, indexes and defaults with ! and !! (factorial), or with @ and ~ between shapes, do not restore.",
         .expected = "none",
         .fix = "Use factorial(), @> and <@ instead; drop what nobody needs.",
         .source = notes,
         .sql = REMOVED_OPERATORS_SQL,
         .crossing = 14,
         .overridable = false},
        {.id = "VER13",
         .family = family,
         .severity = Severity::Warning,
         .scope = Source,
         .question = "Do roles manage others without relying on CREATEROLE alone?",
         .why = "Since 16 CREATEROLE allows to change only those roles over which one has the ADMIN OPTION.",
         .expected = "no role with CREATEROLE that is no superuser",
         .fix = "Grant it the roles that it manages WITH ADMIN OPTION, or take CREATEROLE away.",
         .source = "PostgreSQL 16 release notes, Migration",
         .sql = "select rolname, format('ALTER ROLE %I NOCREATEROLE;', rolname) as fix from pg_roles where rolcreaterole and not rolsuper "
                "and rolname !~ '^pg_'",
         .crossing = 16},
        {.id = "VER14",
         .family = family,
         .scope = Pair,
         .question = "Does green know every setting that roles and databases have?",
         .why = "They are carried over with the roles; one that was removed is refused there, and the copy of the roles stops.",
         .expected = "all known",
         .fix = "Reset it; where it got another name, set that on green.",
         .source = "PostgreSQL release notes 14 to 18, Migration; manual, Parameter Interaction via SQL",
         .evaluate = unknownRoleSettings},
        {.id = "VER15",
         .family = family,
         .severity = Severity::Warning,
         .scope = Pair,
         .question = "Does green know every setting of blue's configuration?",
         .why = "What was removed no longer acts; a configuration file that still names it keeps the new server from starting.",
         .expected = "all known",
         .fix = "Leave it out of green's configuration, and see what replaced it.",
         .source = "PostgreSQL release notes 14 to 18, Migration",
         .evaluate = unknownServerSettings},
        {.id = "VER16",
         .family = family,
         .severity = Severity::Info,
         .scope = Source,
         .perDatabase = true,
         .question = "Are there no deferred triggers that care who runs them?",
         .why = "Since 18 an AFTER trigger runs as the role that was active when it was queued, not as that of the commit.",
         .expected = "no deferrable trigger of users",
         .fix = "See that none relies on SET ROLE between the statement and the commit.",
         .source = "PostgreSQL 18 release notes, Migration",
         .sql = "select format('%s on %s', tgname, tgrelid::regclass), format('DROP TRIGGER %I ON %s;', tgname, tgrelid::regclass) as fix "
                "from pg_trigger where not tgisinternal and tgdeferrable",
         .crossing = 18},
    };
}

} // namespace tealdeck
