// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include "core/cutover/sessions.h"
#include "core/replication/names.h"

#include <string>

namespace tealdeck {

/// A logical slot on the side that will be fenced, in each database. Nothing reads it before the switch is over; then it tells whether
/// anybody wrote to a published table behind the fence (POSTGRES: pg_logical_slot_peek_binary_changes, all versions from 12 on).
class Witness {
  public:
    Witness(const Plan& plan, SideSessions& fenced) : m_plan(plan), m_fenced(fenced) {}

    /// Made anew: a witness of an earlier attempt has seen other things. Waits for transactions that are open now.
    Status create(Millis limit);
    /// Conflict when rows were changed behind the fence, with the number and the tables. A database without a witness has been heard.
    Status hear(Millis limit);
    /// Removes what is there of it. Without the slot the server keeps no WAL for it.
    Status dismiss(Millis limit);

  private:
    Status hearOne(std::size_t database, Millis limit);
    [[nodiscard]] std::string slot(std::size_t database) const;

    const Plan& m_plan;
    SideSessions& m_fenced;
};

} // namespace tealdeck
