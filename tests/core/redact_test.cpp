// SPDX-License-Identifier: GPL-3.0-or-later
// What people put into statements and what programs print must not reach the record as it is.
#include "core/util/redact.h"

#include <gtest/gtest.h>
#include <random>

namespace tealdeck {
namespace {

TEST(RedactSql, keepsTheShapeAndDropsTheValues) {
    const std::pair<const char*, const char*> cases[] = {
        {"select 1 from t where name = 'anna''s' and n > 42.5e-3", "select ? from t where name = '…' and n > ?"},
        {"create role r login password 'canary'", "create role r login password '…'"},
        {"select E'a\\'canary', U&'x', b'01'", "select E'…', U&'…', b'…'"},
        {"select $$canary$$, $tag$ can$$ary $tag$, $1, a$b$c", "select '…', '…', $1, a$b$c"},
        {"select \"Tab'le\"\"x\", col1, t2.c3 from t2 -- canary\n where /* canary /* nested */ canary */ true",
         "select \"Tab'le\"\"x\", col1, t2.c3 from t2 where true"},
        {"type'canary'", "type'…'"},
        {"select 'unfinished canary", "select '…'"},
        {"  select\n\t 1  ", "select ?"},
        {"", ""}};
    for (const auto& [sql, shown] : cases) {
        EXPECT_EQ(redactSql(sql), shown);
        EXPECT_EQ(redactSql(sql).find("canary"), std::string::npos);
    }
}

TEST(RedactSql, cutsAtWholeCharacters) {
    const std::string cut = redactSql("select " + std::string(50, 'a') + "äöü", 20);
    EXPECT_EQ(cut, "select " + std::string(13, 'a') + "…");
    EXPECT_EQ(redactSql("select äöü", 9), "select ä…");
}

TEST(RedactSql, endsOnAnyBytes) {
    std::mt19937_64 random(7);
    for (int i = 0; i < 20'000; ++i) {
        std::string sql;
        for (std::uint64_t n = random() % 40; n > 0; --n) {
            sql += "'\"$-/*\\eE1a \n\xc3\xa4;"[random() % 16];
        }
        EXPECT_LE(redactSql(sql, 30).size(), 33U);
    }
}

TEST(RedactText, findsPasswordsWhereProgramsPrintThem) {
    for (const char* text : {"host=h password=canary user=u", "PGPASSWORD=canary", "postgres://u:canary@h/db", "{\"password\": \"canary\"}",
                             "password = 'can ary'", "API_TOKEN: canary", "--db-password=canary next", "my_secret=\"canary\\\"canary\""}) {
        EXPECT_EQ(redactText(text).find("canary"), std::string::npos) << redactText(text);
        EXPECT_EQ(redactText(text).find("ary'"), std::string::npos) << redactText(text);
        EXPECT_NE(redactText(text).find("[redacted]"), std::string::npos) << text;
    }
    EXPECT_EQ(redactText("no word of it: passwords are fine"), "no word of it: passwords are fine");
    EXPECT_EQ(redactText("see https://example.org/a:b@c"), "see https://example.org/a:b@c");
}

TEST(RedactText, takesTheValuesOfSecretVariablesOut) {
    EXPECT_EQ(redactText("it is canary-77", {{"DEPLOY_TOKEN", "canary-77"}, {"LANG", "it is"}}), "it is [redacted]");
}

} // namespace
} // namespace tealdeck
