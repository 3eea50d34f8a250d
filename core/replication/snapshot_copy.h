// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include "core/replication/copy_job.h"
#include "core/replication/copy_worker.h"
#include "core/replication/exported_snapshot.h"

#include <functional>

namespace tealdeck {

/// Copies what a publication of blue has to green, as one snapshot shows it, by several sessions with each side.
class SnapshotCopy {
  public:
    struct Setup {
        const Connector& connector;
        std::string database;
        std::string publication;
        CopyControl& control;
        Connection& green; ///< a session with this database
        /// Called about four times a second on the caller's thread while the others copy, and once when they have ended. An error ends the
        /// copy.
        std::function<Status(CopyProgress&, bool ended)> look;
    };
    explicit SnapshotCopy(Setup setup) : m_setup(std::move(setup)) {}

    /// Ends when every table is copied, failed or left to the servers. Never touches a table that is recorded as copied with this snapshot.
    Result<CopyOutcome> run(const ExportedSnapshot& snapshot);

  private:
    Result<std::vector<CopyTable>> tables(const ExportedSnapshot& snapshot);
    Setup m_setup;
};

} // namespace tealdeck
