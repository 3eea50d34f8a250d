// SPDX-License-Identifier: GPL-3.0-or-later
// A desk with nobody's screen: an X server, a window manager, and somebody who presses keys and buttons.
#pragma once
#include "core/util/files.h"
#include "core/util/process.h"
#include "tests/support/real_lab.h"

#include <csignal>
#include <cstdlib>
#include <fmt/format.h>
#include <map>
#include <memory>
#include <poll.h>
#include <string>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>
#include <vector>

namespace tealdeck::test {

/// A program that a desk needs and that is not installed here; empty: everything is.
inline std::string missingForDesk() {
    for (const char* program : {"Xvfb", "openbox", "xdotool"}) {
        const Result<ProcessOutcome> found =
            runProcess({{"sh", "-c", std::string("command -v ") + program}, {}, {}, {}, 0, 0}, Deadline(Millis(5000)));
        if (!found.ok() || found->exitCode != 0) {
            return program;
        }
    }
    return {};
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
            ::prctl(PR_SET_PDEATHSIG, SIGTERM); // not longer than the test
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
            // A window that comes before its manager would not get the focus. Only a manager tells the number of desktops.
            static_cast<void>(eventually(Millis(20000), [this] { return !xdotool({"get_num_desktops"}).empty(); }));
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
    /// Over whatever the field held.
    void type(const std::string& text) const {
        key("ctrl+a");
        text.empty() ? key("Delete") : static_cast<void>(xdotool({"type", "--clearmodifiers", "--delay", "1", "--", text}));
    }
    void tab(int times = 1) const {
        for (int i = 0; i < times; ++i) {
            key("Tab");
        }
    }
    [[nodiscard]] bool sees(pid_t pid, const std::string& title) const {
        return !xdotool({"search", "--onlyvisible", "--all", "--pid", std::to_string(pid), "--name", title}).empty();
    }
    /// Waits for a window of the process whose title matches, and gives it the focus; its id, empty when none came.
    std::string focusWindow(pid_t pid, const std::string& title) const {
        std::string window;
        const bool there = eventually(Millis(60000), [&] {
            window = xdotool({"search", "--onlyvisible", "--all", "--pid", std::to_string(pid), "--name", title});
            window = window.substr(0, window.find('\n'));
            if (!window.empty()) {
                xdotool({"windowactivate", window});
            }
            return !window.empty() && xdotool({"getactivewindow"}).starts_with(window);
        });
        return there ? window : std::string();
    }
    /// The whole screen, for eyes: NUMBER-NAME.png in the folder that TEALDECK_TEST_PICTURES names; nothing without it.
    void picture(const std::string& name) {
        if (const char* folder = std::getenv("TEALDECK_TEST_PICTURES"); folder != nullptr) {
            const std::string file = fmt::format("{}/{:02}-{}.png", folder, ++m_pictures, name);
            static_cast<void>(runProcess({{"import", "-window", "root", file}, m_environment, {}, {}, 0, 0}, Deadline(Millis(20000))));
        }
    }

  private:
    int m_pictures = 0;
    std::map<std::string, std::string> m_environment;
    std::unique_ptr<Child> m_server;
    std::unique_ptr<Child> m_manager;
};

} // namespace tealdeck::test
