// SPDX-License-Identifier: GPL-3.0-or-later
// A transaction that a feed cannot apply is left out, under somebody's name.
#include "core/engine/engine.h"
#include "core/replication/failed_transaction.h"
#include "core/util/text.h"
#include "core/verify/verifier.h"

#include <algorithm>
#include <fmt/format.h>

namespace tealdeck {
namespace {

constexpr Millis SKIP_LIMIT{60000};

} // namespace

Status Engine::runSkip(const Command& command) {
    if (const Status locked = needLock(); !locked) {
        return locked;
    }
    const std::string database = member<std::string>(command.args, "database", "");
    const std::string lsn = member<std::string>(command.args, "lsn", "");
    const auto& databases = m_options.plan.databases;
    if (std::find(databases.begin(), databases.end(), database) == databases.end()) {
        return Error{Error::Kind::Invalid, "It has to be said in which database.", "Name one of the plan's databases.", {}};
    }
    const Direction direction = activeDirection();
    Step step;
    step.id = "skip.transaction";
    step.title = fmt::format("Leave out the transaction of {} that ends at {}", plainText(database, 80), plainText(lsn, 40));
    step.limit = SKIP_LIMIT;
    step.waitsFor = fmt::format("the feed to {}", sideName(destinationOf(direction)));
    step.onTimeout = "nothing is left out; the feed stands as it stood";
    step.run = [&, this](StepContext& context) -> Status {
        auto source = m_connector.primary(sourceOf(direction), database);
        auto destination = m_connector.primary(destinationOf(direction), database);
        if (!source || !destination) {
            return (source ? destination : source).error();
        }
        return skipTransaction(m_options.plan, direction, database, lsn, **source, **destination, context, [&, this] {
            // What was equal before may not be now, and no half-done comparison may go on from it: also when nobody lives to say so.
            verify::forgetProgress(m_options.plan);
            ComparisonState none;
            none.detail = fmt::format("A transaction of {} was to be left out: compare again.", database);
            return m_hub.publish(EventKind::Verify, {{"comparison", toJson(none, false)}});
        });
    };
    const Status status = runSteps({step}, m_cancel, false);
    if (status) {
        m_hub.note(fmt::format("The transaction of {} that ends at {} was left out: {}", plainText(database, 80), plainText(lsn, 40),
                               plainText(member<std::string>(command.args, "reason", ""), 300)));
    }
    evaluateChecklist();
    return status;
}

} // namespace tealdeck
