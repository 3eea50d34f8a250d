// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/verify/compare_sql.h"

#include "core/postgres/sql.h"

#include <fmt/format.h>

namespace tealdeck::verify {
namespace {

std::string list(const std::vector<std::string>& parts) {
    std::string text;
    for (const std::string& part : parts) {
        text += (text.empty() ? "" : ", ") + part;
    }
    return text;
}

std::vector<std::string> keyColumns(const TablePair& pair) {
    std::vector<std::string> names;
    for (const std::string& name : pair.key) {
        names.push_back("t." + quoteIdentifier(name));
    }
    return names;
}

std::string keyLiteral(const TablePair& pair, const Key& key) {
    std::vector<std::string> values;
    for (std::size_t i = 0; i < pair.key.size(); ++i) {
        values.push_back(fmt::format("{}::{}", quoteLiteral(key.at(i)), pair.keyTypes[i]));
    }
    return values.size() == 1 ? values[0] : "(" + list(values) + ")";
}

std::string where(const TablePair& pair, const Part& part) {
    if (part.bucket >= 0) {
        return fmt::format(" where ({}) & {} = {}", pair.rowHash, part.buckets - 1, part.bucket);
    }
    const std::vector<std::string> names = keyColumns(pair);
    const std::string key = names.size() == 1 ? names[0] : "(" + list(names) + ")";
    std::string text;
    if (!part.above.empty()) {
        text += fmt::format(" where {} > {}", key, keyLiteral(pair, part.above));
    }
    if (!part.upTo.empty()) {
        text += fmt::format(" {} {} <= {}", text.empty() ? "where" : "and", key, keyLiteral(pair, part.upTo));
    }
    return text;
}

std::string keyTexts(const TablePair& pair) {
    std::vector<std::string> texts;
    for (const std::string& name : keyColumns(pair)) {
        texts.push_back(name + "::text");
    }
    return list(texts);
}

std::string from(const TablePair& pair) {
    return " from only " + pair.source.name + " t";
}

std::string values(const TablePair& pair, int mostLetters) {
    std::vector<std::string> parts;
    for (const std::string& column : pair.columns) {
        const std::string text = fmt::format("t.{}::text collate \"C\"", quoteIdentifier(column));
        parts.push_back(fmt::format("hashtextextended({}, 0)", text));
        parts.push_back(fmt::format("left({}, {})", text, mostLetters));
    }
    return list(parts);
}

std::string keyIs(const TablePair& pair, const Key& key) {
    std::string text;
    for (std::size_t i = 0; i < pair.key.size(); ++i) {
        text +=
            fmt::format("{}t.{} = {}::{}", i == 0 ? "" : " and ", quoteIdentifier(pair.key[i]), quoteLiteral(key.at(i)), pair.keyTypes[i]);
    }
    return text;
}

} // namespace

const char* sessionSql() {
    return "set timezone = 'UTC'; set datestyle = 'ISO, YMD'; set intervalstyle = 'postgres'; set extra_float_digits = 1; set bytea_output "
           "= "
           "'hex'; set xmloption = 'content'; set lc_monetary = 'C'; set search_path = pg_catalog; set row_security = off; set jit = off; "
           "set "
           "default_transaction_read_only = on";
}

std::string digestSql(const TablePair& pair, const Part& part) {
    return fmt::format("select count(*), coalesce(sum({}), 0){}{}", pair.rowHash, from(pair), where(pair, part));
}

std::string bucketsSql(const TablePair& pair, int buckets, const std::vector<int>& only) {
    std::vector<std::string> numbers;
    for (const int bucket : only) {
        numbers.push_back(std::to_string(bucket));
    }
    const std::string some = only.empty() ? "" : fmt::format(" where h & {} in ({})", buckets - 1, list(numbers));
    return fmt::format("select h & {}, count(*), sum(h) from (select {} as h{} offset 0) s{} group by 1", buckets - 1, pair.rowHash,
                       from(pair), some);
}

std::string boundSql(const TablePair& pair, const Part& part, std::int64_t rows) {
    return fmt::format("select {}{}{} order by {} offset {} limit 1", keyTexts(pair), from(pair), where(pair, part), list(keyColumns(pair)),
                       rows - 1);
}

std::string rowsSql(const TablePair& pair, const Part& part) {
    return fmt::format("select {}, {}{}{}", keyTexts(pair), pair.rowHash, from(pair), where(pair, part));
}

std::string lookUpSql(const TablePair& pair, const std::vector<Key>& keys) {
    std::vector<std::string> rows;
    std::vector<std::string> names = {"number"};
    std::string on;
    for (std::size_t c = 0; c < pair.key.size(); ++c) {
        names.push_back(fmt::format("k{}", c));
        on += fmt::format("{}t.{} = v.k{}", c == 0 ? "" : " and ", quoteIdentifier(pair.key[c]), c);
    }
    for (std::size_t i = 0; i < keys.size(); ++i) {
        std::vector<std::string> row = {std::to_string(i)};
        for (std::size_t c = 0; c < pair.key.size(); ++c) {
            row.push_back(fmt::format("{}::{}", quoteLiteral(keys[i].at(c)), pair.keyTypes[c]));
        }
        rows.push_back("(" + list(row) + ")");
    }
    return fmt::format("select v.number, {}, t.xmin::text || ' ' || t.ctid::text from (values {}) v({}) join only {} t on {}", pair.rowHash,
                       list(rows), list(names), pair.source.name, on);
}

std::string bucketRowsSql(const TablePair& pair, const Part& part, int most) {
    return fmt::format("select {} as h, count(*){}{} group by 1 order by 1 limit {}", pair.rowHash, from(pair), where(pair, part), most);
}

std::string valuesSql(const TablePair& pair, const Key& key, int mostLetters) {
    return fmt::format("select {}{} where {}", values(pair, mostLetters), from(pair), keyIs(pair, key));
}

std::string valuesOfHashSql(const TablePair& pair, const std::string& hash, int mostLetters) {
    return fmt::format("select {}{} where ({}) = {} limit 1", values(pair, mostLetters), from(pair), pair.rowHash, quoteLiteral(hash));
}

std::string inspectSql(const TablePair& pair, const Key& key) {
    return fmt::format("select t.*{} where {};", from(pair), keyIs(pair, key));
}

std::string inspectHashSql(const TablePair& pair, const std::string& hash) {
    return fmt::format("select t.*{} where ({}) = {};", from(pair), pair.rowHash, quoteLiteral(hash));
}

} // namespace tealdeck::verify
