// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/checks/fingerprint.h"

#include "core/util/text.h"

#include <fmt/format.h>

namespace tealdeck {
namespace {

/// NOT NULL is taken from pg_attribute, because 18 stores it in pg_constraint and older versions do not; MAINTAIN exists since 17 only.
constexpr const char* SQL = R"SQL(
with spaces as (select oid, nspname from pg_namespace where nspname !~ '^pg_' and nspname not in ('information_schema', 'tealdeck', 'tealdeck_sync')),
     members as (select classid, objid from pg_depend where deptype = 'e'),
     rels as (select c.*, format('%I.%I', s.nspname, c.relname) as name from pg_class c join spaces s on s.oid = c.relnamespace
               where not exists (select from members m where m.classid = 'pg_class'::regclass and m.objid = c.oid)),
     parts as (
select 'schema ' || quote_ident(nspname) as object, '' as definition from spaces
union all
select format('column %s.%I', r.name, a.attname), concat_ws(' ', r.relpersistence, row_number() over (partition by r.oid order by a.attnum), format_type(a.atttypid, a.atttypmod),
       case when a.attnotnull then 'not null' end, nullif(a.attidentity, ''), nullif(a.attgenerated, ''), (select collname from pg_collation where oid = a.attcollation and a.attcollation <> t.typcollation),
       (select pg_get_expr(d.adbin, d.adrelid) from pg_attrdef d where d.adrelid = r.oid and d.adnum = a.attnum))
  from rels r join pg_attribute a on a.attrelid = r.oid and a.attnum > 0 and not a.attisdropped join pg_type t on t.oid = a.atttypid where r.relkind in ('r', 'p', 'f')
union all
select 'view ' || r.name, r.relkind::text || ' ' || string_agg(quote_ident(a.attname) || ' ' || format_type(a.atttypid, a.atttypmod), ', ' order by a.attnum)
  from rels r join pg_attribute a on a.attrelid = r.oid and a.attnum > 0 and not a.attisdropped where r.relkind in ('v', 'm') group by r.name, r.relkind
union all
select 'replica identity ' || r.name, r.relreplident::text || coalesce((select ' ' || x.relname from pg_index i join pg_class x on x.oid = i.indexrelid where i.indrelid = r.oid and i.indisreplident), '')
  from rels r where r.relkind in ('r', 'p')
union all
select format('constraint %s.%I', r.name, k.conname), pg_get_constraintdef(k.oid) || case when k.convalidated then '' else ' not validated' end
  from pg_constraint k join rels r on r.oid = k.conrelid where k.contype in ('p', 'u', 'c', 'f', 'x')
   and (k.contype <> 'f' or k.conparentid = 0)
union all
select 'index ' || r.name, pg_get_indexdef(i.indexrelid) || case when i.indisvalid then '' else ' invalid' end from pg_index i join rels r on r.oid = i.indexrelid
union all
select format('trigger %s.%I', r.name, t.tgname), t.tgenabled::text || ' ' || pg_get_triggerdef(t.oid)
  from pg_trigger t join rels r on r.oid = t.tgrelid where not t.tgisinternal
union all
select 'function ' || p.oid::regprocedure::text, concat_ws(' ', md5(coalesce(p.prosrc, '') || coalesce(p.probin, '')), p.prorettype::regtype, p.prokind, p.provolatile, p.proparallel, p.prosecdef, p.proisstrict, p.proconfig::text,
       p.proowner::regrole, (select string_agg(coalesce(g.rolname, 'public'), ',' order by g.rolname) from aclexplode(p.proacl) x left join pg_roles g on g.oid = x.grantee))
  from pg_proc p join spaces s on s.oid = p.pronamespace where not exists (select from members m where m.classid = 'pg_proc'::regclass and m.objid = p.oid)
union all
select 'sequence ' || r.name, concat_ws(' ', q.seqtypid::regtype, q.seqstart, q.seqincrement, q.seqmin, q.seqmax, q.seqcache, q.seqcycle) from pg_sequence q join rels r on r.oid = q.seqrelid
union all
select 'type ' || t.oid::regtype::text, concat_ws(' ', t.typtype, (select string_agg(quote_literal(enumlabel), ',' order by enumsortorder) from pg_enum where enumtypid = t.oid), nullif(format_type(t.typbasetype, t.typtypmod), '-'),
       t.typnotnull, t.typdefault, (select string_agg(pg_get_constraintdef(k.oid), ',' order by conname) from pg_constraint k where k.contypid = t.oid and k.contype = 'c'))
  from pg_type t join spaces s on s.oid = t.typnamespace where t.typtype in ('e', 'd', 'r') and not exists (select from members m where m.classid = 'pg_type'::regclass and m.objid = t.oid)
union all
select format('policy %s.%I', r.name, p.polname), concat_ws(' ', p.polcmd, p.polpermissive, pg_get_expr(p.polqual, p.polrelid), pg_get_expr(p.polwithcheck, p.polrelid),
       (select string_agg(coalesce(g.rolname, 'public'), ',' order by g.rolname) from unnest(p.polroles) x left join pg_roles g on g.oid = x)) from pg_policy p join rels r on r.oid = p.polrelid
union all
select 'row security ' || r.name, concat_ws(' ', r.relrowsecurity, r.relforcerowsecurity) from rels r where r.relrowsecurity or r.relforcerowsecurity
union all
select 'partition ' || r.name, concat_ws(' ', pg_get_partkeydef(r.oid), pg_get_expr(r.relpartbound, r.oid)) from rels r where r.relkind in ('r', 'p', 'f') and (r.relkind = 'p' or r.relispartition)
union all
select 'owner ' || r.name, r.relowner::regrole::text from rels r where r.relkind in ('r', 'p', 'v', 'm', 'S', 'f')
union all
select 'grants ' || r.name, string_agg(coalesce(g.rolname, 'public') || ':' || x.privilege_type || case when x.is_grantable then '*' else '' end, ',' order by g.rolname nulls first, x.privilege_type)
  from rels r, aclexplode(r.relacl) x left join pg_roles g on g.oid = x.grantee where r.relkind in ('r', 'p', 'v', 'm', 'S', 'f') and x.privilege_type <> 'MAINTAIN' group by r.name)
select object, definition from parts)SQL";

} // namespace

const char* fingerprintSql() {
    return SQL;
}

Fingerprint fingerprintFrom(const Rows& rows) {
    Fingerprint fingerprint;
    for (std::size_t i = 0; i < rows.size(); ++i) {
        fingerprint.emplace(rows.text(i, 0), rows.text(i, 1));
    }
    return fingerprint;
}

std::vector<std::string> fingerprintDifferences(const Fingerprint& blue, const Fingerprint& green) {
    std::vector<std::string> differences;
    for (const auto& [object, definition] : blue) {
        const auto it = green.find(object);
        if (it == green.end()) {
            differences.push_back(object + ": missing on green");
        } else if (it->second != definition) {
            differences.push_back(
                fmt::format("{}: blue has \"{}\", green has \"{}\"", object, plainText(definition, 60), plainText(it->second, 60)));
        }
    }
    for (const auto& [object, definition] : green) {
        if (blue.count(object) == 0) {
            differences.push_back(object + ": missing on blue");
        }
    }
    return differences;
}

} // namespace tealdeck
