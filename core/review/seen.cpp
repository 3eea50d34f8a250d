// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/review/seen.h"

#include "core/review/measures_state.h"
#include "core/review/times.h"

#include <algorithm>
#include <fmt/format.h>

namespace tealdeck::review {
namespace {

constexpr std::size_t MANY = 20'000;
constexpr double HOLD_LINGERS_MS = 10'000; ///< how long the end of a hold is still told

/// The newest of each thing that one person's console told.
struct Screen {
    const Seen* page = nullptr;
    const Seen* prompt = nullptr;
    const Seen* hold = nullptr;
    const Seen* command = nullptr;
};

std::string seconds(double ms) {
    return fmt::format("{:.1f} s", ms / 1000);
}

void sayPrompt(std::vector<std::string>& lines, const Seen& prompt, std::int64_t nowUs) {
    const double passed = msBetween(prompt.at.steadyUs, nowUs);
    if (prompt.armedMs >= 0 && passed > prompt.armedMs) {
        lines.push_back(fmt::format("What {} had armed is armed no more: its {} are over.", prompt.who, seconds(prompt.armedMs)));
        return;
    }
    lines.push_back(fmt::format("Before {} stands since {}{}: “{}”", prompt.who, seconds(passed),
                                prompt.armedMs >= 0 ? fmt::format(", armed for {} more", seconds(prompt.armedMs - passed)) : "",
                                prompt.text));
    for (const std::string& gate : prompt.gates) {
        lines.push_back("    " + gate);
    }
}

void sayHold(std::vector<std::string>& lines, const Seen& hold, std::int64_t nowUs) {
    const double passed = msBetween(hold.at.steadyUs, nowUs);
    if (hold.hold == "begun") {
        const double part = hold.neededMs > 0 ? std::min(1.0, passed / hold.neededMs) : 0;
        lines.push_back(fmt::format("{} {}: {} of {} ({:.0f} %)", hold.who, hold.text,
                                    seconds(std::min(passed, std::max(0.0, hold.neededMs))), seconds(hold.neededMs), part * 100));
    } else if (passed < HOLD_LINGERS_MS) {
        lines.push_back(fmt::format("{} {}, after {} of {}; {} ago", hold.who, hold.text, seconds(hold.heldMs), seconds(hold.neededMs),
                                    seconds(passed)));
    }
}

} // namespace

void MeasuresBuilder::State::takeSeen(const Event& e) {
    Seen seen{momentOf(e), plainText(e.actor, 60), e.kind, textOf(e.body, "text", 2000), {}, -1, "", -1, -1, false};
    if (e.kind == EventKind::ViewChange) {
        seen.text = textOf(e.body, "page", 200);
    } else if (e.kind == EventKind::Prompt) {
        seen.gates = shownGates(e.body);
        seen.armedMs = optionalNumber(e.body, "armed_ms").value_or(-1);
    } else if (e.kind == EventKind::Answer) {
        const Json hold = member<Json>(e.body, "hold", Json());
        seen.hold = textOf(hold, "state", 20);
        seen.neededMs = optionalNumber(hold, "needed_ms").value_or(-1);
        seen.heldMs = optionalNumber(hold, "held_ms").value_or(-1);
        seen.over = seen.hold.empty() || member<bool>(e.body, "withdrawn", false);
    } else {
        seen.text = textOf(e.body, "command", 60) + (member<bool>(e.body, "accepted", false) ? ", accepted" : ", refused");
        seen.over = true;
    }
    m.seen.add(std::move(seen), MANY);
}

std::vector<std::string> shownAt(const Bounded<Seen>& seen, std::int64_t steadyUs) {
    std::map<std::string, Screen> screens;
    for (const Seen& each : seen.items) {
        if (each.at.steadyUs > steadyUs) {
            break;
        }
        Screen& screen = screens[each.who];
        (each.kind == EventKind::ViewChange ? screen.page
         : each.kind == EventKind::Prompt   ? screen.prompt
         : !each.hold.empty()               ? screen.hold
                                            : screen.command) = &each;
        if (each.over) {
            screen.prompt = nullptr;
        }
    }
    std::vector<std::string> lines;
    for (const auto& [who, screen] : screens) {
        if (screen.page != nullptr) {
            lines.push_back(fmt::format("{} looked at: {} (since {})", who, screen.page->text, positionText(screen.page->at.steadyUs)));
        }
        if (screen.prompt != nullptr) {
            sayPrompt(lines, *screen.prompt, steadyUs);
        }
        if (screen.hold != nullptr) {
            sayHold(lines, *screen.hold, steadyUs);
        }
        if (screen.command != nullptr) {
            lines.push_back(
                fmt::format("The last word of {}: {} (at {})", who, screen.command->text, positionText(screen.command->at.steadyUs)));
        }
    }
    return lines;
}

} // namespace tealdeck::review
