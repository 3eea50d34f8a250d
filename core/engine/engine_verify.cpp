// SPDX-License-Identifier: GPL-3.0-or-later
// Comparing the data of both sides.
#include "core/engine/engine.h"
#include "core/verify/foreign_writes.h"
#include "core/verify/verifier.h"

#include <fmt/format.h>

namespace tealdeck {
namespace {

constexpr Millis VERIFY_LIMIT{std::chrono::hours(24 * 7)};

std::vector<std::string> texts(const Json& args, const char* key) {
    std::vector<std::string> list;
    const Json given = member<Json>(args, key, Json::array());
    for (const Json& text : given.is_array() ? given : Json::array()) {
        if (text.is_string()) {
            list.push_back(text.get<std::string>());
        }
    }
    return list;
}

} // namespace

void Engine::publishComparison(const ComparisonState& state) {
    static_cast<void>(m_hub.publish(EventKind::Verify, {{"comparison", toJson(state, false)}}));
}

Status Engine::runVerify(const Command& command) {
    if (const Status locked = needLock(); !locked) {
        return locked;
    }
    verify::Request request;
    request.source = sourceOf(activeDirection());
    request.exact = member<bool>(command.args, "exact", false);
    request.afresh = member<bool>(command.args, "afresh", false);
    request.values = member<bool>(command.args, "show_values", false);
    request.databases = texts(command.args, "databases");
    request.tables = texts(command.args, "tables");
    Step step;
    step.id = "verify.tables";
    step.title = "Compare every table of both sides";
    step.limit = VERIFY_LIMIT;
    step.waitsFor = "both primaries";
    step.onTimeout = "it ends; what it found so far stays";
    step.run = [this, &request](StepContext& context) -> Status {
        std::string id;
        verify::Watcher watcher;
        watcher.steadyUs = [this] { return m_hub.nowUs(); };
        watcher.cancelled = [&context] { return context.cancelled() || context.deadline().passed(); };
        watcher.progress = [&context](const std::string& now, double share) { context.report(now, share); };
        watcher.summary = [this, &id](const ComparisonState& state) {
            if (id.empty()) {
                id = state.id; // told before any thread begins
            }
            publishComparison(state);
        };
        watcher.table = [this, &id](const TableComparison& table) {
            static_cast<void>(m_hub.publish(EventKind::Verify, {{"id", id}, {"table", toJson(table)}}));
        };
        const Result<ComparisonState> done = verify::compare(m_samplerConnector, request, watcher);
        if (!done) {
            return done.error();
        }
        context.detail(
            fmt::format("{} of {} tables equal, {} different, {} undecided", done->equal, done->tables, done->different, done->undecided));
        return done->state == "cancelled"
                   ? Status(Error{Error::Kind::Refused, "The comparison was stopped.", "Run it again: it goes on where it was.", {}})
                   : Status();
    };
    const Status status = runSteps({step}, m_cancel, false);
    evaluateChecklist();
    return status;
}

CheckState Engine::foreignWritesLine(const Snapshot& s) {
    CheckState line;
    line.id = "GRN08";
    line.family = "data";
    line.question = "Did only the feed write on the side that follows?";
    line.why = "A row that somebody else wrote there is not the source's, stops the feed or is lost with the switch.";
    line.expected = "no change but the feed's";
    line.fix = "Find out who wrote; mend the rows that \"tealctl verify\" names. When a comparison of all tables then finds them equal, "
               "this passes again.";
    line.source = "PostgreSQL manual, 50.6.4.8 Origin Filter Callback";
    line.evaluatedUs = m_hub.nowUs();
    line.validForUs = std::int64_t{120} * 1000000;
    const std::lock_guard lock(m_watchMutex);
    if (!m_watch) {
        m_watch = std::make_unique<ForeignWrites>(m_samplerConnector, destinationOf(activeDirection()));
    }
    Result<ForeignWrites::Finding> found = m_watch->look();
    const ComparisonState& c = s.comparison;
    if (found.ok() && found->changes > 0 && c.state == "done" && c.complete && c.equal == c.tables && c.startedWallUs > found->wallUs) {
        m_watch->forget();
        found->changes = 0;
    }
    if (!found) {
        // Not to be able to watch stands in nobody's way: a comparison finds what was written. The next look begins anew, on the side that
        // follows then.
        m_watch.reset();
        line.severity = Severity::Warning;
        line.actual = found.error().text();
        return line;
    }
    line.severity = activeDirection() == Direction::Forward ? Severity::Blocking : Severity::Warning;
    line.result = found->changes == 0 ? CheckResult::Pass : CheckResult::Fail;
    line.actual = found->changes == 0 ? fmt::format("none since {}", isoUtc(found->sinceWallUs))
                                      : fmt::format("{} rows until {}: {}", found->changes, isoUtc(found->wallUs), found->tables);
    return line;
}

void Engine::stopWatching() {
    const std::lock_guard lock(m_watchMutex);
    m_watch.reset();
}

} // namespace tealdeck
