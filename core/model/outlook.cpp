// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/model/outlook.h"

#include <algorithm>
#include <fmt/format.h>

namespace tealdeck {
namespace {

constexpr double FRESH_US = 10e6;      ///< of what is sampled each second
constexpr double FRESH_SLOW_US = 90e6; ///< of what is sampled twice a minute

std::optional<double> metric(const Snapshot& s, const std::string& name, double freshUs, std::int64_t nowUs) {
    const auto found = s.metrics.find(name);
    const bool fresh = found != s.metrics.end() && static_cast<double>(nowUs - found->second.sampledUs) <= freshUs;
    return fresh ? found->second.value : std::nullopt;
}

/// The longest time of a part in switches that went well; the newest three.
std::optional<double> learned(const Snapshot& s, const std::string& part) {
    std::optional<double> worst;
    int looked = 0;
    for (auto report = s.switches.rbegin(); report != s.switches.rend() && looked < 3; ++report) {
        const auto found = report->partsMs.find(part);
        if (report->ok && found != report->partsMs.end()) {
            worst = std::max(worst.value_or(0), found->second);
            ++looked;
        }
    }
    return worst;
}

bool isLive(const ReplicationState& r, const char* direction) {
    return r.direction == direction && r.state != "none" && r.state != "retired";
}

PausePart drain(const Snapshot& s, const char* source, std::int64_t nowUs) {
    const std::optional<double> oldest = metric(s, std::string("transaction_seconds.") + source, FRESH_SLOW_US, nowUs);
    const std::optional<double> before = learned(s, "pause");
    if (!oldest) {
        return {"drain", std::nullopt, "the oldest open transaction is unknown"};
    }
    if (*oldest >= 1) {
        return {"drain", std::nullopt, fmt::format("a transaction has been open for {:.0f} s, and the pause waits for it", *oldest)};
    }
    return before ? PausePart{"drain", std::max(*before, *oldest * 1000), "earlier switches and the oldest open transaction"}
                  : PausePart{"drain", *oldest * 1000, "the oldest open transaction"};
}

PausePart receive(const Snapshot& s, const std::string& direction, std::int64_t nowUs) {
    const std::optional<double> lag = metric(s, "lag_seconds." + direction, FRESH_US, nowUs);
    if (!lag) {
        return {"receive", std::nullopt, "the lag is unknown"};
    }
    const std::optional<double> before = learned(s, "receive");
    return before ? PausePart{"receive", std::max(*before, *lag * 1000), "earlier switches and the lag"}
                  : PausePart{"receive", *lag * 1000, "the lag"};
}

/// Fence, opening and resuming: as earlier switches took; before the first one as many waits as the step has, each as long as one takes.
PausePart step(const Snapshot& s, const char* part, int waits, std::optional<double> eachMs, const std::string& ofWhat) {
    if (const std::optional<double> before = learned(s, part)) {
        return {part, before, "earlier switches"};
    }
    return eachMs ? PausePart{part, waits * *eachMs, fmt::format("{} times {}; no switch has shown it yet", waits, ofWhat)}
                  : PausePart{part, std::nullopt, fmt::format("{} is unknown, and no switch has shown it yet", ofWhat)};
}

/// The slowest pooler's last answer.
std::optional<double> poolerMs(const Snapshot& s, std::int64_t nowUs) {
    std::optional<double> worst = 0;
    const std::string prefix = "pooler_ms.";
    for (auto m = s.metrics.lower_bound(prefix); m != s.metrics.end() && m->first.compare(0, prefix.size(), prefix) == 0; ++m) {
        const std::optional<double> one = metric(s, m->first, FRESH_US, nowUs);
        worst = one && worst ? std::optional(std::max(*worst, *one)) : std::nullopt;
    }
    return worst;
}

} // namespace

PauseForecast forecastPause(const Snapshot& s, CommandKind command, std::int64_t nowUs) {
    const bool forward = command == CommandKind::Cutover;
    const char* source = forward ? "blue" : "green";
    const char* destination = forward ? "green" : "blue";
    const auto commit = [&](const char* side) { return metric(s, std::string("commit_ms.") + side, FRESH_SLOW_US, nowUs); };
    const auto commitOn = [](const char* side) {
        return fmt::format("a commit on {}", std::string_view(side) == "blue" ? "BLUE" : "GREEN");
    };
    PauseForecast forecast;
    // A fence commits twice, logins and marker; the first database opens before the others, which open together.
    forecast.parts = {drain(s, source, nowUs), step(s, "fence", 2, commit(source), commitOn(source)),
                      receive(s, forward ? "forward" : "reverse", nowUs),
                      step(s, "open", s.session.databases.size() > 1 ? 2 : 1, commit(destination), commitOn(destination)),
                      step(s, "resume", 2, poolerMs(s, nowUs), "a pooler's answer")};
    double total = 0;
    const bool known = std::all_of(forecast.parts.begin(), forecast.parts.end(), [&](const PausePart& part) {
        total += part.ms.value_or(0);
        return part.ms.has_value();
    });
    forecast.totalMs = known ? std::optional(total) : std::nullopt;
    forecast.overBudget = known && s.session.pauseBudgetMs > 0 && total > s.session.pauseBudgetMs;
    return forecast;
}

const char* rollbackWindowName(RollbackWindow::State state) {
    switch (state) {
    case RollbackWindow::State::Open:
        return "open";
    case RollbackWindow::State::Broken:
        return "broken";
    case RollbackWindow::State::Unknown:
        return "unknown";
    case RollbackWindow::State::None:
        break;
    }
    return "none";
}

RollbackWindow rollbackWindow(const Snapshot& s, std::int64_t nowUs, std::int64_t wallUs) {
    RollbackWindow window;
    if (s.phase != Phase::Observe) {
        return window;
    }
    window.state = RollbackWindow::State::Open;
    window.remainingSeconds = static_cast<double>(s.rollbackUntilWallUs - wallUs) / 1e6;
    const auto worsen = [&](RollbackWindow::State state, std::string reason) {
        window.state = window.state == RollbackWindow::State::Broken ? window.state : state;
        window.reasons.push_back(std::move(reason));
    };
    std::size_t feeds = 0;
    for (const ReplicationState& r : s.replication) {
        if (!isLive(r, "reverse")) {
            continue;
        }
        ++feeds;
        if (r.slot == "lost" || r.slot == "missing") {
            worsen(RollbackWindow::State::Broken, fmt::format("The slot of {} is {}: a rollback would lose writes.", r.database, r.slot));
        } else if (static_cast<double>(nowUs - r.sampledUs) > FRESH_US || !r.lagBytes) {
            worsen(RollbackWindow::State::Unknown, fmt::format("The feed to BLUE of {} was not measured lately.", r.database));
        } else if (r.state != "streaming") {
            worsen(RollbackWindow::State::Broken,
                   fmt::format("The feed to BLUE of {} is {}{}", r.database, r.state, r.error.empty() ? "." : ": " + r.error));
        }
        const auto add = [](std::optional<double>& sum, const std::optional<double>& one) {
            sum = one ? std::optional(sum.value_or(0) + *one) : sum;
        };
        add(window.lagBytes, r.lagBytes);
        add(window.retainedBytes, r.retainedBytes);
        window.lagSeconds = r.lagSeconds ? std::optional(std::max(window.lagSeconds.value_or(0), *r.lagSeconds)) : window.lagSeconds;
    }
    if (feeds < s.session.databases.size() || feeds == 0) {
        worsen(RollbackWindow::State::Broken,
               fmt::format("The feed to BLUE exists for {} of {} databases.", feeds, s.session.databases.size()));
    }
    if (const std::optional<double> changed = metric(s, "schema_changes.green", FRESH_SLOW_US, nowUs); changed && *changed > 0) {
        window.reasons.emplace_back("Definitions on GREEN have changed: the same change is needed on BLUE, or its feed will stop.");
    }
    return window;
}

} // namespace tealdeck
