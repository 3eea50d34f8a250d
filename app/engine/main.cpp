// SPDX-License-Identifier: GPL-3.0-or-later
// tealdeck-engine: the process around the engine, and the guardian.
#include "core/cutover/guardian.h"
#include "core/engine/engine.h"
#include "core/engine/server.h"
#include "core/util/files.h"
#include "core/util/process.h"
#include "core/util/version.h"

#include <CLI/CLI.hpp>
#include <csignal>
#include <fmt/format.h>
#include <poll.h>
#include <pwd.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

namespace {

using namespace tealdeck;

EngineServer* g_server = nullptr;

void onSignal(int) {
    if (g_server != nullptr) {
        g_server->stop();
    }
}

/// An engine that nobody needs ends by itself: after the end of a deployment, and before its beginning.
constexpr Millis LINGER_FINISHED{5000};
constexpr Millis LINGER_UNUSED{60000};

std::string ownProgram() {
    char path[4096];
    const ssize_t n = ::readlink("/proc/self/exe", path, sizeof path - 1);
    return n > 0 ? std::string(path, static_cast<std::size_t>(n)) : "tealdeck-engine";
}

std::string holder() {
    const passwd* user = ::getpwuid(::getuid());
    char host[256] = "";
    ::gethostname(host, sizeof host - 1);
    return fmt::format("{}@{} ({})", user != nullptr ? user->pw_name : "?", host, ::getpid());
}

int complain(const Error& error) {
    fmt::print(stderr, "tealdeck-engine: {}\n", error.text());
    return error.kind == Error::Kind::Invalid ? 2 : error.kind == Error::Kind::Refused || error.kind == Error::Kind::Conflict ? 3 : 1;
}

int serve(const Plan& plan, bool stdio, bool takeover, const std::string& recording) {
    auto engine = Engine::start({plan, ownProgram(), holder(), takeover, recording});
    if (!engine) {
        return complain(engine.error());
    }
    EngineServer server((*engine)->hub(), [&](const Command& command) { return (*engine)->submit(command); });
    if (const Status listening = server.listen(engineSocket(plan)); !listening) {
        return complain(listening.error());
    }
    static_cast<void>(writeFileAtomically(
        plan.engineFolder / "engine.json",
        dumpJson({{"pid", ::getpid()}, {"socket", engineSocket(plan).string()}, {"deployment", plan.deployment}}) + "\n"));
    if (stdio) {
        server.adopt(0, 1);
    }
    g_server = &server;
    std::signal(SIGTERM, onSignal);
    std::signal(SIGINT, onSignal);
    server.run([&](Millis alone) {
        const Phase phase = (*engine)->hub().snapshot().phase;
        return ((*engine)->finished() && alone > LINGER_FINISHED) ||
               ((phase == Phase::Plan || phase == Phase::Preflight) && alone > LINGER_UNUSED);
    });
    g_server = nullptr;
    const bool finished = (*engine)->finished();
    (*engine)->stop();
    if (finished) {
        static_cast<void>((*engine)->hub().closeRecording());
    }
    ::unlink((plan.engineFolder / "engine.json").c_str());
    return 0;
}

/// Starts another engine in the background and waits until it answers.
int daemonize(const Plan& plan, const std::string& planFile, bool takeover, const std::string& recording) {
    if (const Status folder = makePrivateFolder(plan.engineFolder); !folder) {
        return complain(folder.error());
    }
    const std::filesystem::path log = plan.engineFolder / "engine.log";
    std::vector<std::string> argv = {ownProgram(), planFile};
    if (takeover) {
        argv.emplace_back("--takeover");
    }
    if (!recording.empty()) {
        argv.insert(argv.end(), {"--recording", recording});
    }
    const Result<pid_t> started = startDetached({argv, {}, {}, {}, 0, 0}, log.string());
    if (!started) {
        return complain(started.error());
    }
    const Deadline deadline(Millis(30000));
    while (!deadline.passed()) {
        int status = 0;
        if (::waitpid(*started, &status, WNOHANG) == *started) {
            const Result<std::string> text = readFile(log);
            const std::string all = text.ok() ? *text : "";
            const std::size_t end = all.find_last_not_of('\n');
            const std::size_t begin = end == std::string::npos ? 0 : all.rfind('\n', end) + 1;
            fmt::print(stderr, "{}\n",
                       end == std::string::npos ? fmt::format("tealdeck-engine ended at once; see {}", log.string())
                                                : all.substr(begin, end - begin + 1));
            return WIFEXITED(status) && WEXITSTATUS(status) != 0 ? WEXITSTATUS(status) : 1;
        }
        if (::access((plan.engineFolder / "engine.json").c_str(), F_OK) == 0) {
            const Result<std::string> text = readFile(plan.engineFolder / "engine.json");
            if (text.ok() && member<int>(parseJson(*text).value_or(Json::object()), "pid", 0) == *started) {
                return 0;
            }
        }
        ::poll(nullptr, 0, 20);
    }
    return complain({Error::Kind::Timeout, "The engine did not get ready within 30 s.", "See " + log.string() + ".", {}});
}

} // namespace

int main(int argc, char** argv) {
    ::umask(077);
    ::prctl(PR_SET_DUMPABLE, 0); // no core dump holds what passes through here
    std::signal(SIGPIPE, SIG_IGN);
    CLI::App app("Drives one deployment; consoles and tealctl talk to it");
    app.set_version_flag("--version", VERSION);
    std::string planFile;
    bool stdio = false;
    bool guardian = false;
    bool where = false;
    bool background = false;
    bool takeover = false;
    std::string recording;
    app.add_option("plan", planFile, "The plan (TOML)")->required();
    app.add_flag("--stdio", stdio, "Serve one client on standard input and output too");
    app.add_flag("--daemon", background, "Start in the background and return when it answers");
    app.add_flag("--where", where, "Print where the engine of this plan listens, as JSON, and end");
    app.add_flag("--takeover", takeover, "End the sessions of another engine that drives this deployment");
    app.add_option("--recording", recording, "Where a new recording is written: an absolute path that ends in .teal");
    app.add_flag("--guardian", guardian, "For the engine's own use");
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
        return app.exit(error) == 0 ? 0 : 2;
    }
    const Result<Plan> plan = readPlan(planFile);
    if (!plan) {
        return complain(plan.error());
    }
    if (where) {
        fmt::print("{}\n", dumpJson({{"socket", engineSocket(*plan).string()},
                                     {"deployment", plan->deployment},
                                     {"folder", plan->engineFolder.string()}}));
        return 0;
    }
    if (guardian) {
        return runGuardian(*plan);
    }
    return background ? daemonize(*plan, planFile, takeover, recording) : serve(*plan, stdio, takeover, recording);
}
