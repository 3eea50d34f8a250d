// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/support/lab_fixture.h"

#include "app/lab/sql_client.h"

#include <cstdlib>
#include <sys/stat.h>

namespace tealdeck {

std::filesystem::path makeTestFolder() {
    std::string pattern = (std::filesystem::temp_directory_path() / "tealdeck-test-XXXXXX").string();
    if (::mkdtemp(pattern.data()) == nullptr) {
        ADD_FAILURE() << "no temporary folder: " << pattern;
    }
    ::chmod(pattern.c_str(), 0755);
    return pattern;
}

TestLab::TestLab(LabOptions options) : m_base(makeTestFolder()), m_dir(m_base / "lab") {
    options.dir = m_dir;
    Result<LabState> up = upLab(options);
    if (!up) {
        ADD_FAILURE() << "the lab did not start: " << up.error().text();
        return;
    }
    m_state = *up;
    m_up = true;
}

TestLab::~TestLab() {
    const bool keep = std::getenv("TEALDECK_KEEP_LAB") != nullptr && ::testing::Test::HasFailure();
    std::error_code failure;
    if (std::filesystem::exists(m_dir / "lab.json", failure)) {
        const Status down = downLab(m_dir, !keep);
        EXPECT_TRUE(down.ok()) << down.error().text();
    }
    if (!keep) {
        std::filesystem::remove_all(m_base, failure);
    }
}

std::string TestLab::ask(Side side, const std::string& database, const std::string& sql) {
    Result<SqlClient> client = SqlClient::connect(labConnection(m_state, m_state.primary(side).port, "tealdeck", database));
    if (!client) {
        ADD_FAILURE() << client.error().text();
        return {};
    }
    Result<SqlClient::Rows> rows = client->query(sql);
    if (!rows || rows->empty()) {
        ADD_FAILURE() << sql << ": " << (rows ? "no row" : rows.error().text());
        return {};
    }
    return rows->at(0).at(0);
}

void TestLab::run(Side side, const std::string& database, const std::string& sql) {
    Result<SqlClient> client = SqlClient::connect(labConnection(m_state, m_state.primary(side).port, "tealdeck", database));
    const Status ran = client ? client->run(sql) : Status(client.error());
    EXPECT_TRUE(ran.ok()) << sql << ": " << ran.error().text();
}

} // namespace tealdeck
