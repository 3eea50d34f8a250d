// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include "core/engine/data_copy.h"

namespace tealdeck {

/// One database of the plan with a session on each side and its feed.
struct DataCopy::Place {
    Place(const Plan& plan, std::size_t i, Connection& b, Connection& g)
        : number(i), database(plan.databases[i]), blue(b), green(g), link(plan, Direction::Forward, database, b, g),
          subscription(subscriptionName(plan, Direction::Forward)) {}

    /// Names of the tables that the subscription has, whatever their state.
    [[nodiscard]] Result<std::set<std::string>> subscribed() {
        const Result<Rows> rows = green.query(
            "select format('%I.%I', n.nspname, c.relname) from pg_subscription s join pg_subscription_rel r on r.srsubid = s.oid join "
            "pg_class c on c.oid = r.srrelid join pg_namespace n on n.oid = c.relnamespace where s.subname = $1 and s.subdbid = (select "
            "oid "
            "from pg_database where datname = current_database())",
            {subscription}, Millis(30000));
        if (!rows) {
            return rows.error();
        }
        std::set<std::string> names;
        for (std::size_t i = 0; i < rows->size(); ++i) {
            names.insert(rows->text(i, 0));
        }
        return names;
    }

    std::size_t number;
    std::string database;
    Connection& blue;
    Connection& green;
    Link link;
    std::string subscription;
};

} // namespace tealdeck
