// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include "app/ctl/engine_session.h"

#include <CLI/CLI.hpp>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace tealdeck {

/// What the commands that drive a deployment were told.
struct Arguments {
    std::string plan;
    std::string until = "observe";
    std::string reason;
    std::string typed;
    std::string database;
    std::string lsn;
    std::string act;  ///< of a ramp without a percentage
    std::string item; ///< a check's or a manual item's name
    std::string recording;
    bool list = false;
    double percent = -1;
    bool json = false;
    bool takeover = false;
    bool watch = false;
    bool dryRun = false;
    bool unattended = false; ///< --auto
    bool observe = false;    ///< whoever only looks must not take the wheel from a run on another terminal
    std::vector<std::string> hold;
};

/// What became of the work of a command.
struct WorkEnd {
    WorkEnd(Status ended) : status(std::move(ended)) {}
    WorkEnd(Error error) : status(std::move(error)) {}
    WorkEnd(Error error, int code) : status(std::move(error)), exitCode(code) {}
    Status status;
    int exitCode = -1; ///< of a failure that has one of its own; -1: as the error's kind says
};

/// Tells an error, as JSON when asked; returns the code.
int complain(const Error& error, const Arguments& arguments, int code);

/// Opens the session and runs the work with it; prints the end and returns the exit code.
int withSession(const Arguments& arguments, const std::function<WorkEnd(EngineSession&, const Plan&)>& work);

/// Adds a command that takes a plan, --json and --takeover.
CLI::App* addPlanCommand(CLI::App& app, const char* name, const char* text, const std::shared_ptr<Arguments>& arguments);

/// Asks the checklist and prints it; refused when a line of it blocks.
Status runCheck(EngineSession& session, const Plan& plan, bool print);

/// Waits for what mends itself (a feed that comes back), then says what still stands in the way of the command.
Status checkBlockers(EngineSession& session, CommandKind next);

} // namespace tealdeck
