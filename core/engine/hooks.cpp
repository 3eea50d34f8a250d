// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/engine/hooks.h"

#include "core/recipe/dry_runner.h"
#include "core/util/own_program.h"
#include "core/util/text.h"

#include <fmt/format.h>

namespace tealdeck {
namespace {

constexpr std::size_t KEEP_OUTPUT = 2000;

} // namespace

Status Hooks::run(const HookPlan& hook, const std::function<bool()>& cancelled) const {
    const std::string step = "hook." + hook.name;
    const std::int64_t begin = m_record.nowUs();
    if (const Status intent = m_record.publish(
            EventKind::Intent, {{"step", step}, {"detail", fmt::format("{} {}", hook.before ? "before" : "after", hook.point)}});
        !intent) {
        return intent;
    }
    const ProgramRun done = runOwnProgram(
        "The hook " + hook.name, {hook.program, hook.arguments, hook.environment, hook.limit},
        {{"TEALDECK_DEPLOYMENT", m_plan.deployment}, {"TEALDECK_POINT", hook.point}, {"TEALDECK_MOMENT", hook.before ? "before" : "after"}},
        {}, cancelled);
    const Status& status = done.status;
    static_cast<void>(m_record.publish(EventKind::Outcome, {{"step", step},
                                                            {"ok", status.ok()},
                                                            {"detail", status.ok() ? "" : status.error().message},
                                                            {"output", plainText(done.printed, KEEP_OUTPUT)},
                                                            {"ms", static_cast<double>(m_record.nowUs() - begin) / 1000.0}}));
    return status;
}

Status Hooks::before(const std::string& point, const std::function<bool()>& cancelled) const {
    for (const HookPlan& hook : m_plan.hooks) {
        if (hook.before && hook.point == point) {
            if (const Status status = run(hook, cancelled); !status) {
                return status;
            }
        }
    }
    return {};
}

void Hooks::after(const std::string& point) const {
    for (const HookPlan& hook : m_plan.hooks) {
        if (!hook.before && hook.point == point) {
            static_cast<void>(run(hook, {}));
        }
    }
}

std::vector<std::string> hookLines(const Plan& plan, const std::string& point) {
    std::vector<std::string> lines;
    for (const HookPlan& hook : plan.hooks) {
        if (hook.point == point) {
            lines.push_back(fmt::format("{} it: the hook {} runs {}, at most {}{}", hook.before ? "before" : "after", hook.name,
                                        hook.program, spanText(hook.limit), hook.before ? "; a failure vetoes" : ""));
        }
    }
    return lines;
}

} // namespace tealdeck
