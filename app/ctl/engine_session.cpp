// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/ctl/engine_session.h"

#include "core/engine/engine.h"
#include "core/engine/recording_file.h"
#include "core/plan/hook_points.h"
#include "core/util/files.h"
#include "core/util/process.h"
#include "core/util/text.h"

#include <csignal>
#include <cstdlib>
#include <fmt/format.h>
#include <poll.h>
#include <pwd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

namespace tealdeck {
namespace {

constexpr Millis ATTACH_LIMIT{20000};
constexpr Millis REPLY_LIMIT{10000};
constexpr Millis OWN_ACT_LIMIT{30000};

bool isSwitch(const std::string& command) {
    return command == commandName(CommandKind::Cutover) || command == commandName(CommandKind::Rollback);
}

} // namespace

std::string userName() {
    // Several people may share an account on a bastion.
    if (const char* said = std::getenv("TEALDECK_ACTOR");
        said != nullptr && said[0] != '\0' && std::string_view(said).size() <= 60 && isUtf8(said)) {
        return said;
    }
    const passwd* user = ::getpwuid(::getuid());
    return user != nullptr ? user->pw_name : std::to_string(::getuid());
}

Json holdSteps(const std::vector<std::string>& given) {
    Json steps = Json::array();
    for (const std::string& name : given) {
        steps.push_back(name == "replicate" ? "replicate.control" : name == "cutover" || name == "rollback" ? name + ".sessions" : name);
    }
    return steps;
}

std::string whyNoHold(const std::string& given) {
    return canHoldBefore(holdSteps({given}).front().get<std::string>())
               ? ""
               : fmt::format(
                     "a run cannot hold before \"{}\"; \"tealctl run PLAN --dry-run\" shows the steps, before a switch hold at its gate",
                     given);
}

std::string siblingProgram(const char* name) {
    char path[4096];
    const ssize_t n = ::readlink("/proc/self/exe", path, sizeof path - 1);
    const std::filesystem::path own(std::string(path, n > 0 ? static_cast<std::size_t>(n) : 0));
    const std::filesystem::path beside = own.parent_path() / name;
    std::error_code none;
    return std::filesystem::exists(beside, none) ? beside.string() : name;
}

bool engineAnswers(const Plan& plan) {
    const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    engineSocket(plan).string().copy(address.sun_path, sizeof address.sun_path - 1);
    const bool alive = ::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
    ::close(fd);
    return alive;
}

Status ensureEngine(const Plan& plan, bool takeover, const std::filesystem::path& recording) {
    if (const Status agrees = agreesWithRecording(plan, recording); !agrees) {
        return agrees;
    }
    if (engineAnswers(plan)) {
        return {};
    }
    std::vector<std::string> argv = {siblingProgram("tealdeck-engine"), "--daemon", plan.file.string()};
    if (takeover) {
        argv.emplace_back("--takeover");
    }
    if (!recording.empty()) {
        argv.insert(argv.end(), {"--recording", recording.string()});
    }
    const Result<ProcessOutcome> outcome = runProcess({argv, {}, {}, {}, 0, 0}, Deadline(Millis(40000)));
    if (!outcome) {
        return outcome.error();
    }
    if (outcome->exitCode != 0) {
        return Error{outcome->exitCode == 3   ? Error::Kind::Refused
                     : outcome->exitCode == 2 ? Error::Kind::Invalid
                                              : Error::Kind::Unavailable,
                     outcome->errors.substr(0, outcome->errors.find_last_not_of('\n') + 1),
                     {},
                     {}};
    }
    return {};
}

Result<bool> stopEngine(const Plan& plan) {
    const Result<std::string> text = readFile(plan.engineFolder / "engine.json");
    const int pid = text.ok() ? member<int>(parseJson(*text).value_or(Json::object()), "pid", 0) : 0;
    if (pid <= 1 || !engineAnswers(plan)) {
        return false;
    }
    ::kill(pid, SIGTERM);
    const Deadline deadline(Millis(30000));
    while (::kill(pid, 0) == 0 && engineAnswers(plan)) {
        if (deadline.passed()) {
            return Error{Error::Kind::Timeout,
                         "The engine did not stop within 30 s.",
                         "It may be in the middle of a switch; look at its status.",
                         {}};
        }
        ::poll(nullptr, 0, 50);
    }
    return true;
}

Result<std::unique_ptr<EngineSession>> EngineSession::open(Options options) {
    if (const Status engine = ensureEngine(options.plan, options.takeover, options.recording); !engine) {
        return engine.error();
    }
    auto session = std::unique_ptr<EngineSession>(new EngineSession);
    EngineSession* self = session.get();
    session->m_onEvent = options.onEvent;
    session->m_client =
        std::make_unique<EngineClient>(EngineClient::Target{engineSocket(options.plan).string(), {}, !options.observe, userName(), false});
    SessionListener listener;
    listener.started = [self](SessionStart start) {
        const std::lock_guard lock(self->m_mutex);
        self->m_snapshot = std::move(start.snapshot);
        self->m_driver = start.driver;
        self->m_started = true;
        self->m_changed.notify_all();
    };
    listener.events = [self](const std::vector<Event>& events) { self->take(events); };
    listener.stateChanged = [self](SourceState state, const std::string& detail) {
        const std::lock_guard lock(self->m_mutex);
        if (state == SourceState::Lost || state == SourceState::Ended) {
            self->m_lost = true;
            self->m_detail = detail;
        }
        self->m_changed.notify_all();
    };
    session->m_client->start(std::move(listener));
    std::unique_lock lock(session->m_mutex);
    if (!session->m_changed.wait_for(lock, ATTACH_LIMIT, [self] { return self->m_started || self->m_lost; }) || !session->m_started) {
        const std::string detail = session->m_detail;
        lock.unlock();
        return Error{Error::Kind::Unavailable,
                     fmt::format("The engine of {} does not answer. {}", options.plan.deployment, detail),
                     "See engine.log in its folder.",
                     {}};
    }
    return session;
}

EngineSession::~EngineSession() {
    if (m_client) {
        m_client->stop();
    }
}

void EngineSession::take(const std::vector<Event>& events) {
    for (const Event& event : events) {
        if (m_onEvent) {
            m_onEvent(event);
        }
        const std::lock_guard lock(m_mutex);
        apply(m_snapshot, event);
        if (event.kind == EventKind::Outcome && member<bool>(event.body, "command", false)) {
            m_outcomes.push_back(event);
        }
    }
    m_changed.notify_all();
}

Snapshot EngineSession::snapshot() const {
    const std::lock_guard lock(m_mutex);
    return m_snapshot;
}

bool EngineSession::waitFor(const std::function<bool(const Snapshot&)>& condition, Millis limit) {
    std::unique_lock lock(m_mutex);
    return m_changed.wait_for(lock, limit, [&] { return m_lost || condition(m_snapshot); }) && !m_lost;
}

CommandReply EngineSession::send(CommandKind kind, const Json& args) {
    // Shared, because the answer may come after this function has given up.
    struct Answer {
        std::mutex mutex;
        std::condition_variable came;
        std::optional<CommandReply> reply;
    };
    auto answer = std::make_shared<Answer>();
    Command command;
    command.kind = kind;
    command.args = args;
    command.basedOn = snapshot().seq;
    m_client->send(command, [answer](CommandReply reply) {
        const std::lock_guard lock(answer->mutex);
        answer->reply = std::move(reply);
        answer->came.notify_all();
    });
    std::unique_lock lock(answer->mutex);
    if (!answer->came.wait_for(lock, REPLY_LIMIT, [&] { return answer->reply.has_value(); })) {
        return {false, "The engine does not answer."};
    }
    return *answer->reply;
}

Status EngineSession::say(CommandKind kind, const Json& args) {
    const CommandReply reply = send(kind, args);
    return reply.accepted ? Status() : Status(Error{Error::Kind::Refused, reply.reason, {}, {}});
}

/// The engine has short acts of its own: a check, or reads that go back. What a person wants then waits for their end; for long work it
/// does not.
bool EngineSession::waitUntilIdle(const Deadline& deadline) {
    const Deadline soon(Millis(3000));
    for (;;) {
        if (waitFor([](const Snapshot& s) { return s.busyWith.empty(); }, Millis(200))) {
            return true;
        }
        const std::lock_guard lock(m_mutex);
        const std::string& busy = m_snapshot.busyWith;
        const bool isShort = busy == commandName(CommandKind::Ramp) || busy == commandName(CommandKind::Check);
        if (m_lost || (isShort ? deadline.passed() : soon.passed())) {
            return false;
        }
    }
}

Status EngineSession::run(CommandKind kind, const Json& args) {
    if (!m_driver && kind != CommandKind::Abort) {
        return Error{Error::Kind::Refused, "Another client drives this engine.", "Use that one, or close it.", {}};
    }
    CommandReply reply;
    for (const Deadline deadline(OWN_ACT_LIMIT); !reply.accepted;) {
        if (kind != CommandKind::Abort && !waitUntilIdle(deadline)) {
            return Error{
                Error::Kind::Refused, fmt::format("The engine is busy with \"{}\".", snapshot().busyWith), "Wait for it, or abort it.", {}};
        }
        {
            const std::lock_guard lock(m_mutex);
            m_outcomes.clear();
        }
        reply = send(kind, args);
        const bool changed = reply.reason.rfind("The situation has changed", 0) == 0;
        const bool busy = reply.reason.find("\" is running.") != std::string::npos;
        if (deadline.passed() || (!changed && !busy)) {
            break;
        }
        waitFor([](const Snapshot&) { return false; }, Millis(100)); // let the news come in
    }
    if (!reply.accepted) {
        return Error{Error::Kind::Refused, reply.reason, {}, {}};
    }
    const char* name = commandName(kind);
    std::unique_lock lock(m_mutex);
    const auto ended = [&]() -> const Event* {
        for (const Event& event : m_outcomes) {
            const auto step = member<std::string>(event.body, "step", "");
            if (step == name || (kind == CommandKind::Abort && isSwitch(step))) {
                return &event;
            }
        }
        return nullptr;
    };
    m_changed.wait(lock, [&] { return m_lost || ended() != nullptr; });
    const Event* end = ended();
    if (end == nullptr) {
        return Error{Error::Kind::Unavailable,
                     "The engine was lost: " + m_detail,
                     "Run \"tealctl status\" on the plan: it finds out what is true and finishes or returns what was begun.",
                     {}};
    }
    // The engine says that it is idle right after the outcome.
    const bool ok = member<bool>(end->body, "ok", false);
    // An abort in the middle of a switch ends when the switch does; it has no end of its own.
    if (kind == CommandKind::Abort && isSwitch(member<std::string>(end->body, "step", ""))) {
        return ok ? Status(Error{
                        Error::Kind::Conflict, "The abort came too late: the switch was past its point of no return and is done.", {}, {}})
                  : Status();
    }
    const std::string detail = member<std::string>(end->body, "detail", "");
    m_changed.wait_for(lock, Millis(2000), [&] { return m_lost || m_snapshot.busyWith.empty(); });
    return ok ? Status() : Status(Error{Error::Kind::Conflict, detail, {}, {}});
}

} // namespace tealdeck
