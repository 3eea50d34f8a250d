// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/traffic/pgbouncer.h"

#include "core/postgres/sql.h"
#include "core/traffic/databases_file.h"
#include "core/traffic/owned_file.h"
#include "core/util/files.h"
#include "core/util/json.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

namespace tealdeck {
namespace {

/// For sessions that beginPause has to open by itself.
constexpr Millis POOLS_LIMIT{200};
constexpr Millis OPEN_LIMIT{1000};

std::string column(const Rows& rows, std::size_t row, const char* name) {
    const auto it = std::find(rows.columns.begin(), rows.columns.end(), name);
    return it == rows.columns.end() ? std::string() : rows.text(row, static_cast<std::size_t>(it - rows.columns.begin()));
}

Error unavailable(const std::string& message) {
    return {Error::Kind::Unavailable, message, "Check the file's folder and owner.", {}};
}

void syncFolder(const std::filesystem::path& folder) {
    const int fd = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd >= 0) {
        ::fsync(fd);
        ::close(fd);
    }
}

} // namespace

PgBouncer::PgBouncer(PgBouncerPlan instance, const Plan& plan)
    : m_instance(std::move(instance)), m_blue(plan.blue.primary), m_green(plan.green.primary) {
    const auto seenFromHere = [](Endpoint& primary, const std::string& host, int port) {
        primary.host = host.empty() ? primary.host : host;
        primary.port = port == 0 ? primary.port : port;
    };
    seenFromHere(m_blue, m_instance.blueHost, m_instance.bluePort);
    seenFromHere(m_green, m_instance.greenHost, m_instance.greenPort);
}

AdminConsole::Options PgBouncer::options(const std::string& use) const {
    return {m_instance.host,    m_instance.port,        m_instance.user,      m_instance.passfile,
            m_instance.sslmode, m_instance.sslrootcert, m_instance.name + use};
}

Result<Rows> PgBouncer::control(const std::string& command, Millis limit) {
    const std::lock_guard lock(m_controlMutex);
    const Deadline deadline(limit);
    // A session that was good may have died with an earlier life of the pooler: one new one is tried.
    if (m_control && !m_control->broken()) {
        Result<Rows> answer = m_control->command(command, deadline.left());
        if (answer || answer.error().kind != Error::Kind::Unavailable) {
            return answer;
        }
    }
    Result<std::unique_ptr<AdminConsole>> opened = AdminConsole::open(options(""), deadline.left());
    if (!opened) {
        return opened.error();
    }
    m_control = std::move(*opened);
    return m_control->command(command, deadline.left());
}

Result<PoolerStatus> PgBouncer::status(Millis limit) {
    const Deadline deadline(limit);
    PoolerStatus status;
    const Result<Rows> config = control("SHOW CONFIG", deadline.left());
    if (!config) {
        return config.error();
    }
    for (std::size_t i = 0; i < config->size(); ++i) {
        status.config[column(*config, i, "key")] = column(*config, i, "value");
    }
    Result<std::vector<PoolerDatabase>> found = databases(deadline.left());
    if (!found) {
        return found.error();
    }
    status.databases = std::move(*found);
    for (PoolerDatabase& database : status.databases) {
        database.poolMode = database.poolMode.empty() ? status.config["pool_mode"] : database.poolMode;
    }
    const Result<Rows> version = control("SHOW VERSION", deadline.left());
    if (!version) {
        return version.error();
    }
    const std::string text = version->text(0, 0);
    status.version = text.substr(text.rfind(' ') == std::string::npos ? 0 : text.rfind(' ') + 1);
    return status;
}

Result<std::vector<PoolerDatabase>> PgBouncer::databases(Millis limit) {
    const Result<Rows> rows = control("SHOW DATABASES", limit);
    if (!rows) {
        return rows.error();
    }
    std::vector<PoolerDatabase> found;
    for (std::size_t i = 0; i < rows->size(); ++i) {
        found.push_back({column(*rows, i, "name"), column(*rows, i, "host"), std::atoi(column(*rows, i, "port").c_str()),
                         column(*rows, i, "database"), column(*rows, i, "paused") == "1", column(*rows, i, "disabled") == "1",
                         column(*rows, i, "pool_mode")});
    }
    return found;
}

Result<Side> PgBouncer::target(Millis limit) {
    const Result<std::vector<PoolerDatabase>> now = databases(limit);
    return now ? targetOf(*now) : Result<Side>(now.error());
}

Result<Side> PgBouncer::targetOf(const std::vector<PoolerDatabase>& databases) const {
    const auto conflict = [&](const std::string& what) {
        return Error{Error::Kind::Conflict,
                     fmt::format("{}: {}.", m_instance.name, what),
                     "All databases of the plan must point to one of the two primaries, written as in the plan.",
                     {}};
    };
    int toBlue = 0;
    for (const std::string& name : m_instance.databases) {
        const auto it = std::find_if(databases.begin(), databases.end(), [&](const PoolerDatabase& d) { return d.name == name; });
        if (it == databases.end()) {
            return conflict(name + " has no entry");
        }
        const bool blue = it->host == m_blue.host && it->port == m_blue.port;
        if (!blue && !(it->host == m_green.host && it->port == m_green.port)) {
            return conflict(fmt::format("{} points to {}:{}, which is no primary of the plan", name, it->host, it->port));
        }
        toBlue += blue ? 1 : 0;
    }
    if (toBlue != 0 && toBlue != static_cast<int>(m_instance.databases.size())) {
        return conflict("its databases point to both sides");
    }
    return toBlue != 0 ? Side::Blue : Side::Green;
}

std::filesystem::path PgBouncer::stagedFile(Side side) const {
    return m_instance.databasesFile + ".tealdeck-" + sideName(side);
}

Result<std::string> PgBouncer::rendered(Side side) const {
    const Result<std::string> now = readFile(m_instance.databasesFile);
    if (!now) {
        return now.error();
    }
    const Endpoint& to = side == Side::Blue ? m_blue : m_green;
    Result<std::string> changed = retargetDatabases(*now, m_instance.databases, to.host, to.port);
    if (!changed) {
        Error error = changed.error();
        error.message = fmt::format("{}: {}: {}", m_instance.name, m_instance.databasesFile, error.message);
        return error;
    }
    return changed;
}

Status PgBouncer::stage(Side side) {
    const Result<std::string> bytes = rendered(side);
    if (!bytes) {
        return bytes.error();
    }
    // The pooler may run as another user than the engine: what it could read before it must be able to read afterwards.
    return writeLikeFile(stagedFile(side), *bytes, m_instance.databasesFile);
}

Status PgBouncer::publish(Side side) {
    const Result<std::string> wanted = rendered(side);
    if (!wanted) {
        return wanted.error();
    }
    const Result<std::string> staged = readFile(stagedFile(side));
    if (!staged || *staged != *wanted) {
        if (const Status again = stage(side); !again) {
            return again;
        }
    }
    if (::rename(stagedFile(side).c_str(), m_instance.databasesFile.c_str()) != 0) {
        return unavailable(fmt::format("Cannot replace {}: {}.", m_instance.databasesFile, systemReason(errno)));
    }
    syncFolder(std::filesystem::path(m_instance.databasesFile).parent_path());
    return push(sideName(side), *wanted, OPEN_LIMIT);
}

Status PgBouncer::openPauseSessions(Millis limit) {
    const Deadline deadline(limit);
    if (m_pausing || m_asked) {
        m_pause.clear(); // whatever they still wait for is not ours any more
        m_pausing = false;
        m_asked = false;
    }
    m_pause.resize(m_instance.databases.size());
    for (std::size_t i = 0; i < m_pause.size(); ++i) {
        if (m_pause[i] && !m_pause[i]->broken()) {
            continue;
        }
        Result<std::unique_ptr<AdminConsole>> opened = AdminConsole::open(options("/pause " + m_instance.databases[i]), deadline.left());
        if (!opened) {
            return opened.error();
        }
        m_pause[i] = std::move(*opened);
    }
    return {};
}

Status PgBouncer::warm(Millis limit) {
    const Deadline deadline(limit);
    // Two rounds: sessions that died with the pooler are only noticed when they are used.
    for (int round = 0; round < 2; ++round) {
        if (const Status opened = openPauseSessions(deadline.left()); !opened) {
            return opened;
        }
        bool alive = true;
        for (const auto& session : m_pause) {
            alive = session->command("SHOW VERSION", deadline.left()).ok() && alive;
        }
        if (alive) {
            const Result<Rows> control_ = control("SHOW VERSION", deadline.left());
            return control_ ? Status() : Status(control_.error());
        }
    }
    return Error{Error::Kind::Unavailable,
                 fmt::format("{}: sessions with its console do not stay open.", m_instance.name),
                 "Read the pooler's log.",
                 {}};
}

Status PgBouncer::awaitLogins(Millis limit) {
    const std::vector<std::string>& names = m_instance.databases;
    for (const Deadline deadline(limit);; ::poll(nullptr, 0, 2)) {
        const Result<Rows> pools = control("SHOW POOLS", std::max(deadline.left(), POOLS_LIMIT));
        if (!pools) {
            return pools.error();
        }
        bool one = false;
        for (std::size_t i = 0; i < pools->size(); ++i) {
            const bool ours = std::find(names.begin(), names.end(), column(*pools, i, "database")) != names.end();
            one = one || (ours && std::atoi(column(*pools, i, "sv_login").c_str()) > 0);
        }
        if (!one) {
            return {};
        }
        if (deadline.passed()) {
            return Error{Error::Kind::Timeout,
                         fmt::format("{}: a server connection has been logging in for {} ms.", m_instance.name, limit.count()),
                         "Look whether the server behind the pooler takes new sessions.",
                         {}};
        }
    }
}

Status PgBouncer::beginPause() {
    if (const Status opened = openPauseSessions(OPEN_LIMIT); !opened) {
        return opened;
    }
    m_pausing = true;
    for (std::size_t i = 0; i < m_pause.size(); ++i) {
        if (const Status sent = m_pause[i]->begin("PAUSE " + quoteIdentifier(m_instance.databases[i])); !sent) {
            return sent;
        }
    }
    return {};
}

Status PgBouncer::finishPause(Millis limit) {
    const Deadline deadline(limit);
    Status result;
    for (std::size_t i = 0; i < m_pause.size() && result; ++i) {
        const Result<Rows> paused = m_pause[i]->finish(deadline.left());
        if (!paused) {
            Error error = paused.error();
            if (error.kind == Error::Kind::Timeout) {
                error.message = fmt::format("{}: {} was not paused within {} ms: transactions did not end.", m_instance.name,
                                            m_instance.databases[i], limit.count());
            }
            result = error;
        }
    }
    if (!result) {
        m_pause.clear(); // answers that may still come belong to a pause that nobody waits for
    }
    m_pausing = false;
    return result;
}

void PgBouncer::askWhoWaits() {
    if (!m_pausing && !m_asked && !m_pause.empty() && m_pause.front() && !m_pause.front()->broken()) {
        m_asked = m_pause.front()->begin("SHOW CLIENTS").ok();
    }
}

Result<ClientPauses> PgBouncer::whoWaits(Millis limit) {
    ClientPauses pauses;
    pauses.pooler = m_instance.name;
    if (!std::exchange(m_asked, false)) {
        return pauses;
    }
    const Result<Rows> rows = m_pause.front()->finish(limit);
    if (!rows) {
        return rows.error();
    }
    const std::vector<std::string>& names = m_instance.databases;
    std::map<std::array<std::string, 4>, ClientGroup> groups;
    for (std::size_t i = 0; i < rows->size(); ++i) {
        const std::string database = column(*rows, i, "database");
        if (column(*rows, i, "state") != "waiting" || std::find(names.begin(), names.end(), database) == names.end()) {
            continue;
        }
        const std::string user = column(*rows, i, "user");
        const std::string application = column(*rows, i, "application_name");
        const std::string address = column(*rows, i, "addr");
        ClientGroup& group = groups[{user, database, application, address}];
        group = {user, database, application, address, group.clients + 1, group.longestMs};
        // Seconds and the microseconds beside them (PgBouncer manual, SHOW CLIENTS).
        const double waited = std::atof(column(*rows, i, "wait").c_str()) * 1e3 + std::atof(column(*rows, i, "wait_us").c_str()) / 1e3;
        group.longestMs = std::max(group.longestMs, waited);
        ++pauses.waiting;
    }
    for (auto& [key, group] : groups) {
        pauses.groups.push_back(std::move(group));
    }
    std::stable_sort(pauses.groups.begin(), pauses.groups.end(),
                     [](const ClientGroup& a, const ClientGroup& b) { return a.longestMs > b.longestMs; });
    return pauses;
}

Status PgBouncer::forEveryDatabase(const std::string& command, Millis limit, const std::string& fineError) {
    const Deadline deadline(limit);
    Status result;
    for (const std::string& name : m_instance.databases) {
        const Result<Rows> answer = control(command + " " + quoteIdentifier(name), deadline.left());
        const bool fine = answer.ok() || (!fineError.empty() && answer.error().message.find(fineError) != std::string::npos);
        if (!fine && result) {
            result = answer.error(); // the others are still served: one bad entry must not keep their clients waiting
        }
    }
    return result;
}

Status PgBouncer::resume(Millis limit) {
    return forEveryDatabase("RESUME", limit, "is not paused");
}
Status PgBouncer::reconnect(Millis limit) {
    return forEveryDatabase("RECONNECT", limit, "");
}

Status PgBouncer::reload(Millis limit) {
    const Result<Rows> answer = control("RELOAD", limit);
    return answer ? Status() : Status(answer.error());
}

Status PgBouncer::set(const std::string& key, const std::string& value, Millis limit) {
    const Result<Rows> answer = control(fmt::format("SET {} = {}", key, quoteLiteral(value)), limit);
    return answer ? Status() : Status(answer.error());
}

Result<std::optional<std::string>> PgBouncer::identity(Millis limit) {
    if (m_instance.probeUser.empty()) {
        return std::optional<std::string>();
    }
    const Deadline deadline(limit);
    const auto session = AdminConsole::open({m_instance.host, m_instance.port, m_instance.probeUser, m_instance.passfile,
                                             m_instance.sslmode, m_instance.sslrootcert, m_instance.name, "", m_instance.databases.front()},
                                            deadline.left());
    if (!session) {
        return session.error();
    }
    const Result<Rows> rows = (*session)->command("select system_identifier from pg_catalog.pg_control_system()", deadline.left());
    return rows ? Result<std::optional<std::string>>(rows->single()) : Result<std::optional<std::string>>(rows.error());
}

Status PgBouncer::saveOriginal(const std::filesystem::path& path) const {
    std::error_code ignored;
    if (std::filesystem::exists(path, ignored)) {
        return {};
    }
    const Result<std::string> bytes = readFile(m_instance.databasesFile);
    return bytes ? writeFileAtomically(path, *bytes, 0600) : Status(bytes.error());
}

Status PgBouncer::restoreOriginal(const std::filesystem::path& path, Millis limit) {
    const Result<std::string> bytes = readFile(path);
    if (!bytes) {
        return bytes.error();
    }
    if (const Status written = writeLikeFile(m_instance.databasesFile, *bytes, m_instance.databasesFile); !written) {
        return written;
    }
    if (const Status pushed = push("restore", *bytes, limit); !pushed) {
        return pushed;
    }
    return reload(limit);
}

Status PgBouncer::push(const std::string& to, const std::string& bytes, Millis limit) const {
    if (m_instance.push.program.empty()) {
        return {};
    }
    OwnProgram program = m_instance.push;
    program.limit = std::max(program.limit, limit);
    const Json order = {
        {"action", "push"}, {"router", m_instance.name}, {"to", to}, {"file", m_instance.databasesFile}, {"content", bytes}};
    return runOwnProgram(fmt::format("The program that pushes the file of {}", m_instance.name), program, {}, dumpJson(order)).status;
}

} // namespace tealdeck
