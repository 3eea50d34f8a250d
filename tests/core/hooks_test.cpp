// SPDX-License-Identifier: GPL-3.0-or-later
// Hooks: real programs at points of the runbook. What they see, what they may forbid, what is kept of what they say.
#include "core/engine/dry_run.h"
#include "core/engine/hooks.h"
#include "core/plan/hook_points.h"
#include "core/util/files.h"

#include <cstdlib>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <set>
#include <sys/stat.h>

namespace tealdeck {
namespace {

using testing::HasSubstr;
using testing::Not;

class HooksTest : public testing::Test {
  protected:
    void SetUp() override { std::filesystem::create_directories(folder); }
    void TearDown() override { std::filesystem::remove_all(folder); }
    HookPlan& add(const std::string& script, bool before = true) {
        HookPlan hook;
        hook.name = fmt::format("h{}", plan.hooks.size());
        hook.point = "cutover.gate";
        hook.before = before;
        hook.program = (folder / hook.name).string();
        hook.limit = Millis(5000);
        EXPECT_TRUE(writeFileAtomically(hook.program, "#!/bin/sh\n" + script, 0700).ok());
        plan.hooks.push_back(hook);
        return plan.hooks.back();
    }
    Hooks hooks() {
        return {plan,
                {[this](EventKind kind, Json body) -> Status {
                     if (kind == EventKind::Intent && diskFull) {
                         return Error{Error::Kind::Unavailable, "disk full", {}, {}};
                     }
                     log.emplace_back(kind, std::move(body));
                     return {};
                 },
                 [] { return std::int64_t{0}; }}};
    }
    std::string text() {
        std::string all;
        for (const auto& [kind, body] : log) {
            all += eventKindName(kind) + dumpJson(body) + "\n";
        }
        return all;
    }

    std::filesystem::path folder = std::filesystem::temp_directory_path() / ("tealdeck-hooks-" + randomHex(6));
    Plan plan;
    std::vector<std::pair<EventKind, Json>> log;
    bool diskFull = false;
};

TEST_F(HooksTest, runInOrderWithTheirArgumentsAndOnlyTheEnvironmentThatIsAllowed) {
    ::setenv("HOOK_TEST_ALLOWED", "yes", 1);
    ::setenv("HOOK_TEST_OTHER", "no", 1);
    plan.deployment = "lab";
    HookPlan& first = add("printf '%s|' \"$@\"; env | sort; pwd");
    first.arguments = {"a b", "$(id)", "*"};
    first.environment = {"HOOK_TEST_ALLOWED", "HOOK_TEST_UNSET"};
    add("echo second");
    ASSERT_TRUE(hooks().before("cutover.gate", {}).ok()) << text();
    EXPECT_THAT(text(), HasSubstr("a b|$(id)|*|"));
    EXPECT_THAT(text(), HasSubstr("HOOK_TEST_ALLOWED=yes"));
    EXPECT_THAT(text(), HasSubstr("TEALDECK_DEPLOYMENT=lab"));
    EXPECT_THAT(text(), HasSubstr("TEALDECK_POINT=cutover.gate"));
    EXPECT_THAT(text(), HasSubstr("TEALDECK_MOMENT=before"));
    for (const char* other : {"HOOK_TEST_OTHER", "HOME=", "HOOK_TEST_UNSET"}) {
        EXPECT_THAT(text(), Not(HasSubstr(other)));
    }
    ASSERT_EQ(log.size(), 4U);
    EXPECT_EQ(log[0].first, EventKind::Intent);
    EXPECT_EQ(log[1].second["step"], "hook.h0");
    EXPECT_EQ(log[3].second["step"], "hook.h1");
    log.clear();
    EXPECT_TRUE(hooks().before("cutover", {}).ok());
    EXPECT_TRUE(log.empty()) << "another point";
}

TEST_F(HooksTest, anExitCodeVetoesBeforeAndNotAfter) {
    add("echo not today; exit 7");
    add("touch " + (folder / "ran").string());
    const Status vetoed = hooks().before("cutover.gate", {});
    ASSERT_FALSE(vetoed.ok());
    EXPECT_EQ(vetoed.error().kind, Error::Kind::Refused);
    EXPECT_THAT(vetoed.error().text(), HasSubstr("h0 answered with exit code 7"));
    EXPECT_THAT(vetoed.error().text(), HasSubstr("not today"));
    EXPECT_FALSE(std::filesystem::exists(folder / "ran")) << "the next one was not reached";
    for (HookPlan& hook : plan.hooks) {
        hook.before = false;
    }
    hooks().after("cutover.gate");
    EXPECT_TRUE(std::filesystem::exists(folder / "ran"));
}

TEST_F(HooksTest, aLimitACancelAndAMissingRecordVetoToo) {
    add("sleep 30").limit = Millis(100);
    EXPECT_THAT(hooks().before("cutover.gate", {}).error().text(), HasSubstr("longer than 100 ms"));
    plan.hooks[0].limit = Millis(20'000);
    EXPECT_THAT(hooks().before("cutover.gate", [] { return true; }).error().text(), HasSubstr("cancelled"));
    plan.hooks.clear();
    add("touch " + (folder / "ran").string());
    diskFull = true;
    EXPECT_FALSE(hooks().before("cutover.gate", {}).ok());
    EXPECT_FALSE(std::filesystem::exists(folder / "ran")) << "no record, no action";
}

TEST_F(HooksTest, aProgramThatOthersMayChangeIsNotRun) {
    add("touch " + (folder / "ran").string());
    ::chmod(plan.hooks[0].program.c_str(), 0777);
    EXPECT_THAT(hooks().before("cutover.gate", {}).error().text(), HasSubstr("nobody else may write"));
    std::filesystem::remove(plan.hooks[0].program);
    EXPECT_THAT(hooks().before("cutover.gate", {}).error().text(), HasSubstr("cannot be run"));
    EXPECT_FALSE(std::filesystem::exists(folder / "ran"));
}

TEST_F(HooksTest, whatTheyPrintIsKeptShortAndWithoutSecrets) {
    ::setenv("HOOK_TEST_TOKEN", "canary-1234", 1);
    add("echo \"$HOOK_TEST_TOKEN\"; echo password=canary-5678 >&2; yes | head -c 100000").environment = {"HOOK_TEST_TOKEN", "PATH"};
    ASSERT_TRUE(hooks().before("cutover.gate", {}).ok());
    EXPECT_THAT(text(), Not(HasSubstr("canary")));
    EXPECT_LT(text().size(), 8000U);
}

std::string planWith(const std::string& hook) {
    return "format = 1\n[deployment]\nname = \"lab\"\ndatabases = [\"shop\"]\n[blue.primary]\nhost = \"b\"\nuser = \"u\"\n"
           "[green.primary]\nhost = \"g\"\nuser = \"u\"\n[replication]\nuser = \"r\"\n" +
           hook;
}

TEST(HookPlan, isReadAndItsErrorsNameLineAndKey) {
    const Result<Plan> good = parsePlan(planWith("[[hook]]\nname = \"tell\"\nafter = \"cutover.switch\"\nprogram = \"/bin/true\"\n"
                                                 "arguments = [\"a\", \"a\"]\nenvironment = [\"PATH\"]\nlimit_ms = 500\n"
                                                 "[alarms]\nlag_seconds = 2.5\n"),
                                        "deck.toml", "/plans");
    ASSERT_TRUE(good.ok()) << good.error().text();
    ASSERT_EQ(good->hooks.size(), 1U);
    EXPECT_FALSE(good->hooks[0].before);
    EXPECT_EQ(good->hooks[0].arguments, (std::vector<std::string>{"a", "a"}));
    EXPECT_EQ(good->hooks[0].limit, Millis(500));
    EXPECT_EQ(good->alarms.lagSeconds, 2.5);
    const std::pair<const char*, const char*> wrong[] = {
        {"name = \"t\"\nprogram = \"/bin/true\"\n", "either before or after"},
        {"name = \"t\"\nbefore = \"ramp\"\nafter = \"ramp\"\nprogram = \"/bin/true\"\n", "either before or after"},
        {"name = \"t\"\nbefore = \"cutover.nothing\"\nprogram = \"/bin/true\"\n", "no command, step or phase"},
        {"name = \"t\"\nbefore = \"validate\"\nprogram = \"/bin/true\"\n", "reached and not begun"},
        {"name = \"t\"\nbefore = \"abort\"\nprogram = \"/bin/true\"\n", "nothing may stop"},
        {"name = \"t\"\nbefore = \"cutover.return-feed\"\nprogram = \"/bin/true\"\n", "nothing may stop"},
        {"name = \"t\"\nbefore = \"ramp\"\nprogram = \"true\"\n", "absolute path"},
        {"name = \"t\"\nbefore = \"ramp\"\nprogram = \"/bin/true\"\nenvironment = [\"A=b\"]\n", "no variable"},
        {"name = \"t\"\nbefore = \"ramp\"\nprogram = \"/bin/true\"\nshell = true\n", "not a key"},
        {"name = \"t\"\nbefore = \"ramp\"\nprogram = \"/bin/true\"\nlimit_ms = 0\n", "limit_ms"}};
    for (const auto& [hook, says] : wrong) {
        const Result<Plan> read = parsePlan(planWith(std::string("[[hook]]\n") + hook), "deck.toml", "/plans");
        ASSERT_FALSE(read.ok()) << hook;
        EXPECT_THAT(read.error().text(), HasSubstr(says));
        EXPECT_THAT(read.error().text(), HasSubstr("deck.toml:"));
    }
}

TEST(HookPoints, everyPhaseIsOne) {
    for (int number = 0; number < 10; ++number) {
        const std::string phase = phaseName(static_cast<Phase>(number));
        const bool command = commandFromName(phase).has_value();
        if (phase != "plan") { // nobody comes there
            EXPECT_NE(std::find(hookPhases().begin(), hookPhases().end(), phase) != hookPhases().end(), command) << phase;
            const Result<Plan> read =
                parsePlan(planWith("[[hook]]\nname = \"t\"\nafter = \"" + phase + "\"\nprogram = \"/bin/true\"\n"), "deck.toml", "/plans");
            ASSERT_TRUE(read.ok()) << read.error().text();
            EXPECT_EQ(read->hooks.at(0).point, phase);
        }
    }
}

TEST(HookPoints, areTheCommandsAndStepsThatThereAre) {
    std::string text =
        planWith("[[haproxy]]\nname = \"b\"\nsocket = \"s\"\nbackend = \"r\"\nblue_servers = [\"x\"]\ngreen_servers = [\"y\"]\n");
    const Result<Plan> plan = parsePlan(text, "deck.toml", "/plans");
    ASSERT_TRUE(plan.ok()) << plan.error().text();
    DryRun dry(*plan);
    std::set<std::string> real;
    std::vector<PlannedCommand> all = dry.until(Phase::Finalized);
    for (PlannedCommand& command : dry.aside()) {
        all.push_back(std::move(command));
    }
    for (const PlannedCommand& command : all) {
        if (command.command == CommandKind::Check) {
            continue; // it changes nothing, so there is nothing to stand round
        }
        real.insert(commandName(command.command));
        for (const Step& step : command.steps) {
            real.insert(step.id);
            EXPECT_EQ(step.safety, isUnstoppable(step.id)) << step.id;
        }
    }
    EXPECT_EQ(real, std::set<std::string>(hookPoints().begin(), hookPoints().end()));
}

} // namespace
} // namespace tealdeck
