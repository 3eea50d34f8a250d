// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/replication/snapshot_copy.h"

#include <algorithm>
#include <poll.h>
#include <thread>

namespace tealdeck {
namespace {

constexpr int LOOK_MS = 250;
constexpr int TICK_MS = 10;

} // namespace

Result<std::vector<CopyTable>> SnapshotCopy::tables(const ExportedSnapshot& snapshot) {
    Result<std::vector<CopyTable>> tables = copy_tables::list(snapshot.session(), m_setup.publication);
    if (!tables) {
        return tables;
    }
    if (const Status compared = copy_tables::compareWith(m_setup.green, *tables); !compared) {
        return compared.error();
    }
    return tables;
}

Result<CopyOutcome> SnapshotCopy::run(const ExportedSnapshot& snapshot) {
    Result<std::vector<CopyTable>> found = tables(snapshot);
    if (!found) {
        return found.error();
    }
    const CopyPlan& plan = m_setup.connector.plan().copy;
    std::vector<CopyGroup> groups = copy_tables::split(*found, plan.splitMib * 1048576, snapshot.session().serverVersion());
    // Tables in parts are emptied once, before the first part comes.
    std::vector<std::string> inParts;
    for (const CopyGroup& group : groups) {
        const CopyTable& table = (*found)[group.parts.front().table];
        if (!group.parts.front().where.empty() && group.parts.front().number == 0 && !table.emptyThere) {
            inParts.push_back(table.name);
        }
    }
    if (const Status ready = copy_tables::beginAnew(m_setup.green, inParts, snapshot.consistentPoint(), Millis(60000)); !ready) {
        return ready.error();
    }
    const Result<Rows> encoding = m_setup.green.query("select current_setting('server_encoding')");
    if (!encoding) {
        return encoding.error();
    }
    const int count = std::clamp(plan.connections, 1, std::max(1, static_cast<int>(groups.size())));
    CopyProgress progress;
    progress.begin(*found, groups, count);
    CopyJob job(std::move(*found), std::move(groups), snapshot.consistentPoint(), m_setup.control, progress);
    const CopyPlace place{m_setup.connector, m_setup.database, snapshot.id(), encoding->text(0, 0),
                          Millis(static_cast<std::int64_t>(plan.stallSeconds * 1000))};
    std::atomic<int> running{count};
    std::vector<std::thread> threads;
    for (int i = 0; i < count; ++i) {
        threads.emplace_back([&, i] {
            CopyWorker(place, job, i).run();
            --running;
        });
    }
    Status status;
    for (int waited = 0; running > 0;) {
        ::poll(nullptr, 0, TICK_MS);
        waited += TICK_MS;
        if (waited < LOOK_MS) {
            continue;
        }
        waited = 0;
        if (Status looked = m_setup.look(progress, false); !looked && status.ok()) {
            status = looked;
            m_setup.control.stop();
        }
    }
    for (std::thread& thread : threads) {
        thread.join();
    }
    const Status told = m_setup.look(progress, true);
    status = status.ok() ? told : status;
    if (status.ok() && job.fatal()) {
        return *job.fatal();
    }
    return status.ok() ? Result<CopyOutcome>(job.outcome()) : Result<CopyOutcome>(status.error());
}

} // namespace tealdeck
