// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/replication/exported_snapshot.h"

#include "core/postgres/sql.h"
#include "core/postgres/stream_session.h"

#include <fmt/format.h>

namespace tealdeck {
namespace {

/// Who still writes: what a new slot waits for.
constexpr const char* WRITER_SQL =
    "select format('session %s of %s in %s (%s), open for %s s', pid, usename, datname, application_name, "
    "round(extract(epoch from clock_timestamp() - xact_start))) from pg_stat_activity where backend_xid is not null and pid <> "
    "pg_backend_pid() order by xact_start limit 1";

Error notMade(Connection& blue, const std::string& slot, int pid, const Error& error) {
    // Closing the socket is not enough: the server would go on waiting, with half a slot.
    const Result<Rows> writer = blue.query(WRITER_SQL);
    static_cast<void>(blue.query("select pg_terminate_backend($1::int)", {std::to_string(pid)}));
    const bool late = error.kind == Error::Kind::Timeout;
    const std::string oldest = writer.ok() ? writer->single().value_or("") : "";
    return Error{error.kind,
                 fmt::format("Slot {} could not be made: {}{}", slot, error.message, oldest.empty() ? "" : " Oldest: " + oldest + "."),
                 late ? "A slot waits for every open transaction that has written: end the oldest, then run it again." : error.remedy,
                 error.sqlstate};
}

} // namespace

Result<std::unique_ptr<ExportedSnapshot>> ExportedSnapshot::create(const Connector& connector, Connection& blue,
                                                                   const std::string& database, const std::string& slot,
                                                                   const std::function<bool()>& cancelled, Millis limit) {
    StreamOptions options;
    options.replication = true;
    options.cancelled = cancelled;
    auto maker = connector.stream(Side::Blue, database, options);
    if (!maker) {
        return maker.error();
    }
    // Since 15 the options stand in brackets (manual, "Streaming Replication Protocol").
    const char* form = (*maker)->serverVersion() >= 150000 ? "(SNAPSHOT 'export')" : "EXPORT_SNAPSHOT";
    const Result<Rows> made =
        (*maker)->run(fmt::format("CREATE_REPLICATION_SLOT {} LOGICAL pgoutput {}", quoteIdentifier(slot), form), limit);
    if (!made) {
        return notMade(blue, slot, (*maker)->backendPid(), made.error());
    }
    auto snapshot = std::unique_ptr<ExportedSnapshot>(new ExportedSnapshot());
    snapshot->m_point = made->text(0, 1);
    auto holder = connector.primary(Side::Blue, database);
    if (!holder) {
        return holder.error();
    }
    snapshot->m_holder = std::move(*holder);
    // Taken over and given out anew, so that the connection which made it is not needed any more.
    const Result<Rows> taken =
        snapshot->m_holder->batch(fmt::format("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SET TRANSACTION SNAPSHOT {}; "
                                              "select pg_export_snapshot()",
                                              quoteLiteral(made->text(0, 2))));
    if (!taken) {
        return taken.error();
    }
    snapshot->m_id = taken->text(0, 0);
    return snapshot;
}

bool ExportedSnapshot::alive() const {
    return !m_holder->broken() && m_holder->query("select 1").ok();
}

} // namespace tealdeck
