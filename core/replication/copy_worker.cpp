// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/replication/copy_worker.h"

#include "core/postgres/sql.h"
#include "core/util/crash_point.h"

#include <algorithm>
#include <fmt/format.h>
#include <set>
#include <thread>

namespace tealdeck {
namespace {

/// A bigger table is emptied first even when it is empty: rows that come in the transaction which emptied it can be written frozen, so
/// that nobody has to do that later (manual, COPY, FREEZE). For small ones the new files would cost more.
constexpr double FREEZE_BYTES = 8e6;
/// So much is moved between two looks at the pace.
constexpr std::size_t BITE = 65536;
constexpr Millis END_LIMIT{std::chrono::minutes(10)};

Error rewrittenError() {
    return {Error::Kind::Conflict, "rewritten on blue", {}, {}};
}

} // namespace

void CopyWorker::run() {
    while (std::optional<CopyGroup> group = m_job.take()) {
        m_part.reset();
        m_rewritten.clear();
        const Status copied = copyGroup(*group);
        if (copied) {
            m_job.done();
            continue;
        }
        m_job.progress.partLost(m_number);
        // Whatever these sessions are in the middle of ends with them.
        m_blue.reset();
        m_green.reset();
        if (!m_rewritten.empty()) {
            m_job.rewritten(std::move(*group), m_rewritten);
            continue;
        }
        const int attempts = group->attempts;
        m_job.failed(std::move(*group), m_part, copied.error());
        if (isPassing(copied.error())) {
            rest(attempts);
        }
    }
}

void CopyWorker::rest(int attempts) const {
    const auto until = std::chrono::steady_clock::now() + std::min(Millis(250) * (1 << std::min(attempts, 5)), Millis(5000));
    while (std::chrono::steady_clock::now() < until && !m_job.control.stopped()) {
        std::this_thread::sleep_for(Millis(20));
    }
}

Status CopyWorker::open() {
    for (const Side side : {Side::Blue, Side::Green}) {
        std::unique_ptr<StreamSession>& session = side == Side::Blue ? m_blue : m_green;
        if (session && !session->broken()) {
            continue;
        }
        session.reset();
        StreamOptions options;
        options.clientEncoding = m_place.encoding;
        options.stall = m_place.stall;
        options.cancelled = [this] { return m_job.control.stopped(); };
        auto opened = m_place.connector.stream(side, m_place.database, options);
        if (!opened) {
            return opened.error();
        }
        session = std::move(*opened);
        if (side == Side::Blue) {
            continue;
        }
        // No trigger fires for these rows, as in the apply of a subscription. What a crash of green loses it loses with its record.
        if (const Result<Rows> set = session->run("SET session_replication_role = replica; SET synchronous_commit = off"); !set) {
            return set.error();
        }
    }
    return {};
}

Status CopyWorker::begin() {
    // A transaction for each group: thousands of tables in one would need as many locks.
    const Result<Rows> blue = m_blue->run(
        fmt::format("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SET TRANSACTION SNAPSHOT {}", quoteLiteral(m_place.snapshotId)));
    if (!blue) {
        return blue.error();
    }
    const Result<Rows> green = m_green->run("BEGIN");
    return green.ok() ? Status() : Status(green.error());
}

/// A COMMIT whose answer was lost may have been done (law 4: the catalog says which).
Status CopyWorker::forgetRecorded(CopyGroup& group) {
    const Result<Rows> rows =
        m_green->run("select relation, part, rows from tealdeck.copied where snapshot = " + quoteLiteral(m_job.snapshot), Millis(60000));
    if (!rows) {
        return rows.error();
    }
    std::map<std::pair<std::string, int>, long> done;
    for (std::size_t i = 0; i < rows->size(); ++i) {
        done[{rows->text(i, 0), std::stoi(rows->text(i, 1))}] = std::stol(rows->text(i, 2));
    }
    std::erase_if(group.parts, [&](const CopyPart& part) {
        const auto it = done.find({m_job.tables[part.table].name, part.number});
        if (it == done.end()) {
            return false;
        }
        m_job.progress.partDone(m_number, part, it->second);
        return true;
    });
    return {};
}

Status CopyWorker::copyGroup(CopyGroup& group) {
    if (!m_job.control.pass(0)) {
        return Error{Error::Kind::Refused, "Stopped.", {}, {}};
    }
    Status status = open();
    if (status.ok() && group.attempts > 0) {
        status = forgetRecorded(group);
    }
    status = status.ok() ? begin() : status;
    std::vector<long> rows(group.parts.size(), 0);
    for (std::size_t i = 0; status.ok() && i < group.parts.size(); ++i) {
        m_part = i;
        status = copyPart(group.parts[i], rows[i]);
    }
    if (!status) {
        return status;
    }
    m_part.reset();
    if (const Status same = findRewritten(group); !same) {
        return same;
    }
    if (!group.parts.empty()) {
        crashPoint("copy-commit");
        const std::string record = copy_tables::recordSql(m_job.tables, group.parts, rows, m_job.snapshot);
        if (const Result<Rows> kept = m_green->run(record + "; COMMIT", END_LIMIT); !kept) {
            return kept.error();
        }
        crashPoint("copy-committed");
    } else if (const Result<Rows> none = m_green->run("COMMIT"); !none) {
        return none.error();
    }
    for (std::size_t i = 0; i < group.parts.size(); ++i) {
        m_job.progress.partDone(m_number, group.parts[i], rows[i]);
    }
    if (!m_blue->run("COMMIT").ok()) {
        m_blue.reset(); // it has given what it was asked for
    }
    return {};
}

Status CopyWorker::copyPart(const CopyPart& part, long& rows) {
    const CopyTable& table = m_job.tables[part.table];
    m_job.progress.partBegins(m_number, table.name, part);
    const bool whole = part.where.empty();
    const bool truncate = whole && (!table.emptyThere || table.bytes >= FREEZE_BYTES);
    const std::string columns = table.columns.empty() ? std::string() : " (" + table.columns + ")";
    const char* format = table.binary ? "binary" : "text";
    const std::string from =
        whole ? table.name + columns : fmt::format("(select {} from only {} where {})", table.columns, table.name, part.where);
    if (const Status begun = m_blue->beginCopyOut(fmt::format("COPY {} TO STDOUT (FORMAT {})", from, format)); !begun) {
        return begun;
    }
    if (truncate) {
        if (const Result<Rows> emptied = m_green->run("TRUNCATE ONLY " + table.name, Millis(60000)); !emptied) {
            return emptied.error();
        }
    }
    const std::string into = fmt::format("COPY {}{} FROM STDIN (FORMAT {}{})", table.name, columns, format, truncate ? ", FREEZE" : "");
    if (const Status begun = m_green->beginCopyIn(into); !begun) {
        return begun;
    }
    crashPoint("copy-begun");
    return stream(rows);
}

Status CopyWorker::stream(long& rows) {
    std::size_t bitten = 0;
    long pieces = 0;
    for (;;) {
        const Result<std::optional<std::string_view>> piece = m_blue->next();
        if (!piece) {
            return piece.error();
        }
        if (*piece) {
            if (const Status put = m_green->put(**piece); !put) {
                return put;
            }
            bitten += (*piece)->size();
            ++pieces;
            if (bitten < BITE) {
                continue;
            }
        }
        m_job.progress.moved(m_number, bitten, pieces);
        if (!m_job.control.pass(bitten)) {
            return Error{Error::Kind::Refused, "Stopped.", {}, {}};
        }
        bitten = 0;
        pieces = 0;
        if (!*piece) {
            break;
        }
    }
    if (const Status ended = m_green->endCopyIn(END_LIMIT); !ended) {
        return ended;
    }
    rows = m_green->rowsCopied();
    if (rows != m_blue->rowsCopied()) {
        return Error{Error::Kind::Conflict, fmt::format("blue sent {} rows, green took {}", m_blue->rowsCopied(), rows), {}, {}};
    }
    return {};
}

/// A snapshot shows a table that was rewritten after it (by ALTER TABLE, or by TRUNCATE) as empty (manual, "Caveats" of MVCC). Its file
/// tells: the row of pg_class is the snapshot's, the function answers for now, and this transaction's lock keeps it so.
Status CopyWorker::findRewritten(const CopyGroup& group) {
    std::string oids;
    for (const CopyPart& part : group.parts) {
        oids += (oids.empty() ? "" : ",") + m_job.tables[part.table].oid;
    }
    const Result<Rows> rows = m_blue->run(fmt::format("select oid::text from pg_class where oid = any ('{{{}}}'::oid[]) and relfilenode is "
                                                      "distinct from pg_relation_filenode(oid)",
                                                      oids));
    if (!rows) {
        return rows.error();
    }
    std::set<std::string> moved;
    for (std::size_t i = 0; i < rows->size(); ++i) {
        moved.insert(rows->text(i, 0));
    }
    for (const CopyPart& part : group.parts) {
        if (moved.count(m_job.tables[part.table].oid) != 0) {
            m_rewritten.push_back(part.table);
        }
    }
    return m_rewritten.empty() ? Status() : Status(rewrittenError());
}

} // namespace tealdeck
