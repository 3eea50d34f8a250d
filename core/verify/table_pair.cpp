// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/verify/table_pair.h"

#include "core/postgres/sql.h"
#include "core/util/json.h"

#include <algorithm>
#include <fmt/format.h>
#include <map>
#include <set>

namespace tealdeck::verify {
namespace {

/// Keys: unique, valid, immediate, over columns that are never null, without predicate or expression. The primary key comes first.
constexpr const char* TABLES_SQL = R"SQL(
select format('%I.%I', n.nspname, c.relname), pg_relation_size(c.oid)::float8,
       (select coalesce(json_agg(json_build_array(a.attname, format_type(a.atttypid, a.atttypmod),
                 case when y.typtype = 'b' and y.typelem = 0 and m.nspname = 'pg_catalog' then y.typname else '' end) order by a.attnum), '[]')
          from pg_attribute a join pg_type y on y.oid = a.atttypid join pg_namespace m on m.oid = y.typnamespace
         where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped),
       (select coalesce(json_agg(k.columns order by k.indisprimary desc, k.indnkeyatts, k.indexrelid), '[]')
          from (select i.indexrelid, i.indisprimary, i.indnkeyatts, bool_and(a.attnotnull) as filled, json_agg(a.attname order by p.place) as columns
                  from pg_index i cross join unnest(i.indkey::int2[]) with ordinality p(number, place)
                  join pg_attribute a on a.attrelid = i.indrelid and a.attnum = p.number
                 where i.indrelid = c.oid and i.indisunique and i.indisvalid and i.indimmediate and i.indpred is null and i.indexprs is null
                   and p.place <= i.indnkeyatts
                 group by 1, 2, 3) k where k.filled)
  from pg_class c join pg_namespace n on n.oid = c.relnamespace
 where c.relkind = 'r' and c.relpersistence = 'p' and n.nspname !~ '^pg_' and n.nspname not in ('information_schema', 'tealdeck', 'tealdeck_sync')
   and not exists (select from pg_depend d where d.classid = 'pg_class'::regclass and d.objid = c.oid and d.deptype = 'e')
 order by 1)SQL";

/// Types whose default hash tells every two values apart that are not the same bytes. Not so hash numbers by value (1.0 is 1.00), enums by
/// OIDs that differ from server to server, and everything of eight bytes folded into four (hashint8): those go through another form.
const std::set<std::string>& hashedAsTheyAre() {
    static const std::set<std::string> types = {"bool", "int2", "int4", "oid",  "date",    "uuid",    "bytea",
                                                "name", "char", "inet", "cidr", "macaddr", "macaddr8"};
    return types;
}

/// Binary forms that are the same on every version and keep what equality forgets.
const std::map<std::string, const char*>& hashedAsSent() {
    static const std::map<std::string, const char*> functions = {
        {"int8", "int8send"},      {"numeric", "numeric_send"}, {"timestamp", "timestamp_send"}, {"timestamptz", "timestamptz_send"},
        {"time", "time_send"},     {"timetz", "timetz_send"},   {"interval", "interval_send"},   {"bpchar", "bpcharsend"},
        {"pg_lsn", "pg_lsn_send"}, {"bit", "bit_send"},         {"varbit", "varbit_send"}};
    return functions;
}

std::string hashable(const Column& column, bool sameType) {
    const std::string name = "t." + quoteIdentifier(column.name);
    if (sameType && hashedAsTheyAre().count(column.builtin) > 0) {
        return name;
    }
    if (const auto sent = hashedAsSent().find(column.builtin); sameType && sent != hashedAsSent().end()) {
        return fmt::format("{}({})", sent->second, name);
    }
    const bool isText = column.builtin == "text" || column.builtin == "varchar";
    // A collation of its own may take different letters as equal.
    return fmt::format("{}{} collate \"C\"", name, isText ? "" : "::text");
}

std::string joined(const std::vector<std::string>& parts) {
    std::string text;
    for (const std::string& part : parts) {
        text += (text.empty() ? "" : ", ") + part;
    }
    return text;
}

/// Sums of plain record hashes would not notice values that changed places between two rows, because a record's hash adds up the hashes of
/// its columns: so each row is hashed with a seed of its own, made from its key or, without one, from the row.
std::string recordHash(const TablePair& pair, const std::vector<std::string>& values, const std::vector<std::string>& keyValues,
                       const std::vector<Column>& keyColumns) {
    const std::string row = fmt::format("row({})", joined(values));
    std::string seed = fmt::format("hash_record_extended(row({}), 1)", joined(pair.key.empty() ? values : keyValues));
    if (keyColumns.size() == 1 && (keyColumns[0].builtin == "int2" || keyColumns[0].builtin == "int4" || keyColumns[0].builtin == "int8")) {
        seed = fmt::format("t.{}::int8", quoteIdentifier(keyColumns[0].name));
    }
    return fmt::format("hash_record_extended({}, {})", row, seed);
}

void chooseKey(TablePair& pair, const Table& follower) {
    for (const std::vector<std::string>& key : pair.source.keys) {
        if (std::find(follower.keys.begin(), follower.keys.end(), key) != follower.keys.end()) {
            pair.key = key;
            return;
        }
    }
}

const Column* findColumn(const std::vector<Column>& columns, const std::string& name) {
    const auto it = std::find_if(columns.begin(), columns.end(), [&](const Column& c) { return c.name == name; });
    return it == columns.end() ? nullptr : &*it;
}

void prepare(TablePair& pair, const Table& follower, Method method) {
    chooseKey(pair, follower);
    std::vector<std::string> values;
    std::map<std::string, std::string> byName;
    for (const Column& column : pair.source.columns) {
        const Column* there = findColumn(follower.columns, column.name);
        if (there == nullptr) {
            pair.problem +=
                fmt::format("{}column {} is missing on the follower", pair.problem.empty() ? "" : "; ", quoteIdentifier(column.name));
            continue;
        }
        const std::string value =
            method == Method::RecordHash ? hashable(column, there->type == column.type) : "t." + quoteIdentifier(column.name);
        values.push_back(value);
        byName[column.name] = value;
        pair.columns.push_back(column.name);
    }
    for (const Column& column : follower.columns) {
        if (findColumn(pair.source.columns, column.name) == nullptr) {
            pair.note += fmt::format("{}column {} is only on the follower", pair.note.empty() ? "" : "; ", quoteIdentifier(column.name));
        }
    }
    std::vector<std::string> keyValues;
    std::vector<Column> keyColumns;
    for (const std::string& name : pair.key) {
        const Column* column = findColumn(pair.source.columns, name);
        pair.keyTypes.push_back(column->type);
        keyColumns.push_back(*column);
        keyValues.push_back(byName[name]);
    }
    pair.method = method;
    pair.rowHash = values.empty()                 ? "0::int8"
                   : method == Method::RecordHash ? recordHash(pair, values, keyValues, keyColumns)
                                                  : fmt::format("hashtextextended(row({})::text, 0)", joined(values));
}

} // namespace

const char* methodName(Method method) {
    return method == Method::RecordHash ? "record hash" : "text hash";
}

Result<std::vector<Table>> readTables(Connection& session) {
    const Result<Rows> rows = session.query(TABLES_SQL, {}, Millis(120000));
    if (!rows) {
        return rows.error();
    }
    std::vector<Table> tables;
    for (std::size_t i = 0; i < rows->size(); ++i) {
        Table table;
        table.name = rows->text(i, 0);
        table.bytes = std::max(0.0, std::strtod(rows->text(i, 1).c_str(), nullptr));
        for (const Json& column : parseJson(rows->text(i, 2)).value_or(Json::array())) {
            table.columns.push_back({column.at(0).get<std::string>(), column.at(1).get<std::string>(), column.at(2).get<std::string>()});
        }
        for (const Json& key : parseJson(rows->text(i, 3)).value_or(Json::array())) {
            table.keys.push_back(key.get<std::vector<std::string>>());
        }
        tables.push_back(std::move(table));
    }
    return tables;
}

std::vector<TablePair> pairTables(const std::vector<Table>& source, const std::vector<Table>& follower, Method method) {
    std::map<std::string, const Table*> there;
    for (const Table& table : follower) {
        there[table.name] = &table;
    }
    std::vector<TablePair> pairs;
    for (const Table& table : source) {
        TablePair pair;
        pair.source = table;
        const auto it = there.find(table.name);
        if (it == there.end()) {
            pair.missing = true;
        } else {
            prepare(pair, *it->second, method);
            there.erase(it);
        }
        pairs.push_back(std::move(pair));
    }
    for (const auto& [name, table] : there) {
        TablePair pair;
        pair.source = *table;
        pair.onlyThere = true;
        pairs.push_back(std::move(pair));
    }
    return pairs;
}

bool isNamed(const std::string& table, const std::vector<std::string>& names) {
    std::string bare = table;
    bare.erase(std::remove(bare.begin(), bare.end(), '"'), bare.end());
    return std::any_of(names.begin(), names.end(),
                       [&](const std::string& name) { return name == table || name == bare || "public." + name == bare; });
}

} // namespace tealdeck::verify
