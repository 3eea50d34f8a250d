// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include "core/postgres/connection.h"
#include "core/replication/names.h"

#include <set>
#include <string>

namespace tealdeck {

struct LinkProgress {
    int tablesReady = 0;
    int tablesTotal = 0;
    double bytesReady = 0; ///< sizes on the subscriber of the tables that are ready
    bool workerAlive = false;
    std::string notReady; ///< a table that is not ready, for messages
};

/// The feed of one database in one direction: publication and slot on the source, subscription on the destination.
/// Sessions must be with this database on the two primaries; they are borrowed.
class Link {
  public:
    Link(const Plan& plan, Direction direction, std::string database, Connection& source, Connection& destination);

    /// Publishes every permanent table of users and the marker by name (never FOR ALL TABLES: that would take extensions' and our own
    /// tables too). Tables that are published already stay, new ones are added.
    Status publish();
    /// The same without those that are named so ("ONLY" and the table, as copy_tables tells).
    Status publish(const std::set<std::string>& except);
    /// Takes those tables out of the publication that are in it.
    Status unpublishTables(const std::set<std::string>& entries);
    /// A disabled subscription without copy on a slot that exists: it begins where the slot does, with the tables that are published now.
    Status createOnSlot(Millis limit);
    Status enable();
    /// Takes up tables that were published since; the servers copy them.
    Status refreshWithCopy(Millis limit);
    /// Slot, subscription and native initial copy, on an empty destination.
    Status createWithCopy(Millis limit);
    /// Slot on the source and a disabled subscription without copy on the destination: made again from scratch, so that nothing of an
    /// earlier attempt is trusted.
    Status prepare(Millis limit);
    /// Starts a prepared feed at a position of the source, by pg_replication_origin_advance on the disabled subscription.
    Status activate(const std::string& startLsn);
    /// Stops and removes subscription and slot. What can't be removed is named in the error.
    Status retire(Millis limit);
    Status disable();
    [[nodiscard]] Result<bool> subscriptionExists();
    [[nodiscard]] Result<bool> enabled();
    [[nodiscard]] Result<LinkProgress> progress();
    /// True when the slot has confirmed the position (evidence after a switch).
    [[nodiscard]] Result<bool> confirmed(const std::string& lsn);

    /// Removes the publication of this deployment from the database of the session.
    static Status unpublish(const Plan& plan, Connection& session);

  private:
    [[nodiscard]] std::string subscriberConninfo() const;
    [[nodiscard]] std::string options(bool copy, bool originNone) const;
    Status createSubscription(const std::string& options, Millis limit);
    Status dropSlot(Millis limit);
    Status dropSyncSlots(const std::string& subscription, Millis limit);
    const Plan& m_plan;
    Direction m_direction;
    std::string m_database;
    Connection& m_source;
    Connection& m_destination;
    std::string m_subscription;
    std::string m_slot;
};

} // namespace tealdeck
