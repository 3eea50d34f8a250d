// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include "core/postgres/stream_session.h"
#include "core/replication/copy_job.h"

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace tealdeck {

/// What the workers of one copy have in common.
struct CopyPlace {
    const Connector& connector;
    std::string database;
    std::string snapshotId; ///< for SET TRANSACTION SNAPSHOT
    std::string encoding;   ///< blue's: then no server converts anything
    Millis stall{120000};
};

/// One thread of a snapshot copy with a session on each side. A group of tables is read in one transaction on the snapshot and written in
/// one transaction on green, which also records it.
class CopyWorker {
  public:
    CopyWorker(CopyPlace place, CopyJob& job, int number) : m_place(std::move(place)), m_job(job), m_number(number) {}
    /// Until the job has nothing left.
    void run();

  private:
    Status open();
    Status copyGroup(CopyGroup& group);
    Status begin();
    Status forgetRecorded(CopyGroup& group);
    Status copyPart(const CopyPart& part, long& rows);
    Status stream(long& rows);
    Status findRewritten(const CopyGroup& group);
    void rest(int attempts) const;

    CopyPlace m_place;
    CopyJob& m_job;
    int m_number;
    std::unique_ptr<StreamSession> m_blue;
    std::unique_ptr<StreamSession> m_green;
    std::optional<std::size_t> m_part;    ///< which of the group is being copied
    std::vector<std::size_t> m_rewritten; ///< tables that the snapshot does not show as they are
};

} // namespace tealdeck
