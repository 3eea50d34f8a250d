// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/verify/foreign_writes.h"

#include "core/util/clock.h"
#include "core/util/files.h"
#include "core/util/text.h"

#include <fmt/format.h>

namespace tealdeck {
namespace {

constexpr Millis LIMIT{10000};
constexpr int MOST_CHANGES = 100000; ///< in one look; the rest comes with the next
/// The text of a change is "table schema.name: UPDATE: values": the values stay on the server.
constexpr const char* CHANGES_SQL =
    "select left(substring(data from '^table (.+?): (?:INSERT|UPDATE|DELETE|TRUNCATE):'), 200), lower(substring(data from '^table .+?: "
    "(INSERT|UPDATE|DELETE|TRUNCATE):')), "
    "count(*) from pg_logical_slot_get_changes($1, null, $2, 'only-local', '1', 'skip-empty-xacts', '1', 'include-xids', '0') "
    "where data ~ '^table ' and data !~ '^table tealdeck(_sync)?\\.' group by 1, 2 order by 3 desc limit 20";

} // namespace

ForeignWrites::ForeignWrites(const Connector& connector, Side follower)
    : m_connector(connector), m_side(follower),
      m_file(connector.plan().engineFolder / fmt::format("foreign-writes-{}.json", sideName(follower))) {
    const Result<std::string> text = readFile(m_file);
    const Json json = text.ok() ? parseJson(*text).value_or(Json::object()) : Json::object();
    m_found.changes = member<std::int64_t>(json, "changes", 0);
    m_found.tables = member<std::string>(json, "tables", "");
    m_found.wallUs = member<std::int64_t>(json, "wall_us", 0);
    m_found.sinceWallUs = Clock::system().wallUs();
}

ForeignWrites::~ForeignWrites() {
    for (const auto& [database, session] : m_sessions) {
        if (session && !session->broken()) {
            // The end of the session would do it too, but some moments later.
            static_cast<void>(session->query("select pg_drop_replication_slot($1)", {m_slots[database]}, Millis(1000)));
        }
    }
}

Status ForeignWrites::open(const std::string& database) {
    std::unique_ptr<Connection>& session = m_sessions[database];
    if (session && !session->broken()) {
        return {};
    }
    auto opened = m_connector.primary(m_side, database);
    if (!opened) {
        return opened.error();
    }
    const std::string slot = "tealdeck_watch_" + randomHex(8);
    const Result<Rows> made = (*opened)->query("select pg_create_logical_replication_slot($1, 'test_decoding', true)", {slot}, LIMIT);
    if (!made) {
        return Error{made.error().kind, "Writes of others can't be watched: " + made.error().message,
                     "It needs a free replication slot and the module test_decoding of PostgreSQL's contrib package.",
                     made.error().sqlstate};
    }
    session = std::move(*opened);
    m_slots[database] = slot;
    m_found.sinceWallUs = Clock::system().wallUs(); // a new session has not seen what was before
    return {};
}

Status ForeignWrites::read(const std::string& database) {
    if (const Status ready = open(database); !ready) {
        return ready;
    }
    Connection& session = *m_sessions[database];
    const Result<Rows> rows = session.query(CHANGES_SQL, {m_slots[database], std::to_string(MOST_CHANGES)}, LIMIT);
    if (!rows) {
        // What the slot had already passed can't be read again.
        session.breakOff();
        return rows.error();
    }
    // Asked afterwards: nobody but the feed writes before the row says so. What a side wrote that has been opened is no finding.
    const Result<Rows> role = session.query("select role from tealdeck.side", {}, LIMIT);
    if (!role || role->text(0, 0) != "replica") {
        return role.ok() ? Status(Error{Error::Kind::Conflict, fmt::format("{} does not follow now.", session.label()), {}, {}})
                         : Status(role.error());
    }
    for (std::size_t i = 0; i < rows->size(); ++i) {
        m_found.changes += std::strtoll(rows->text(i, 2).c_str(), nullptr, 10);
        const std::string line =
            plainText(fmt::format("{}: {} on {} ({})", database, rows->text(i, 1), rows->text(i, 0), rows->text(i, 2)), 250);
        m_found.tables = m_found.tables.size() > 1000 ? m_found.tables : m_found.tables + (m_found.tables.empty() ? "" : ", ") + line;
        m_found.wallUs = Clock::system().wallUs();
    }
    if (!rows->empty()) {
        keep();
    }
    return {};
}

Result<ForeignWrites::Finding> ForeignWrites::look() {
    Status status;
    for (const std::string& database : m_connector.plan().databases) {
        const Status one = read(database);
        status = one.ok() ? status : one;
    }
    return status.ok() || m_found.changes > 0 ? Result<Finding>(m_found) : Result<Finding>(status.error());
}

void ForeignWrites::forget() {
    m_found.changes = 0;
    m_found.tables.clear();
    keep();
}

void ForeignWrites::keep() {
    static_cast<void>(
        writeFileAtomically(m_file, dumpJson({{"changes", m_found.changes}, {"tables", m_found.tables}, {"wall_us", m_found.wallUs}})));
}

} // namespace tealdeck
