// SPDX-License-Identifier: GPL-3.0-or-later
// Changes of the schema that were made on one side only: seen, named, and carried over.
#include "core/cutover/sessions.h"
#include "core/engine/engine.h"
#include "core/replication/drift.h"
#include "core/util/text.h"

#include <algorithm>
#include <fmt/format.h>

namespace tealdeck {
namespace {

constexpr Millis DRIFT_LIMIT{std::chrono::hours(12)};

/// What the checklist's comparison of both structures says about a database.
const CheckState* structureOf(const Snapshot& s, const std::string& database) {
    const auto it = std::find_if(s.checks.begin(), s.checks.end(), [&](const CheckState& c) { return c.id == "CMP04/" + database; });
    return it == s.checks.end() ? nullptr : &*it;
}

bool watchesDrift(Phase phase) {
    return phase == Phase::Validate || phase == Phase::Ramp || phase == Phase::RolledBack;
}

} // namespace

/// Best effort: without the rights for it the comparison of the structures still names what differs.
Status Engine::guardAgainstDrift() {
    if (!m_options.plan.drift.guard) {
        return {};
    }
    Step step;
    step.id = "drift.guard";
    step.title = "Record changes of BLUE's schema";
    step.limit = Millis(30000);
    step.waitsFor = "BLUE";
    step.onTimeout = "they are noticed all the same, but not who made them";
    step.run = [this](StepContext& context) -> Status {
        auto sessions = SideSessions::open(m_connector, Side::Blue, Millis(10000));
        for (std::size_t i = 0; sessions && i < sessions->size(); ++i) {
            if (const Status made = drift::installGuard((*sessions)[i]); !made) {
                context.detail("not possible: " + made.error().message);
                return {};
            }
        }
        return sessions.ok() ? Status() : Status(sessions.error());
    };
    return runSteps({step}, m_cancel, false);
}

void Engine::lookForDrift() {
    const Snapshot s = m_hub.snapshot();
    if (!watchesDrift(s.phase)) {
        return;
    }
    for (const std::string& database : m_options.plan.databases) {
        std::int64_t last = 0;
        for (const DriftState& known : s.drift) {
            last = known.database == database && known.side == "blue" ? std::max(last, known.id) : last;
        }
        auto session = m_samplerConnector.primary(Side::Blue, database);
        const auto fresh =
            session ? drift::readLog(**session, database, Side::Blue, last) : Result<std::vector<DriftState>>(session.error());
        for (std::size_t i = 0; fresh && i < fresh->size(); ++i) {
            static_cast<void>(m_hub.publish(EventKind::Drift, toJson((*fresh)[i])));
        }
        // Both structures were compared after the change was seen, and are equal: it is on both sides, or taken back.
        const CheckState* structure = structureOf(s, database);
        for (DriftState known : s.drift) {
            if (known.database == database && known.state != "settled" && structure != nullptr && structure->result == CheckResult::Pass &&
                !isStale(*structure, m_hub.nowUs())) {
                known.state = "settled";
                static_cast<void>(m_hub.publish(EventKind::Drift, toJson(known)));
            }
        }
    }
}

Status Engine::runDrift(const Command& command) {
    if (const Status locked = needLock(); !locked) {
        return locked;
    }
    const std::string act = member<std::string>(command.args, "act", "");
    const std::string database = member<std::string>(command.args, "database", "");
    const std::string table = member<std::string>(command.args, "table", "");
    const std::string statement = member<std::string>(command.args, "statement", "");
    const auto id = member<std::int64_t>(command.args, "id", 0);
    const auto place = std::find(m_options.plan.databases.begin(), m_options.plan.databases.end(), database);
    if (place == m_options.plan.databases.end() || (act != "apply" && act != "resync")) {
        return Error{
            Error::Kind::Invalid, "It has to be said what is to be done in which database.", "Name one of the plan's databases.", {}};
    }
    stopWatching(); // what is done here on GREEN is no write of others
    Step step;
    step.id = "drift." + act;
    step.title = act == "apply" ? fmt::format("Carry change {} of {} to GREEN", id, plainText(database, 80))
                                : fmt::format("Copy {} of {} anew", plainText(table, 120), plainText(database, 80));
    step.limit = DRIFT_LIMIT;
    step.waitsFor = "both primaries";
    step.onTimeout = "the step fails; look at GREEN's server log, then run it again";
    step.run = [&, this](StepContext& context) -> Status {
        auto blue = m_connector.primary(Side::Blue, database);
        auto green = m_connector.primary(Side::Green, database);
        if (!blue || !green) {
            return (blue ? green : blue).error();
        }
        if (act == "resync") {
            return drift::resync(m_options.plan, database, table, **blue, **green, context);
        }
        if (id > 0) {
            context.report("the statement on GREEN");
            if (const Status applied = drift::applyOn(**green, **blue, id, statement, context.deadline().left()); !applied) {
                return applied;
            }
        }
        return drift::followNewTables(m_options.plan, database, **blue, **green, context);
    };
    const Status status = runSteps({step}, m_cancel, false);
    for (DriftState known : m_hub.snapshot().drift) {
        if (status.ok() && act == "apply" && known.id == id && known.database == database) {
            known.state = "applied";
            static_cast<void>(m_hub.publish(EventKind::Drift, toJson(known), command.actor));
        }
    }
    evaluateChecklist();
    return status;
}

} // namespace tealdeck
