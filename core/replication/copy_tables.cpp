// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/replication/copy_tables.h"

#include "core/postgres/sql.h"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>
#include <map>

namespace tealdeck::copy_tables {
namespace {

constexpr Millis LIST_LIMIT{std::chrono::minutes(2)};
/// Small tables share a transaction: so many, or so many bytes.
constexpr std::size_t GROUP_TABLES = 64;
constexpr double GROUP_BYTES = 4e6;
/// Too many parts of one table are only bookkeeping.
constexpr int MOST_PARTS = 1000;

/// Types whose binary form has not changed since 10: bool, integers, floats, text, varchar, char(n), bytea, uuid, json, jsonb, numeric and
/// times. The manual (COPY, "Binary Format") warns of other versions in general, so others go as text.
constexpr const char* LIST_SQL = R"(
with entries as (
  select c.oid as entry, c.relkind, format('%s%I.%I', case when c.relkind = 'r' then 'only ' else '' end, n.nspname, c.relname) as word
    from pg_publication p join pg_publication_rel r on r.prpubid = p.oid join pg_class c on c.oid = r.prrelid join pg_namespace n on n.oid = c.relnamespace
   where p.pubname = $1),
leaves as (
  select entry as oid, word from entries where relkind = 'r'
  union all
  select t.relid::oid, e.word from entries e, pg_partition_tree(e.entry) t where e.relkind = 'p' and t.isleaf)
select format('%I.%I', n.nspname, c.relname), min(l.word), c.oid::text, coalesce(a.list, ''), coalesce(a.binary, true), pg_table_size(c.oid),
       pg_relation_size(c.oid) / current_setting('block_size')::bigint
  from leaves l join pg_class c on c.oid = l.oid join pg_namespace n on n.oid = c.relnamespace
  left join lateral (
    select string_agg(quote_ident(attname), ', ' order by attnum) as list,
           bool_and(atttypid in (16, 17, 20, 21, 23, 25, 114, 700, 701, 1042, 1043, 1082, 1114, 1184, 1700, 2950, 3802)) as binary
      from pg_attribute where attrelid = c.oid and attnum > 0 and not attisdropped and attgenerated = '') a on true
 where c.relkind = 'r'
 group by n.nspname, c.relname, c.oid, a.list, a.binary order by 6 desc, 1)";

std::string arrayOf(const std::vector<CopyTable>& tables) {
    std::string list;
    for (const CopyTable& table : tables) {
        list += (list.empty() ? "" : ",") + quoteLiteral(table.name);
    }
    return "array[" + list + "]::text[]";
}

} // namespace

Result<std::vector<CopyTable>> list(Connection& source, const std::string& publication) {
    const Result<Rows> rows = source.query(LIST_SQL, {publication}, LIST_LIMIT);
    if (!rows) {
        return rows.error();
    }
    std::vector<CopyTable> tables;
    for (std::size_t i = 0; i < rows->size(); ++i) {
        CopyTable table;
        table.name = rows->text(i, 0);
        table.entry = rows->text(i, 1);
        table.oid = rows->text(i, 2);
        table.columns = rows->text(i, 3);
        table.binary = rows->text(i, 4) == "t";
        table.bytes = std::stod(rows->text(i, 5));
        table.pages = std::stod(rows->text(i, 6));
        tables.push_back(std::move(table));
    }
    return tables;
}

Status compareWith(Connection& destination, std::vector<CopyTable>& tables) {
    const Result<Rows> rows = destination.batch(
        fmt::format("select name, pg_relation_size(to_regclass(name)) from unnest({}) name", arrayOf(tables)), LIST_LIMIT);
    if (!rows) {
        return rows.error();
    }
    std::map<std::string, std::string> sizes;
    for (std::size_t i = 0; i < rows->size(); ++i) {
        sizes[rows->text(i, 0)] = rows->text(i, 1);
    }
    for (CopyTable& table : tables) {
        const std::string size = sizes[table.name];
        if (size.empty()) {
            return Error{Error::Kind::Conflict,
                         fmt::format("Table {} of {} is not on {}.", table.name, "blue", destination.label()),
                         "Make it there as it is on blue, or abort and begin again; while the data are copied no table may be made.",
                         {}};
        }
        table.emptyThere = size == "0";
    }
    return {};
}

std::vector<CopyGroup> split(const std::vector<CopyTable>& tables, double splitBytes, int sourceVersion) {
    std::vector<CopyGroup> groups;
    CopyGroup small;
    double bytes = 0;
    for (std::size_t t = 0; t < tables.size(); ++t) {
        const CopyTable& table = tables[t];
        const int parts = sourceVersion < 140000 || table.columns.empty()
                              ? 1
                              : static_cast<int>(std::clamp(std::floor(table.bytes / splitBytes), 1.0, static_cast<double>(MOST_PARTS)));
        if (parts > 1 && table.pages >= parts) {
            const double pages = std::ceil(table.pages / parts);
            for (int i = 0; i < parts; ++i) {
                // The last part has no end: it takes what was appended meanwhile, of which the snapshot shows nothing.
                std::string where = fmt::format("ctid >= '({:.0f},0)'::tid", pages * i);
                where += i + 1 < parts ? fmt::format(" and ctid < '({:.0f},0)'::tid", pages * (i + 1)) : "";
                groups.push_back({{{t, i, parts, where, table.bytes / parts}}, 0});
            }
        } else if (table.bytes >= GROUP_BYTES) {
            groups.push_back({{{t, 0, 1, "", table.bytes}}, 0});
        } else {
            small.parts.push_back({t, 0, 1, "", table.bytes});
            bytes += table.bytes;
            if (small.parts.size() == GROUP_TABLES || bytes >= GROUP_BYTES) {
                groups.push_back(std::exchange(small, {}));
                bytes = 0;
            }
        }
    }
    if (!small.parts.empty()) {
        groups.push_back(std::move(small));
    }
    return groups;
}

Result<std::set<std::string>> finished(Connection& destination, const std::string& snapshot) {
    const Result<Rows> rows = destination.query(
        "select relation from tealdeck.copied where snapshot = $1 group by relation having count(*) = max(parts)", {snapshot}, LIST_LIMIT);
    if (!rows) {
        return rows.error();
    }
    std::set<std::string> done;
    for (std::size_t i = 0; i < rows->size(); ++i) {
        done.insert(rows->text(i, 0));
    }
    return done;
}

std::string recordSql(const std::vector<CopyTable>& tables, const std::vector<CopyPart>& parts, const std::vector<long>& rows,
                      const std::string& snapshot) {
    std::string values;
    for (std::size_t i = 0; i < parts.size(); ++i) {
        values += fmt::format("{}({}, {}, {}, {}, {})", i == 0 ? "" : ", ", quoteLiteral(tables[parts[i].table].name), parts[i].number,
                              parts[i].parts, quoteLiteral(snapshot), rows[i]);
    }
    return "insert into tealdeck.copied(relation, part, parts, snapshot, rows) values " + values;
}

Status beginAnew(Connection& destination, const std::vector<std::string>& tables, const std::string& snapshot, Millis limit) {
    std::string sql = "delete from tealdeck.copied where snapshot <> " + quoteLiteral(snapshot);
    // In portions: each table that is emptied is locked until its portion ends.
    constexpr std::size_t PORTION = 500;
    for (std::size_t at = 0; at <= tables.size(); at += PORTION) {
        std::string list;
        std::string names;
        for (std::size_t i = at; i < std::min(at + PORTION, tables.size()); ++i) {
            list += (list.empty() ? "" : ", ") + ("only " + tables[i]);
            names += (names.empty() ? "" : ", ") + quoteLiteral(tables[i]);
        }
        if (!list.empty()) {
            sql += fmt::format("; truncate {}; delete from tealdeck.copied where relation in ({})", list, names);
        }
        if (const Result<Rows> done = destination.batch("BEGIN; " + sql + "; COMMIT", limit); !done) {
            return done.error();
        }
        sql = "select 1";
    }
    return {};
}

} // namespace tealdeck::copy_tables
