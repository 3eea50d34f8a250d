// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/util/own_program.h"

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

Status trustProgram(const std::string& who, const std::string& program) {
    struct stat file {};
    if (::stat(program.c_str(), &file) != 0) {
        return Error{Error::Kind::Refused,
                     fmt::format("{} cannot be run: {}: {}.", who, program, systemReason(errno)),
                     "Correct its program in the plan.",
                     {}};
    }
    const bool owned = file.st_uid == 0 || file.st_uid == ::geteuid();
    if (!S_ISREG(file.st_mode) || !owned || (file.st_mode & (S_IWGRP | S_IWOTH)) != 0) {
        return Error{
            Error::Kind::Refused,
            fmt::format("{} is not run: {} must be a file of root or of the engine's user that nobody else may write.", who, program),
            "Correct its owner and mode.",
            {}};
    }
    return {};
}

ProgramRun runOwnProgram(const std::string& who, const OwnProgram& program, const std::map<std::string, std::string>& more,
                         const std::string& input, const std::function<bool()>& cancelled) {
    ProgramRun run;
    run.status = trustProgram(who, program.program);
    if (!run.status) {
        return run;
    }
    ProcessSpec spec;
    spec.argv = {program.program};
    spec.argv.insert(spec.argv.end(), program.arguments.begin(), program.arguments.end());
    for (const std::string& name : program.environment) {
        if (const char* value = std::getenv(name.c_str())) {
            spec.environment[name] = value;
        }
    }
    for (const auto& [name, value] : more) {
        spec.environment[name] = value;
    }
    spec.folder = "/";
    spec.bareEnvironment = true;
    spec.input = input;
    const Result<ProcessOutcome> outcome = runProcess(spec, Deadline(program.limit), cancelled);
    if (!outcome) {
        run.status =
            Error{Error::Kind::Refused, fmt::format("{} did not end well: {}", who, outcome.error().message), outcome.error().remedy, {}};
        return run;
    }
    run.output = outcome->output;
    run.printed = redactText(outcome->output + outcome->errors, spec.environment);
    if (outcome->exitCode != 0) {
        run.status = Error{
            Error::Kind::Refused, fmt::format("{} answered with exit code {}.", who, outcome->exitCode), plainText(run.printed, 300), {}};
    }
    return run;
}

} // namespace tealdeck
