// SPDX-License-Identifier: GPL-3.0-or-later
// The laws over the states of the model, and the search through all of them.
#include "tests/core/switch_model.h"

#include <algorithm>

namespace tealdeck::test {
namespace {

std::size_t hashOf(const SwitchState& s) {
    std::array<std::uint64_t, sizeof(SwitchState) / 8 + 1> words{};
    std::memcpy(words.data(), &s, sizeof s);
    std::uint64_t h = 14695981039346656037ULL;
    for (const std::uint64_t word : words) {
        h = (h ^ word) * 0x9E3779B97F4A7C15ULL;
        h ^= h >> 29;
    }
    return h;
}

/// All states that were found, each with the one that it was found from.
struct Found {
    std::vector<SwitchState> states;
    std::vector<std::uint32_t> parents;
    std::vector<std::pair<std::uint32_t, std::uint32_t>> edges;                    ///< to, from
    std::vector<std::uint32_t> slots = std::vector<std::uint32_t>(1U << 16, NONE); ///< by hash, the next free one on a collision

    static constexpr std::uint32_t NONE = UINT32_MAX;

    std::uint32_t& slotOf(const SwitchState& state) {
        std::size_t at = hashOf(state) & (slots.size() - 1);
        while (slots[at] != NONE && !(states[slots[at]] == state)) {
            at = (at + 1) & (slots.size() - 1);
        }
        return slots[at];
    }
    std::uint32_t add(const SwitchState& state, std::uint32_t parent) {
        std::uint32_t& slot = slotOf(state);
        if (slot != NONE) {
            return slot;
        }
        const auto number = static_cast<std::uint32_t>(states.size());
        slot = number;
        states.push_back(state);
        parents.push_back(parent);
        if (states.size() * 2 > slots.size()) {
            slots.assign(slots.size() * 2, NONE);
            for (std::uint32_t i = 0; i <= number; ++i) {
                slotOf(states[i]) = i;
            }
        }
        return number;
    }
};

std::vector<std::string> trace(const Found& found, std::uint32_t state, const SwitchModel& model) {
    std::vector<std::string> lines;
    for (; state != 0; state = found.parents[state]) {
        std::string line;
        successors(found.states[found.parents[state]], model, true, [&](const SwitchState& next, const std::string& what) {
            line = line.empty() && next == found.states[state] ? what : line;
        });
        lines.push_back(line);
    }
    std::reverse(lines.begin(), lines.end());
    return lines;
}

/// The first state from which no settled one can be reached; the number of states: none.
std::uint32_t firstDeadEnd(Found& found, const SwitchModel& model) {
    const auto count = static_cast<std::uint32_t>(found.states.size());
    std::sort(found.edges.begin(), found.edges.end());
    std::vector<bool> good(count, false);
    std::vector<std::uint32_t> queue;
    for (std::uint32_t i = 0; i < count; ++i) {
        if (isSettled(found.states[i], model)) {
            good[i] = true;
            queue.push_back(i);
        }
    }
    while (!queue.empty()) {
        const std::uint32_t to = queue.back();
        queue.pop_back();
        for (auto edge = std::lower_bound(found.edges.begin(), found.edges.end(), std::pair(to, 0U));
             edge != found.edges.end() && edge->first == to; ++edge) {
            if (!good[edge->second]) {
                good[edge->second] = true;
                queue.push_back(edge->second);
            }
        }
    }
    return static_cast<std::uint32_t>(std::find(good.begin(), good.end(), false) - good.begin());
}

} // namespace

std::string brokenLaw(const SwitchState& s, const SwitchModel& model) {
    const auto count = static_cast<std::size_t>(model.databases);
    std::array<bool, 2> writable{};
    for (std::size_t side = 0; side < 2; ++side) {
        for (std::size_t d = 0; d < count; ++d) {
            const DatabaseState& here = s.db[side][d];
            const DatabaseState& there = s.db[1 - side][d];
            const bool primary = here.role == static_cast<std::uint8_t>(SideRole::Primary);
            writable[side] = writable[side] || here.writers;
            if (primary && here.generation < s.pastGeneration) {
                return "law 8: after the point of no return the way is only forward";
            }
            if (primary && there.unsent == 2 && there.role != static_cast<std::uint8_t>(SideRole::Primary)) {
                return "law 5: an acknowledged write is lost";
            }
            if (primary && here.generation > there.generation && s.feed[side] == Feed::None) {
                return "law 7: the way back exists before the opening";
            }
        }
    }
    if (writable[0] && writable[1]) {
        return "law 1: both sides accept writes";
    }
    return s.twoDrivers ? "law 10: one driver" : "";
}

bool isSettled(const SwitchState& s, const SwitchModel& model) {
    for (std::size_t side = 0; side < 2; ++side) {
        bool all = true;
        for (std::size_t d = 0; d < static_cast<std::size_t>(model.databases); ++d) {
            all = all && s.db[side][d].role == static_cast<std::uint8_t>(SideRole::Primary) && s.db[side][d].writers &&
                  !s.db[side][d].closed && !s.db[1 - side][d].writers;
        }
        for (std::size_t i = 0; i < static_cast<std::size_t>(model.poolers); ++i) {
            all = all && s.poolerSide[i] == side && !s.poolerPaused[i];
        }
        if (all) {
            return true;
        }
    }
    return false;
}

SearchResult search(const SwitchModel& model) {
    Found found;
    SearchResult result;
    found.add(firstState(model), 0);
    const auto end = [&](const std::string& law, std::uint32_t state) {
        result.law = law;
        result.trace = trace(found, state, model);
    };
    for (std::uint32_t at = 0; at < found.states.size() && result.law.empty(); ++at) {
        if (const std::string law = brokenLaw(found.states[at], model); !law.empty()) {
            end(law, at);
            break;
        }
        const SwitchState state = found.states[at]; // the vector grows under us
        successors(state, model, false,
                   [&](const SwitchState& next, const std::string&) { found.edges.emplace_back(found.add(next, at), at); });
    }
    result.states = found.states.size();
    result.steps = found.edges.size();
    if (result.law.empty()) {
        if (const std::uint32_t stuck = firstDeadEnd(found, model); stuck < found.states.size()) {
            end("no way to a settled state", stuck);
        }
    }
    return result;
}

} // namespace tealdeck::test
