// SPDX-License-Identifier: GPL-3.0-or-later
// The scripts that a person meets first, and what README.md promises about them.
#include "core/util/files.h"
#include "core/util/process.h"

#include <algorithm>
#include <filesystem>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <regex>
#include <sstream>

using namespace tealdeck;
namespace fs = std::filesystem;
using testing::HasSubstr;

namespace {

const fs::path SOURCE(TEALDECK_SOURCE_DIR);

ProcessOutcome runIt(std::vector<std::string> argv) {
    ProcessSpec spec;
    spec.argv = std::move(argv);
    const Result<ProcessOutcome> outcome = runProcess(spec, Deadline(Millis(30'000)));
    EXPECT_TRUE(outcome.ok()) << (outcome ? "" : outcome.error().text());
    return outcome ? *outcome : ProcessOutcome{};
}

std::string script(const std::string& name) {
    return (SOURCE / name).string();
}

class Script : public testing::TestWithParam<const char*> {};

TEST_P(Script, explains_itself_and_changes_nothing_when_called_wrongly) {
    EXPECT_NE(fs::status(script(GetParam())).permissions() & fs::perms::owner_exec, fs::perms::none);
    const ProcessOutcome help = runIt({"bash", script(GetParam()), "--help"});
    EXPECT_EQ(help.exitCode, 0) << help.errors;
    for (const char* option : {"--no-install", "--help"}) {
        EXPECT_THAT(help.output, HasSubstr(option));
    }
    const ProcessOutcome wrong = runIt({"bash", script(GetParam()), "--frobnicate"});
    EXPECT_EQ(wrong.exitCode, 2) << wrong.errors;
    EXPECT_THAT(wrong.errors, HasSubstr("\"--frobnicate\""));
    EXPECT_EQ(std::count(wrong.errors.begin(), wrong.errors.end(), '\n'), 1) << wrong.errors;
    EXPECT_EQ(wrong.output, "");
}

INSTANTIATE_TEST_SUITE_P(All, Script, testing::Values("tests/run", ".ci/run", "app/demo", "tests/perf/run"));

struct WrongCall {
    std::vector<std::string> argv;
    std::string says;
};

/// Names the test.
void PrintTo(const WrongCall& call, std::ostream* out) {
    for (const std::string& word : call.argv) {
        *out << word << ' ';
    }
}

class ScriptWrongValue : public testing::TestWithParam<WrongCall> {};

TEST_P(ScriptWrongValue, names_the_option_and_what_is_allowed) {
    std::vector<std::string> argv = GetParam().argv;
    argv[0] = script(argv[0]);
    argv.insert(argv.begin(), "bash");
    const ProcessOutcome outcome = runIt(argv);
    EXPECT_EQ(outcome.exitCode, 2) << outcome.output << outcome.errors;
    EXPECT_THAT(outcome.errors, HasSubstr(GetParam().says));
}

INSTANTIATE_TEST_SUITE_P(All, ScriptWrongValue,
                         testing::Values(WrongCall{{"tests/run", "--preset", "fast"}, "use dev, asan, tsan or release"},
                                         WrongCall{{"tests/run", "--label"}, "--label needs a value"},
                                         WrongCall{{"tests/run", "--label", "a|b"}, "cannot be a label"},
                                         WrongCall{{"app/demo", "--blue", "12"}, "allowed are 13, 14 and 15"},
                                         WrongCall{{"app/demo", "--green", "x"}, "allowed are 17 and 18"},
                                         WrongCall{{"app/demo", "--dir", "/usr"}, "/usr is there already"},
                                         WrongCall{{"app/demo", "--seconds", "soon"}, "--seconds"},
                                         WrongCall{{"tests/perf/run", "--only", "speed"}, "no figure \"speed\""},
                                         WrongCall{{"tests/perf/run", "--json", "/nonexistent/figures"}, "cannot be written"}));

/// The commands of README.md's code blocks, split at blanks, without comments.
std::vector<std::vector<std::string>> readmeCommands() {
    std::vector<std::vector<std::string>> commands;
    std::istringstream lines(readFile(SOURCE / "README.md").valueOr(""));
    bool inside = false;
    for (std::string line; std::getline(lines, line);) {
        if (line.rfind("```", 0) == 0) {
            inside = line == "```sh";
            continue;
        }
        std::istringstream words(line);
        std::vector<std::string> command;
        for (std::string word; inside && words >> word && word != "#" && word != "&";) {
            command.push_back(word);
        }
        if (!command.empty()) {
            commands.push_back(command);
        }
    }
    return commands;
}

/// The program of the build that a command names; empty: none of ours.
std::string builtProgram(const std::string& word) {
    const std::string folder = "build/dev/bin/";
    return word.rfind(folder, 0) == 0 ? std::string(TEALDECK_BIN_DIR) + "/" + word.substr(folder.size()) : std::string();
}

TEST(Readme, every_command_exists_with_its_options) {
    const auto commands = readmeCommands();
    ASSERT_GT(commands.size(), 8U);
    int checked = 0;
    for (const std::vector<std::string>& command : commands) {
        const std::string program = builtProgram(command[0]);
        if (program.empty() && command[0].rfind("./", 0) != 0) {
            continue; // git, cd
        }
        std::vector<std::string> help = {program.empty() ? script(command[0]) : program};
        if (!program.empty() && !fs::exists(program)) {
            EXPECT_EQ(fs::path(program).filename(), "tealdeck") << program << " is not built"; // a build without the console
            continue;
        }
        // Subcommands are the words before the first file or option.
        for (std::size_t i = 1; i < command.size() && command[i].find_first_of("-./=") == std::string::npos; ++i) {
            help.push_back(command[i]);
        }
        help.emplace_back("--help");
        const ProcessOutcome outcome = runIt(help);
        EXPECT_EQ(outcome.exitCode, 0) << testing::PrintToString(help) << outcome.output << outcome.errors;
        for (const std::string& word : command) {
            if (word.rfind("--", 0) == 0 && word.size() > 2) {
                EXPECT_THAT(outcome.output, HasSubstr(word)) << testing::PrintToString(command);
            }
        }
        ++checked;
    }
    EXPECT_GT(checked, 6);
}

TEST(Documents, name_only_files_that_exist) {
    static const std::regex path(R"re((?:app|core|widgets|tests|resources)/[A-Za-z0-9_./-]*[A-Za-z0-9_])re");
    for (const char* document : {"README.md", "CONTRIBUTING.md", "CHANGELOG.md"}) {
        const Result<std::string> text = readFile(SOURCE / document);
        ASSERT_TRUE(text.ok()) << document;
        for (std::sregex_iterator match(text->begin(), text->end(), path), end; match != end; ++match) {
            EXPECT_TRUE(fs::exists(SOURCE / match->str())) << document << " names " << match->str();
        }
    }
}

} // namespace
