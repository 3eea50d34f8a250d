// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include "core/recipe/step.h"

#include <functional>
#include <string>

namespace tealdeck {

/// Tells what a runner would do, in order, and touches nothing: no probe, no act, no record.
class DryRunner final : public StepRunner {
  public:
    /// notes: lines to add to a step, such as the hooks that stand round it; may be empty.
    explicit DryRunner(std::function<void(const std::string& line)> tell, std::function<std::vector<std::string>(const Step&)> notes = {})
        : m_tell(std::move(tell)), m_notes(std::move(notes)) {}
    /// Always goes well.
    Status run(const std::vector<Step>& steps, bool undoOnFailure) override;

  private:
    std::function<void(const std::string&)> m_tell;
    std::function<std::vector<std::string>(const Step&)> m_notes;
};

/// "90 s", "24 h", "700 ms"
std::string spanText(Millis span);

} // namespace tealdeck
