// SPDX-License-Identifier: GPL-3.0-or-later
// tealctl without a server: help, completion, manual page, plans in words, dry runs, exit codes.
#include "core/util/files.h"
#include "core/util/json.h"
#include "core/util/process.h"

#include <filesystem>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <regex>
#include <sstream>

using namespace tealdeck;
namespace fs = std::filesystem;
using testing::HasSubstr;
using testing::Not;

namespace {

const std::string CTL = std::string(TEALDECK_BIN_DIR) + "/tealctl";

ProcessOutcome call(std::vector<std::string> argv) {
    const Result<ProcessOutcome> outcome = runProcess({std::move(argv), {}, {}, {}, 0, 0}, Deadline(Millis(20'000)));
    EXPECT_TRUE(outcome.ok()) << (outcome ? "" : outcome.error().text());
    return outcome ? *outcome : ProcessOutcome{};
}

ProcessOutcome ctl(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), CTL);
    return call(std::move(arguments));
}

class Ctl : public testing::Test {
  protected:
    void SetUp() override {
        if (!fs::exists(CTL)) {
            GTEST_SKIP() << "tealctl is not built here";
        }
        fs::create_directories(folder);
    }
    void TearDown() override { fs::remove_all(folder); }
    [[nodiscard]] std::string plan(const std::string& more = {}) const {
        const fs::path file = folder / "plan.toml";
        const std::string text =
            "format = 1\n[deployment]\nname = \"lab\"\ndatabases = [\"shop\", \"books\"]\n[blue.primary]\nhost = \"blue.test\"\n"
            "user = \"u\"\n[green.primary]\nhost = \"green.test\"\nuser = \"u\"\n[replication]\nuser = \"r\"\n[[haproxy]]\n"
            "name = \"balancer\"\nsocket = \"s\"\nbackend = \"reads\"\nblue_servers = [\"x\"]\ngreen_servers = [\"y\"]\n";
        EXPECT_TRUE(writeFileAtomically(file, text + more).ok());
        return file.string();
    }
    fs::path folder = fs::temp_directory_path() / ("tealdeck-ctl-" + randomHex(6));
};

/// The names under "Subcommands:" of a help text.
std::vector<std::string> subcommands(const std::string& help) {
    std::vector<std::string> names;
    std::istringstream lines(help.substr(std::min(help.find("Subcommands:"), help.size())));
    std::string line;
    std::getline(lines, line);
    while (std::getline(lines, line) && line.rfind("  ", 0) == 0) {
        if (line[2] != ' ') {
            names.push_back(line.substr(2, line.find(' ', 2) - 2));
        }
    }
    return names;
}

void expectExamples(const std::vector<std::string>& words, int& seen) {
    std::vector<std::string> asked = words;
    asked.emplace_back("--help");
    const ProcessOutcome help = ctl(asked);
    EXPECT_EQ(help.exitCode, 0) << testing::PrintToString(words);
    if (!words.empty()) {
        EXPECT_THAT(help.output, HasSubstr("xample")) << testing::PrintToString(words) << " has no example";
        ++seen;
    }
    for (const std::string& name : subcommands(help.output)) {
        std::vector<std::string> deeper = words;
        deeper.push_back(name);
        expectExamples(deeper, seen);
    }
}

TEST_F(Ctl, everyCommandHasHelpWithAnExample) {
    int seen = 0;
    expectExamples({}, seen);
    EXPECT_GT(seen, 25);
}

TEST_F(Ctl, completionKnowsTheCommandsAndTheirOptions) {
    const fs::path script = folder / "tealctl.bash";
    ASSERT_TRUE(writeFileAtomically(script, ctl({"completion", "bash"}).output).ok());
    const auto complete = [&](const std::string& words, int at) {
        return call({"bash", "-c", "source \"$1\"; eval \"COMP_WORDS=($2)\"; COMP_CWORD=$3; _tealctl; echo \"${COMPREPLY[@]}\"", "bash",
                     script.string(), words, std::to_string(at)})
            .output;
    };
    EXPECT_THAT(complete("tealctl al", 1), HasSubstr("alarm"));
    EXPECT_THAT(complete("tealctl alarm ''", 2), HasSubstr("list ack shelve"));
    EXPECT_THAT(complete("tealctl alarm shelve x --m", 4), HasSubstr("--minutes"));
    EXPECT_THAT(complete("tealctl run --", 2), HasSubstr("--dry-run"));
    EXPECT_THAT(complete("tealctl run --", 2), Not(HasSubstr("--minutes")));
    EXPECT_THAT(ctl({"completion", "zsh"}).output, HasSubstr("#compdef tealctl"));
    EXPECT_THAT(ctl({"completion", "fish"}).output, HasSubstr("-a takeover -d "));
    EXPECT_EQ(ctl({"completion", "tcsh"}).exitCode, 2);
}

TEST_F(Ctl, theManualPageHasEveryCommand) {
    const std::string page = ctl({"man"}).output;
    EXPECT_EQ(page.rfind(".TH TEALCTL 1", 0), 0U);
    for (const std::string& name : subcommands(ctl({"--help"}).output)) {
        EXPECT_THAT(page, HasSubstr(".SS " + std::regex_replace(name, std::regex("-"), "\\-") + "\n"));
    }
    EXPECT_THAT(page, HasSubstr("\\-\\-dry\\-run"));
    EXPECT_THAT(page, HasSubstr(".SH EXIT STATUS"));
    EXPECT_THAT(page, Not(HasSubstr("\x1b["))) << "colours are for terminals";
}

TEST_F(Ctl, aPlanIsExplainedInSentences) {
    const ProcessOutcome said = ctl({"plan", "explain", plan("[[hook]]\nname = \"tell\"\nafter = \"cutover\"\nprogram = \"/bin/true\"\n")});
    EXPECT_EQ(said.exitCode, 0) << said.errors;
    for (const char* part :
         {"lab moves the databases shop and books from BLUE to GREEN", "blue.test:5432 as u, TLS verify-full", "No pooler is named",
          "10 %, 20 %, 50 % and 100 %", "may pause for 2 s at most", "The hook tell runs /bin/true after cutover"}) {
        EXPECT_THAT(said.output, HasSubstr(part));
    }
    const ProcessOutcome wrong = ctl({"plan", "explain", plan("[[hook]]\nname = \"t\"\nbefore = \"abort\"\nprogram = \"/bin/true\"\n")});
    EXPECT_EQ(wrong.exitCode, 2);
    EXPECT_THAT(wrong.errors, HasSubstr("plan.toml:"));
}

TEST_F(Ctl, aDryRunNeedsNoServerAndSaysWhatFollows) {
    const std::string hooked = plan("[[hook]]\nname = \"tell\"\nbefore = \"cutover.gate\"\nprogram = \"/bin/true\"\n");
    const ProcessOutcome all = ctl({"run", hooked, "--until", "observe", "--dry-run"});
    EXPECT_EQ(all.exitCode, 0) << all.errors;
    EXPECT_THAT(all.output,
                HasSubstr("cutover.gate: Prove that GREEN follows closely\n      waits for three markers in a row, at most 20 s; then "
                          "nothing was paused\n      before it: the hook tell runs /bin/true, at most 10 s; a failure vetoes"));
    EXPECT_THAT(all.output, Not(HasSubstr("finalize.")));
    EXPECT_FALSE(fs::exists(folder / "engine"));
    const ProcessOutcome some = ctl({"run", plan(), "--until", "validate", "--dry-run", "--json"});
    const Json json = parseJson(some.output).value_or(Json());
    ASSERT_TRUE(json.contains("commands")) << some.output;
    ASSERT_EQ(json["commands"].size(), 2U);
    EXPECT_EQ(json["commands"][1]["steps"].back()["id"], "replicate.catch-up");
}

TEST_F(Ctl, holdsAreCheckedBeforeAnythingBegins) {
    for (const char* place : {"cutover.switch", "abort", "abort.blue", "nowhere", "finalize.blue"}) {
        const ProcessOutcome refused = ctl({"run", plan(), "--hold", place, "--dry-run"});
        EXPECT_EQ(refused.exitCode, 2) << place;
        EXPECT_THAT(refused.errors + refused.output, HasSubstr("cannot hold before"));
    }
    EXPECT_EQ(ctl({"run", "--hold", "cutover", "--hold", "replicate.copy", plan(), "--dry-run"}).exitCode, 0);
}

TEST_F(Ctl, whatNeedsAnEngineSaysSoWhenNoneRuns) {
    const std::vector<std::vector<std::string>> calls = {{"attach", plan()},
                                                         {"continue", plan()},
                                                         {"alarm", "list", plan()},
                                                         {"alarm", "ack", plan(), "x"},
                                                         {"alarm", "shelve", plan(), "x", "--reason", "y"}};
    for (const std::vector<std::string>& words : calls) {
        const ProcessOutcome none = ctl(words);
        EXPECT_EQ(none.exitCode, 3) << testing::PrintToString(words);
        EXPECT_THAT(none.errors, HasSubstr("No engine runs for lab"));
    }
    EXPECT_FALSE(fs::exists(folder / "engine")) << "and starts none";
    EXPECT_EQ(ctl({"alarm", "shelve", plan(), "x", "--minutes", "0", "--reason", "y"}).exitCode, 2);
}

} // namespace
