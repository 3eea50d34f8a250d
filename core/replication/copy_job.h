// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include "core/replication/copy_control.h"
#include "core/replication/copy_progress.h"
#include "core/replication/copy_tables.h"

#include <condition_variable>
#include <deque>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace tealdeck {

/// What a snapshot copy of one database ended with.
struct CopyOutcome {
    std::vector<std::string> leftToServers; ///< whole tables that this copy could not take, and the servers' own synchronisation can
    std::vector<CopyFailure> failures;      ///< tables that nobody can copy before something is mended
    std::string why;                        ///< why something was left to the servers
};

/// The work of one snapshot copy, shared by its threads: what is still to do, what became of each table, and what ends everything.
class CopyJob {
  public:
    CopyJob(std::vector<CopyTable> copied, std::vector<CopyGroup> groups, std::string snapshotPoint, CopyControl& c, CopyProgress& p)
        : tables(std::move(copied)), snapshot(std::move(snapshotPoint)), control(c), progress(p),
          m_queue(std::make_move_iterator(groups.begin()), std::make_move_iterator(groups.end())) {}

    /// The next group without tables that failed meanwhile; std::nullopt: nothing is left, or everything ended. Waits while a group that
    /// may come back is still with another thread.
    std::optional<CopyGroup> take();
    void done();
    /// Decides what follows a failure: again, without the part that is at fault, or the end. part: which one of the group was being
    /// copied; std::nullopt: none.
    void failed(CopyGroup group, std::optional<std::size_t> part, const Error& error);
    /// The tables were rewritten on blue since the snapshot: it shows them empty or changed, so the servers have to copy them.
    void rewritten(CopyGroup group, const std::vector<std::size_t>& moved);

    /// An error that ended everything; std::nullopt: none.
    [[nodiscard]] std::optional<Error> fatal();
    CopyOutcome outcome();

    const std::vector<CopyTable> tables;
    const std::string snapshot; ///< its consistent point
    CopyControl& control;
    CopyProgress& progress;

  private:
    enum class Fate { Failed, Left };
    void fail(std::size_t table, const Error& error);

    std::mutex m_mutex;
    std::condition_variable m_wake;
    std::deque<CopyGroup> m_queue;
    int m_taken = 0; ///< groups that are with a thread now
    std::map<std::size_t, Fate> m_fates;
    std::vector<CopyFailure> m_failures;
    std::optional<Error> m_fatal;
    bool m_snapshotGone = false;
    std::string m_why;
};

/// True for an error that may be over when the same is tried again.
bool isPassing(const Error& error);
/// True when SET TRANSACTION SNAPSHOT says that there is no such snapshot any more.
bool isSnapshotGone(const Error& error);

} // namespace tealdeck
