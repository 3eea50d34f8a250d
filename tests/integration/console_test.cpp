// SPDX-License-Identifier: GPL-3.0-or-later
// The console under a person's hands: real key events on a real X server, against a real engine and a lab under load.
#include "core/util/files.h"
#include "tests/support/real_lab.h"
#include "tests/support/upgrade_run.h"

#include <csignal>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sstream>
#include <sys/wait.h>
#include <unistd.h>

namespace tealdeck::test {
namespace {

constexpr const char* ACTOR = "hands";

bool inPath(const std::string& program) {
    const Result<ProcessOutcome> found = runProcess({{"sh", "-c", "command -v " + program}, {}, {}, {}, 0, 0}, Deadline(Millis(5000)));
    return found.ok() && found->exitCode == 0;
}

/// A program of ours in the background; ends with the object, by its pid.
class Child {
  public:
    Child(std::vector<std::string> argv, const std::map<std::string, std::string>& environment, int pipeFd = -1) {
        std::vector<char*> arguments;
        for (std::string& argument : argv) {
            arguments.push_back(argument.data());
        }
        arguments.push_back(nullptr);
        m_pid = ::fork();
        if (m_pid == 0) {
            ::unsetenv("WAYLAND_DISPLAY");
            for (const auto& [name, value] : environment) {
                ::setenv(name.c_str(), value.c_str(), 1);
            }
            if (pipeFd >= 0) {
                ::dup2(pipeFd, 3);
            }
            ::execvp(arguments.front(), arguments.data());
            ::_exit(127);
        }
    }
    ~Child() { end(SIGTERM); }
    Child(const Child&) = delete;
    Child& operator=(const Child&) = delete;
    void end(int signal) {
        if (m_pid <= 0) {
            return;
        }
        ::kill(m_pid, signal);
        if (!eventually(Millis(3000), [this] { return ::waitpid(m_pid, nullptr, WNOHANG) == m_pid; })) {
            ::kill(m_pid, SIGKILL);
            ::waitpid(m_pid, nullptr, 0);
        }
        m_pid = 0;
    }
    [[nodiscard]] pid_t pid() const { return m_pid; }

  private:
    pid_t m_pid = 0;
};

/// An X server without a screen, with a window manager, so that windows get the focus as on a desk.
class Desk {
  public:
    explicit Desk(const std::filesystem::path& home) {
        int ends[2];
        if (::pipe(ends) != 0) {
            return;
        }
        m_server =
            std::make_unique<Child>(std::vector<std::string>{"Xvfb", "-displayfd", "3", "-screen", "0", "1680x1050x24", "-nolisten", "tcp"},
                                    environment(), ends[1]);
        ::close(ends[1]);
        std::string number; // comes in pieces, with a newline at its end
        for (const Deadline deadline(Millis(20000)); !deadline.passed() && !number.ends_with('\n');) {
            pollfd fd{ends[0], POLLIN, 0};
            char byte = 0;
            if (::poll(&fd, 1, 200) == 1) {
                if (::read(ends[0], &byte, 1) != 1) {
                    break; // it ended
                }
                number += byte;
            }
        }
        ::close(ends[0]);
        if (number.ends_with('\n')) {
            m_environment = {{"DISPLAY", ":" + number.substr(0, number.size() - 1)},
                             {"HOME", home.string()},
                             {"QT_QPA_PLATFORM", "xcb"},
                             {"XDG_CONFIG_HOME", home.string()}};
            m_manager = std::make_unique<Child>(std::vector<std::string>{"openbox"}, m_environment);
        }
    }
    ~Desk() {
        m_manager.reset();
        m_server.reset();
    }
    [[nodiscard]] const std::map<std::string, std::string>& environment() const { return m_environment; }
    [[nodiscard]] bool ok() const { return m_manager != nullptr; }

    std::string xdotool(std::vector<std::string> arguments) const {
        arguments.insert(arguments.begin(), "xdotool");
        const Result<ProcessOutcome> outcome = runProcess({arguments, m_environment, {}, {}, 0, 0}, Deadline(Millis(5000)));
        return outcome.ok() && outcome->exitCode == 0 ? outcome->output : std::string();
    }
    void key(const std::string& keys) const { xdotool({"key", "--clearmodifiers", keys}); }

  private:
    std::map<std::string, std::string> m_environment;
    std::unique_ptr<Child> m_server;
    std::unique_ptr<Child> m_manager;
};

/// A person at the keyboard, who looks at the state with tealctl.
class Person {
  public:
    Person(UpgradeRun& run, Desk& desk) : m_run(run), m_desk(desk) {}

    void openConsole() {
        m_console = std::make_unique<Child>(
            std::vector<std::string>{std::string(TEALDECK_BIN_DIR) + "/tealdeck", "--plan", m_run.lab().plan(), "--as", ACTOR},
            m_desk.environment());
        const std::string pid = std::to_string(m_console->pid());
        std::string window;
        ASSERT_TRUE(eventually(Millis(20000), [&] {
            window = m_desk.xdotool({"search", "--onlyvisible", "--all", "--pid", pid, "--name", "^lab .* Tealdeck$"});
            return !window.empty();
        })) << "the console's window does not appear";
        window = window.substr(0, window.find('\n'));
        ASSERT_TRUE(eventually(Millis(10000), [&] {
            m_desk.xdotool({"windowactivate", window});
            return m_desk.xdotool({"getactivewindow"}).starts_with(window);
        }));
    }
    void killConsole() { m_console->end(SIGKILL); }

    Json state() { return m_run.ctl({"status"}).report; }
    std::string phase() { return member<std::string>(state(), "phase", ""); }
    bool reaches(const std::string& wanted, Millis limit) {
        return eventually(limit, [&] { return phase() == wanted; });
    }
    /// How many commands of this kind the engine took from the console.
    std::size_t taken(const std::string& command) {
        std::size_t count = 0;
        for (const std::string& line : operatorLines()) {
            const Json event = parseJson(line).value_or(Json::object());
            const Json body = event.contains("body") ? event["body"] : event;
            count += member<std::string>(event, "actor", "") == ACTOR && member<std::string>(body, "command", "") == command &&
                             member(body, "accepted", false)
                         ? 1
                         : 0;
        }
        return count;
    }
    /// Shows the next act and presses its button.
    void press() {
        m_desk.key("ctrl+1");
        m_desk.key("Escape");
        m_desk.key("space");
    }
    bool click(const std::string& command) {
        const std::size_t before = taken(command);
        return eventually(Millis(15000), [&] {
            press();
            return eventually(Millis(3000), [&] { return taken(command) > before; });
        });
    }
    /// Arms, goes to Hold, holds until the engine has taken the command. A gate may change between arm and hold, as the checklist is
    /// asked again and again: then a person arms again.
    bool armAndHold(const std::string& command) {
        const std::size_t before = taken(command);
        return eventually(Millis(120000), [&] {
            press();
            m_desk.key("ctrl+2");
            m_desk.xdotool({"keydown", "space"});
            const bool took = eventually(Millis(4000), [&] { return taken(command) > before; });
            m_desk.xdotool({"keyup", "space"});
            return took;
        });
    }
    /// Arms and lets go too early.
    void armAndLetGo() {
        press();
        m_desk.key("ctrl+2");
        m_desk.key("space");
    }

  private:
    std::vector<std::string> operatorLines() const {
        std::vector<std::string> lines;
        std::error_code none;
        for (const auto& entry : std::filesystem::directory_iterator(m_run.lab().dir() / "engine", none)) {
            if (entry.path().extension() != ".teal") {
                continue;
            }
            const Result<ProcessOutcome> events = runProcess(
                {{std::string(TEALDECK_BIN_DIR) + "/tealctl", "recording", "events", entry.path().string(), "--kind", "operator", "--json"},
                 {},
                 {},
                 {},
                 0,
                 0},
                Deadline(Millis(10000)));
            std::istringstream text(events.ok() ? events->output : std::string());
            for (std::string line; std::getline(text, line);) {
                lines.push_back(line);
            }
        }
        return lines;
    }

    UpgradeRun& m_run;
    Desk& m_desk;
    std::unique_ptr<Child> m_console;
};

TEST(Console, UpgradesAndRollsBackUnderAPersonsHands) {
    for (const char* program : {"Xvfb", "openbox", "xdotool"}) {
        if (!inPath(program)) {
            GTEST_SKIP() << program << " is not installed: nobody can press the console's keys here";
        }
    }
    if (!std::filesystem::exists(std::string(TEALDECK_BIN_DIR) + "/tealdeck")) {
        GTEST_SKIP() << "the console is not built here";
    }
    UpgradeRun run(15, 18);
    ASSERT_TRUE(run.ok());
    const std::filesystem::path home = run.lab().file("home");
    ASSERT_TRUE(std::filesystem::create_directory(home));
    Desk desk(home);
    ASSERT_TRUE(desk.ok()) << "Xvfb did not start";
    run.startLoad(4);
    Person person(run, desk);
    person.openConsole();
    if (testing::Test::HasFatalFailure()) {
        return;
    }
    ASSERT_TRUE(person.click("check"));
    ASSERT_TRUE(person.reaches("preflight", Millis(20000)));

    person.armAndLetGo();
    EXPECT_EQ(person.taken("replicate"), 0U) << "a hold that ends early must do nothing";

    ASSERT_TRUE(person.armAndHold("replicate"));
    // The console dies in the middle of the copy: nothing changes, and a new one drives.
    person.killConsole();
    EXPECT_TRUE(run.writesGoOn(Millis(3000)));
    ASSERT_TRUE(person.reaches("validate", Millis(240000)));
    person.openConsole();
    if (testing::Test::HasFatalFailure()) {
        return;
    }
    ASSERT_TRUE(person.armAndHold("cutover"));
    ASSERT_TRUE(person.reaches("observe", Millis(120000)));
    EXPECT_EQ(member<std::string>(person.state(), "writes_to", ""), "green");
    EXPECT_TRUE(run.writesGoOn(Millis(5000)));

    ASSERT_TRUE(person.armAndHold("rollback"));
    ASSERT_TRUE(person.reaches("rolled-back", Millis(120000)));
    EXPECT_EQ(member<std::string>(person.state(), "writes_to", ""), "blue");
    EXPECT_TRUE(run.writesGoOn(Millis(5000)));
    for (const char* command : {"check", "replicate", "cutover", "rollback"}) {
        EXPECT_EQ(person.taken(command), 1U) << command;
    }
    HistoryVerdict verdict;
    run.endLoad("blue", 2, verdict);
    EXPECT_TRUE(verdict.ok()) << verdict.toJson().dump(2);
}

} // namespace
} // namespace tealdeck::test
