// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/engine/hooks.h"

#include "core/recipe/dry_runner.h"
#include "core/util/files.h"
#include "core/util/process.h"
#include "core/util/redact.h"
#include "core/util/text.h"

#include <cerrno>
#include <cstdlib>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

namespace tealdeck {
namespace {

constexpr std::size_t KEEP_OUTPUT = 2000;

/// What anyone else may change is not run in the engine's name.
Status trusted(const HookPlan& hook) {
    struct stat file {};
    if (::stat(hook.program.c_str(), &file) != 0) {
        return Error{Error::Kind::Refused,
                     fmt::format("The hook {} cannot be run: {}: {}.", hook.name, hook.program, systemReason(errno)),
                     "Correct its program in the plan.",
                     {}};
    }
    const bool owned = file.st_uid == 0 || file.st_uid == ::geteuid();
    if (!S_ISREG(file.st_mode) || !owned || (file.st_mode & (S_IWGRP | S_IWOTH)) != 0) {
        return Error{Error::Kind::Refused,
                     fmt::format("The hook {} is not run: {} must be a file of root or of the engine's user that nobody else may write.",
                                 hook.name, hook.program),
                     "Correct its owner and mode.",
                     {}};
    }
    return {};
}

std::map<std::string, std::string> environmentFor(const HookPlan& hook, const Plan& plan) {
    std::map<std::string, std::string> environment;
    for (const std::string& name : hook.environment) {
        if (const char* value = std::getenv(name.c_str())) {
            environment[name] = value;
        }
    }
    environment["TEALDECK_DEPLOYMENT"] = plan.deployment;
    environment["TEALDECK_POINT"] = hook.point;
    environment["TEALDECK_MOMENT"] = hook.before ? "before" : "after";
    return environment;
}

} // namespace

Status Hooks::run(const HookPlan& hook, const std::function<bool()>& cancelled) const {
    const std::string step = "hook." + hook.name;
    const std::int64_t begin = m_record.nowUs();
    if (const Status intent = m_record.publish(
            EventKind::Intent, {{"step", step}, {"detail", fmt::format("{} {}", hook.before ? "before" : "after", hook.point)}});
        !intent) {
        return intent;
    }
    Status status = trusted(hook);
    std::string printed;
    if (status) {
        ProcessSpec spec;
        spec.argv = {hook.program};
        spec.argv.insert(spec.argv.end(), hook.arguments.begin(), hook.arguments.end());
        spec.environment = environmentFor(hook, m_plan);
        spec.folder = "/";
        spec.bareEnvironment = true;
        const Result<ProcessOutcome> outcome = runProcess(spec, Deadline(hook.limit), cancelled);
        if (!outcome) {
            status = Error{Error::Kind::Refused,
                           fmt::format("The hook {} did not end well: {}", hook.name, outcome.error().message),
                           outcome.error().remedy,
                           {}};
        } else {
            printed = redactText(outcome->output + outcome->errors, spec.environment);
            if (outcome->exitCode != 0) {
                status = Error{Error::Kind::Refused,
                               fmt::format("The hook {} answered with exit code {}.", hook.name, outcome->exitCode),
                               plainText(printed, 300),
                               {}};
            }
        }
    }
    static_cast<void>(m_record.publish(EventKind::Outcome, {{"step", step},
                                                            {"ok", status.ok()},
                                                            {"detail", status.ok() ? "" : status.error().message},
                                                            {"output", plainText(printed, KEEP_OUTPUT)},
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
