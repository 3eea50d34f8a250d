// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/alarms/alarm_book.h"

#include <fmt/format.h>
#include <set>

namespace tealdeck {
namespace {

constexpr std::int64_t LAG_WINDOW_US = 60'000'000;

} // namespace

void AlarmBook::adopt(const std::vector<AlarmState>& alarms) {
    for (const AlarmState& alarm : alarms) {
        const std::string rule = alarm.id.substr(0, alarm.id.find('/'));
        for (const AlarmRule& known : alarmRules()) {
            if (rule == known.id) {
                m_entries[alarm.id] = {alarm, known.latched, -1};
            }
        }
    }
}

std::vector<AlarmState> AlarmBook::look(const Snapshot& snapshot, std::int64_t nowUs, std::int64_t wallUs) {
    const AlarmView view{snapshot, m_limits, m_memory, nowUs, wallUs};
    std::vector<AlarmState> changed;
    std::set<std::string> seen;
    const bool over = snapshot.phase == Phase::Finalized || snapshot.phase == Phase::Aborted;
    for (const AlarmRule& rule : alarmRules()) {
        std::vector<AlarmFinding> findings = over ? std::vector<AlarmFinding>() : rule.look(view);
        // What is not there any more, such as a feed that was removed, is no longer wrong.
        for (auto& [id, entry] : m_entries) {
            const std::string object = id.find('/') == std::string::npos ? "" : id.substr(id.find('/') + 1);
            const bool ours = id.substr(0, id.find('/')) == rule.id;
            const auto same = [&](const AlarmFinding& f) { return f.object == object; };
            if (ours && entry.state.active && std::none_of(findings.begin(), findings.end(), same)) {
                findings.push_back({object, Sign::Clear, {}});
            }
        }
        for (const AlarmFinding& finding : findings) {
            const std::string id = finding.object.empty() ? rule.id : std::string(rule.id) + "/" + finding.object;
            auto known = m_entries.find(id);
            if (known == m_entries.end()) {
                if (finding.sign != Sign::Raised) {
                    continue;
                }
                known = m_entries.emplace(id, Entry{}).first;
                known->second = {{id, rule.priority, {}, rule.response, false, nowUs, {}, {}, {}, 0}, rule.latched, -1};
            }
            if (weigh(known->second, rule, finding, nowUs)) {
                changed.push_back(known->second.state);
            }
        }
    }
    remember(snapshot, nowUs, wallUs);
    return changed;
}

/// Moves one alarm along; true when there is something to tell.
bool AlarmBook::weigh(Entry& entry, const AlarmRule& rule, const AlarmFinding& finding, std::int64_t nowUs) {
    AlarmState& state = entry.state;
    if (!state.shelvedBy.empty() && nowUs >= state.shelvedUntilUs) {
        state.shelvedBy.clear();
        state.shelveReason.clear();
        state.shelvedUntilUs = 0;
        return state.active;
    }
    if (finding.sign == Sign::Unknown || (finding.sign == Sign::Raised) == state.active) {
        entry.signSinceUs = -1;
        return false;
    }
    if (state.active && entry.latched && state.acknowledgedBy.empty()) {
        return false; // the moment has passed; it waits for somebody who has seen it
    }
    if (entry.signSinceUs < 0) {
        entry.signSinceUs = nowUs;
    }
    const Millis delay = state.active ? rule.offDelay : rule.onDelay;
    if (nowUs - entry.signSinceUs < delay.count() * 1000) {
        return false;
    }
    entry.signSinceUs = -1;
    state.active = !state.active;
    state.sinceUs = nowUs;
    if (state.active) {
        state.priority = rule.priority;
        state.cause = finding.cause;
        state.response = rule.response;
        state.acknowledgedBy.clear();
    }
    return true;
}

void AlarmBook::remember(const Snapshot& snapshot, std::int64_t nowUs, std::int64_t wallUs) {
    m_memory.steadyUs = nowUs;
    m_memory.wallUs = wallUs;
    for (const char* direction : {"forward", "reverse"}) {
        auto& samples = m_memory.lags[direction];
        const auto metric = snapshot.metrics.find(std::string("lag_bytes.") + direction);
        const bool fresh = metric != snapshot.metrics.end() && metric->second.value && nowUs - metric->second.sampledUs < 5'000'000;
        if (fresh && (samples.empty() || metric->second.sampledUs > samples.back().first)) {
            samples.emplace_back(metric->second.sampledUs, *metric->second.value);
        }
        while (!samples.empty() && samples.front().first < nowUs - LAG_WINDOW_US) {
            samples.pop_front();
        }
    }
    for (const char* side : {"blue", "green"}) {
        const auto metric = snapshot.metrics.find(std::string("schema_changes.") + side);
        if (metric != snapshot.metrics.end() && metric->second.value) {
            m_memory.schemaChanges[side] = *metric->second.value;
        }
    }
}

Result<AlarmBook::Entry*> AlarmBook::find(const std::string& id) {
    const auto found = m_entries.find(id);
    if (found != m_entries.end() && found->second.state.active) {
        return &found->second;
    }
    std::string names;
    for (const auto& [name, entry] : m_entries) {
        names += entry.state.active ? (names.empty() ? "" : ", ") + name : "";
    }
    return Error{Error::Kind::Invalid,
                 fmt::format("No active alarm is named \"{}\".", id),
                 names.empty() ? "There is none now." : "Active now: " + names + ".",
                 {}};
}

Result<AlarmState> AlarmBook::acknowledge(const std::string& id, const std::string& actor) {
    const Result<Entry*> entry = find(id);
    if (!entry) {
        return entry.error();
    }
    (*entry)->state.acknowledgedBy = actor;
    return (*entry)->state;
}

Result<AlarmState> AlarmBook::shelve(const std::string& id, const std::string& actor, const std::string& reason, std::int64_t untilUs) {
    const Result<Entry*> entry = find(id);
    if (!entry) {
        return entry.error();
    }
    AlarmState& state = (*entry)->state;
    state.shelvedBy = actor;
    state.shelveReason = reason;
    state.shelvedUntilUs = untilUs;
    return state;
}

} // namespace tealdeck
