// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/engine/copy_choice.h"

#include "core/replication/names.h"

#include <fmt/format.h>

namespace tealdeck {
namespace {

constexpr Millis LIMIT{30000};

/// What the engine's own role needs on blue: to make a slot and to read every row. Empty: it may.
constexpr const char* BLUE_SQL = R"(
with me as (select rolsuper, rolreplication, rolbypassrls from pg_roles where rolname = current_user),
leaves as (
  select r.prrelid as oid from pg_publication p join pg_publication_rel r on r.prpubid = p.oid join pg_class c on c.oid = r.prrelid and c.relkind = 'r' where p.pubname = $1
  union
  select t.relid::oid from pg_publication p join pg_publication_rel r on r.prpubid = p.oid join pg_class c on c.oid = r.prrelid and c.relkind = 'p', pg_partition_tree(c.oid) t where p.pubname = $1 and t.isleaf)
select case
  when not me.rolsuper and not me.rolreplication then format('role %s on blue has no REPLICATION attribute', current_user)
  when exists (select from leaves where not has_table_privilege(oid, 'select'))
    then format('role %s may not read %s on blue', current_user, (select min(oid::regclass::text) from leaves where not has_table_privilege(oid, 'select')))
  when not me.rolsuper and not me.rolbypassrls and exists (select from leaves l join pg_class c on c.oid = l.oid where c.relrowsecurity)
    then format('row security hides rows of blue from role %s', current_user)
  else '' end, (select count(*) from leaves) from me)";

/// On green: to write every table as its owner would.
constexpr const char* GREEN_SQL = R"(
select coalesce((select format('role %s may not fill %s on green', current_user, min(c.oid::regclass::text))
  from pg_class c join pg_namespace n on n.oid = c.relnamespace where c.relkind = 'r' and c.relpersistence = 'p' and n.nspname !~ '^pg_' and n.nspname not in ('information_schema', 'tealdeck')
   and not pg_has_role(current_user, c.relowner, 'usage')
   and not exists (select from pg_depend d where d.classid = 'pg_class'::regclass and d.objid = c.oid and d.deptype = 'e') having count(*) > 0), ''))";

} // namespace

Result<CopyChoice> chooseCopy(const Plan& plan, Connection& blue, Connection& green) {
    if (plan.copy.strategy == CopyStrategy::ServerToServer) {
        return CopyChoice{false, "the plan says that the data go from server to server"};
    }
    const Result<Rows> source = blue.query(BLUE_SQL, {publicationName(plan)}, LIMIT);
    const Result<Rows> destination = green.query(GREEN_SQL, {}, LIMIT);
    if (!source || !destination) {
        return (source.ok() ? destination : source).error();
    }
    std::string obstacle = source->text(0, 0).empty() ? destination->text(0, 0) : source->text(0, 0);
    if (obstacle.empty()) {
        // Needs a superuser, or since 15 a grant; without it triggers would fire for rows that blue's triggers have seen already.
        if (const Result<Rows> set = green.batch("SET session_replication_role = replica; RESET session_replication_role"); !set) {
            obstacle = "green's triggers cannot be kept quiet: " + set.error().message;
        }
    }
    if (obstacle.empty()) {
        return CopyChoice{
            true, plan.copy.strategy == CopyStrategy::Snapshot
                      ? std::string("the plan says so")
                      : fmt::format("one snapshot of all {} tables, read by {} sessions, needs one slot and no worker for each table",
                                    source->text(0, 1), plan.copy.connections)};
    }
    if (plan.copy.strategy == CopyStrategy::Snapshot) {
        return Error{Error::Kind::Refused,
                     fmt::format("The plan asks for the snapshot copy, but {}.", obstacle),
                     "Mend that, or set strategy = \"auto\" in [copy].",
                     {}};
    }
    return CopyChoice{false, "no snapshot copy: " + obstacle};
}

} // namespace tealdeck
