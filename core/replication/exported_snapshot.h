// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include "core/postgres/connection.h"

#include <functional>
#include <memory>
#include <string>

namespace tealdeck {

/// A new replication slot of a database and the snapshot of exactly its beginning: rows that the snapshot shows need only the changes that
/// the slot will send. The snapshot lives as long as this object's session, the slot until somebody drops it.
class ExportedSnapshot {
  public:
    /// Waits for every transaction of blue that has written and is still open, in all databases (manual, "Logical Decoding Concepts").
    /// At the limit the error names the oldest, and nothing is left behind. A slot of that name must not exist.
    static Result<std::unique_ptr<ExportedSnapshot>> create(const Connector& connector, Connection& blue, const std::string& database,
                                                            const std::string& slot, const std::function<bool()>& cancelled, Millis limit);

    /// For SET TRANSACTION SNAPSHOT.
    [[nodiscard]] const std::string& id() const { return m_id; }
    /// Where the slot begins; what was copied is recorded under it, because no two slots begin there.
    [[nodiscard]] const std::string& consistentPoint() const { return m_point; }
    /// A session in a transaction on the snapshot. A statement that fails there ends the snapshot.
    [[nodiscard]] Connection& session() const { return *m_holder; }
    /// Asks the session: false when it was lost, and the snapshot with it.
    [[nodiscard]] bool alive() const;

  private:
    ExportedSnapshot() = default;
    std::unique_ptr<Connection> m_holder;
    std::string m_id;
    std::string m_point;
};

} // namespace tealdeck
