// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include "core/postgres/connection.h"
#include "core/util/json.h"

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <string>

namespace tealdeck {

/// Notices rows that others wrote on the side that follows. Reads that server's own log through a temporary slot with test_decoding and
/// only-local: what the feed applies carries its origin and is left out by the server before it is decoded (PostgreSQL manual, 50.6.4.8).
/// The slot ends with the session, so nothing can be left over and no log is kept back; what was written before it is not seen.
class ForeignWrites {
  public:
    ForeignWrites(const Connector& connector, Side follower);
    ~ForeignWrites();
    ForeignWrites(const ForeignWrites&) = delete;
    ForeignWrites& operator=(const ForeignWrites&) = delete;

    struct Finding {
        std::int64_t changes = 0;     ///< rows, since `sinceWallUs`
        std::string tables;           ///< the first ones, with the kind of change
        std::int64_t wallUs = 0;      ///< when the last one was noticed
        std::int64_t sinceWallUs = 0; ///< when the watch began
    };
    /// Looks at what was written since the last look in all databases of the plan; an error when it could not be known for one of them.
    /// What was found stays, also over a restart of the engine, until forget().
    Result<Finding> look();
    void forget();

  private:
    Status open(const std::string& database);
    Status read(const std::string& database);
    void keep();
    const Connector& m_connector;
    Side m_side;
    std::filesystem::path m_file;
    std::map<std::string, std::unique_ptr<Connection>> m_sessions;
    std::map<std::string, std::string> m_slots;
    Finding m_found;
};

} // namespace tealdeck
