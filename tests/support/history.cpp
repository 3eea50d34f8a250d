// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/support/history.h"

#include <algorithm>
#include <fmt/format.h>
#include <limits>
#include <map>
#include <set>
#include <tuple>

namespace tealdeck {
namespace {

using Key = std::tuple<std::string, int, std::int64_t>;

constexpr std::uint64_t FINDINGS_OF_A_KIND = 10;
/// More than that many changes of side is a split brain whatever else it is; counting on would take long.
constexpr std::size_t MOST_PERIODS = 1000;
constexpr std::int64_t NEVER = std::numeric_limits<std::int64_t>::max();

Key keyOf(const HistoryWrite& w) {
    return {w.database, w.client, w.n};
}
Key keyOf(const FinalRow& r) {
    return {r.database, r.client, r.n};
}
std::string textOf(const Key& key) {
    return fmt::format("{}: client {} write {}", std::get<0>(key), std::get<1>(key), std::get<2>(key));
}

void find(HistoryVerdict& verdict, std::uint64_t& counter, const std::string& text) {
    if (++counter <= FINDINGS_OF_A_KIND) {
        verdict.findings.push_back(text);
    }
}

/// The rows at the end against what each client was told.
void checkRows(const std::vector<HistoryWrite>& writes, const std::vector<FinalRow>& rows, HistoryVerdict& verdict) {
    std::map<Key, std::int64_t> present;
    std::map<std::pair<std::string, std::int64_t>, Key> owners;
    for (const FinalRow& row : rows) {
        if (!present.emplace(keyOf(row), row.id).second) {
            find(verdict, verdict.duplicated, textOf(keyOf(row)) + " is there twice");
        }
        const auto [owner, first] = owners.emplace(std::make_pair(row.database, row.id), keyOf(row));
        if (!first) {
            find(verdict, verdict.duplicated,
                 fmt::format("{} and {} both have the id {}", textOf(owner->second), textOf(keyOf(row)), row.id));
        }
    }
    std::set<Key> asked;
    std::set<int> clients;
    for (const HistoryWrite& write : writes) {
        const Key key = keyOf(write);
        clients.insert(write.client);
        if (!asked.insert(key).second) {
            find(verdict, verdict.duplicated, textOf(key) + " was asked for twice");
        }
        const auto row = present.find(key);
        const bool there = row != present.end();
        if (write.outcome == HistoryWrite::Outcome::Ok) {
            ++verdict.acknowledged;
            if (!there) {
                find(verdict, verdict.lost,
                     fmt::format("{} was acknowledged by {} with id {} and is not there", textOf(key), write.side, write.id));
            } else if (row->second != write.id) {
                find(verdict, verdict.lost,
                     fmt::format("{} was acknowledged with id {} and is there with {}", textOf(key), write.id, row->second));
            }
        } else if (write.outcome == HistoryWrite::Outcome::Fail && there) {
            find(verdict, verdict.failedPresent, textOf(key) + " failed, and is there");
        } else if (write.outcome == HistoryWrite::Outcome::Unknown) {
            ++verdict.unknown;
            verdict.unknownPresent += there ? 1 : 0;
        }
    }
    for (const auto& [key, id] : present) {
        // Other runs' clients have other numbers, and no history here.
        if (clients.count(std::get<1>(key)) != 0 && asked.count(key) == 0) {
            find(verdict, verdict.duplicated, textOf(key) + " is there and nobody asked for it");
        }
    }
}

std::vector<const HistoryWrite*> acknowledgedByTime(const std::vector<HistoryWrite>& writes) {
    std::vector<const HistoryWrite*> found;
    for (const HistoryWrite& write : writes) {
        if (write.outcome == HistoryWrite::Outcome::Ok) {
            found.push_back(&write);
        }
    }
    std::sort(found.begin(), found.end(), [](const auto* a, const auto* b) { return a->endNs < b->endNs; });
    return found;
}

/// The fewest periods that explain the acknowledgements. A write took effect somewhere between its invocation and its answer,
/// so a side can stay production until the first answer of the other side whose writes cannot be explained earlier.
std::vector<HistoryPeriod> periodsOf(const std::vector<const HistoryWrite*>& writes) {
    std::vector<HistoryPeriod> periods;
    std::vector<const HistoryWrite*> left = writes;
    while (!left.empty() && periods.size() < MOST_PERIODS) {
        // In the first round the earliest answer's side began; later the earliest unexplained answer is the other side's.
        const std::string side = left.front()->side;
        HistoryPeriod period{side, left.front()->endNs, 0};
        std::int64_t until = NEVER;
        for (const HistoryWrite* write : left) {
            if (write->side != side) {
                until = write->endNs;
                break;
            }
        }
        std::vector<const HistoryWrite*> later;
        for (const HistoryWrite* write : left) {
            if (write->side == side && write->invokeNs <= until) {
                ++period.writes;
            } else {
                later.push_back(write);
            }
        }
        periods.push_back(period);
        left = std::move(later);
    }
    return periods;
}

void checkSides(const HistoryRules& rules, HistoryVerdict& verdict) {
    const std::vector<HistoryPeriod>& periods = verdict.periods;
    const int changes = static_cast<int>(periods.size()) - 1;
    if (rules.switches >= 0 && changes > rules.switches) {
        find(verdict, verdict.wrongSide,
             fmt::format("the answers change sides {} times, but there were {} switches", changes, rules.switches));
    }
    for (std::size_t i = 0; i < periods.size(); ++i) {
        if (periods[i].side != "blue" && periods[i].side != "green") {
            find(verdict, verdict.wrongSide, fmt::format("{} writes were answered by an unknown server", periods[i].writes));
        }
        // The first and the last period begin and end with the load, not with a switch.
        if (rules.switches >= 0 || i == 0 || i + 1 >= periods.size()) {
            continue;
        }
        const double ms = static_cast<double>(periods[i + 1].fromNs - periods[i].fromNs) / 1e6;
        if (ms < rules.shortestPeriodMs) {
            find(verdict, verdict.wrongSide,
                 fmt::format("{} answered {} writes within {:.3f} ms from {} ns on, between answers of the other side", periods[i].side,
                             periods[i].writes, ms, periods[i].fromNs));
        }
    }
    if (!rules.finalSide.empty() && !periods.empty() && periods.back().side != rules.finalSide) {
        find(verdict, verdict.wrongSide,
             fmt::format("the last writes were answered by {}, not by {}", periods.back().side, rules.finalSide));
    }
}

struct Range {
    std::int64_t low = NEVER;
    std::int64_t high = std::numeric_limits<std::int64_t>::min();
    void add(std::int64_t id) {
        low = std::min(low, id);
        high = std::max(high, id);
    }
};

/// Which periods a write can have taken effect in.
std::vector<std::size_t> possiblePeriods(const HistoryWrite& write, const std::vector<HistoryPeriod>& periods) {
    std::vector<std::size_t> found;
    for (std::size_t i = 0; i < periods.size(); ++i) {
        // A period's own beginning lies somewhere before its first acknowledgement, at the earliest at the one before.
        const std::int64_t from = i == 0 ? std::numeric_limits<std::int64_t>::min() : periods[i - 1].fromNs;
        const std::int64_t until = i + 1 < periods.size() ? periods[i + 1].fromNs : NEVER;
        if (periods[i].side == write.side && write.invokeNs <= until && write.endNs >= from) {
            found.push_back(i);
        }
    }
    return found;
}

bool fits(std::int64_t id, std::size_t period, const std::vector<Range>& ranges) {
    for (std::size_t i = 0; i < ranges.size(); ++i) {
        if ((i < period && ranges[i].high >= id) || (i > period && ranges[i].low <= id)) {
            return false;
        }
    }
    return true;
}

void checkSequence(const std::string& database, const std::vector<const HistoryWrite*>& writes, HistoryVerdict& verdict) {
    std::vector<Range> ranges(verdict.periods.size());
    std::map<std::int64_t, const HistoryWrite*> seen;
    std::vector<std::pair<const HistoryWrite*, std::vector<std::size_t>>> placed;
    for (const HistoryWrite* write : writes) {
        if (write->database != database) {
            continue;
        }
        const auto [first, fresh] = seen.emplace(write->id, write);
        if (!fresh) {
            find(verdict, verdict.sequenceErrors,
                 fmt::format("{} and {} both got the id {}", textOf(keyOf(*first->second)), textOf(keyOf(*write)), write->id));
        }
        placed.emplace_back(write, possiblePeriods(*write, verdict.periods));
        if (placed.back().second.size() == 1) {
            ranges[placed.back().second.front()].add(write->id);
        }
    }
    for (const auto& [write, possible] : placed) {
        const std::int64_t id = write->id;
        if (std::none_of(possible.begin(), possible.end(), [&](std::size_t period) { return fits(id, period, ranges); })) {
            find(verdict, verdict.sequenceErrors,
                 fmt::format("{} got the id {} from {}, which goes back behind or ahead of the other side's", textOf(keyOf(*write)), id,
                             write->side));
        }
    }
}

} // namespace

HistoryVerdict checkHistory(const std::vector<HistoryWrite>& writes, const std::vector<FinalRow>& rows, const HistoryRules& rules) {
    HistoryVerdict verdict;
    checkRows(writes, rows, verdict);
    const std::vector<const HistoryWrite*> acknowledged = acknowledgedByTime(writes);
    verdict.periods = periodsOf(acknowledged);
    checkSides(rules, verdict);
    std::set<std::string> databases;
    for (const HistoryWrite* write : acknowledged) {
        databases.insert(write->database);
    }
    for (const std::string& database : databases) {
        checkSequence(database, acknowledged, verdict);
    }
    if (verdict.acknowledged == 0) {
        verdict.findings.emplace_back("no write was acknowledged, so nothing was proved");
    }
    return verdict;
}

Json HistoryVerdict::toJson() const {
    Json list = Json::array();
    for (const HistoryPeriod& period : periods) {
        list.push_back({{"side", period.side}, {"first_ok_ns", period.fromNs}, {"writes", period.writes}});
    }
    return {{"acknowledged", acknowledged},
            {"lost", lost},
            {"duplicated", duplicated},
            {"failed_present", failedPresent},
            {"wrong_side", wrongSide},
            {"unknown", unknown},
            {"unknown_present", unknownPresent},
            {"sequence_errors", sequenceErrors},
            {"periods", list},
            {"ok", ok()},
            {"findings", findings}};
}

} // namespace tealdeck
