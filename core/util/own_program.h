// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include "core/util/clock.h"
#include "core/util/result.h"

#include <functional>
#include <map>
#include <string>
#include <vector>

namespace tealdeck {

/// A program of the operator's, as a plan names it.
struct OwnProgram {
    std::string program;                  ///< absolute path; empty: none is named
    std::vector<std::string> arguments;   ///< as they are, no shell
    std::vector<std::string> environment; ///< names of our variables that it may see; others it does not get
    Millis limit{10000};
};

/// How a run ended, and what it printed.
struct ProgramRun {
    Status status;       ///< Refused: not trusted, not started, late, cancelled, or an exit code other than 0
    std::string output;  ///< standard output as it came
    std::string printed; ///< both streams without secrets, still with line breaks
};

/// Refused unless the file belongs to root or to our user and nobody else may write it: what others may change is not run in our name.
/// `who` begins the message: "The hook NAME".
Status trustProgram(const std::string& who, const std::string& program);

/// Runs it in "/", with the allowed variables and `more` as its whole environment and `input` on its standard input.
ProgramRun runOwnProgram(const std::string& who, const OwnProgram& program, const std::map<std::string, std::string>& more,
                         const std::string& input = {}, const std::function<bool()>& cancelled = {});

} // namespace tealdeck
