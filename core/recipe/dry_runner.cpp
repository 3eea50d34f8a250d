// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/recipe/dry_runner.h"

#include <fmt/format.h>

namespace tealdeck {

std::string spanText(Millis span) {
    const auto ms = span.count();
    return ms >= 3'600'000 && ms % 3'600'000 == 0 ? fmt::format("{} h", ms / 3'600'000)
           : ms >= 60'000 && ms % 60'000 == 0     ? fmt::format("{} min", ms / 60'000)
           : ms >= 1000 && ms % 1000 == 0         ? fmt::format("{} s", ms / 1000)
                                                  : fmt::format("{} ms", ms);
}

Status DryRunner::run(const std::vector<Step>& steps, bool undoOnFailure) {
    for (const Step& step : steps) {
        m_tell(fmt::format("  {}: {}", step.id, step.title));
        m_tell(fmt::format("      waits for {}, at most {}; then {}", step.waitsFor.empty() ? "nothing" : step.waitsFor,
                           spanText(step.limit), step.onTimeout));
        if (undoOnFailure && step.undo) {
            m_tell("      taken back if a later step fails");
        }
        if (step.safety) {
            m_tell("      runs even when it cannot be recorded");
        }
        for (const std::string& note : m_notes ? m_notes(step) : std::vector<std::string>()) {
            m_tell("      " + note);
        }
    }
    return {};
}

} // namespace tealdeck
