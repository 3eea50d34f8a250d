// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/lab/faults.h"

#include "app/lab/fault_proxy.h"
#include "app/lab/lab_processes.h"
#include "core/util/files.h"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

namespace tealdeck {
namespace {

namespace fs = std::filesystem;

constexpr const char* FILLER = ".filler";

std::string namesOf(const std::vector<LabLink>& links, const std::vector<LabProcess>& processes) {
    std::vector<std::string> names;
    for (const LabLink& link : links) {
        names.push_back(link.name);
    }
    for (const LabProcess& process : processes) {
        names.push_back(process.name);
    }
    std::string text;
    for (std::size_t i = 0; i < names.size(); ++i) {
        text += (i == 0 ? "" : i + 1 == names.size() ? " and " : ", ") + names[i];
    }
    return text;
}

Error noSuch(const LabState& lab, const std::string& what) {
    return {Error::Kind::Invalid,
            fmt::format("The lab has no link or process named \"{}\".", what),
            fmt::format("Allowed are {}{}.", namesOf(lab.links, lab.processes),
                        lab.links.empty() ? " (links need a lab that was started with --proxies)" : ""),
            {}};
}

const LabProcess* findProcess(const LabState& lab, const std::string& name) {
    const auto it = std::find_if(lab.processes.begin(), lab.processes.end(), [&](const LabProcess& p) { return p.name == name; });
    return it == lab.processes.end() ? nullptr : &*it;
}

bool hasLink(const LabState& lab, const std::string& name) {
    return std::any_of(lab.links.begin(), lab.links.end(), [&](const LabLink& l) { return l.name == name; });
}

/// Fields 3 and 4 of /proc/PID/stat: state and parent.
std::pair<char, pid_t> stateAndParent(const std::string& pid) {
    const std::string stat = readFile("/proc/" + pid + "/stat", 4096).valueOr("");
    const std::size_t end = stat.rfind(") ");
    return end == std::string::npos ? std::pair<char, pid_t>{'X', 0}
                                    : std::pair<char, pid_t>{stat[end + 2], std::atoi(stat.c_str() + end + 4)};
}

/// The process first, so that it starts no more children; then those that it has.
void signalWithChildren(pid_t pid, int signal) {
    std::vector<pid_t> children;
    std::error_code failure;
    for (const auto& entry : fs::directory_iterator("/proc", failure)) {
        const std::string name = entry.path().filename();
        if (name.find_first_not_of("0123456789") == std::string::npos && stateAndParent(name).second == pid) {
            children.push_back(std::atoi(name.c_str()));
        }
    }
    ::kill(pid, signal);
    for (const pid_t child : children) {
        ::kill(child, signal);
    }
}

bool isDiskOfItsOwn(const fs::path& folder) {
    struct stat own {};
    struct stat parent {};
    return ::stat(folder.c_str(), &own) == 0 && ::stat(folder.parent_path().c_str(), &parent) == 0 && own.st_dev != parent.st_dev;
}

Status fillDisk(const fs::path& file) {
    const int fd = ::open(file.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (fd < 0 && errno != ENOSPC) {
        return Error{Error::Kind::Unavailable, fmt::format("Cannot write {}: {}.", file.string(), systemReason(errno)), {}, {}};
    }
    const std::string block(65536, '\0');
    // Smaller and smaller, down to the last byte.
    for (std::size_t size = block.size(); fd >= 0 && size > 0;) {
        size = ::write(fd, block.data(), size) > 0 ? size : size / 2;
    }
    ::close(fd);
    return {};
}

} // namespace

Status faultLink(const fs::path& dir, const std::string& link, const Fault& fault) {
    const Result<LabState> lab = readLab(dir);
    if (!lab) {
        return lab.error();
    }
    if (!hasLink(*lab, link)) {
        return noSuch(*lab, link);
    }
    const Result<Json> answer = askFaultProxy(
        lab->proxySocket(), {{"link", link}, {"mode", faultModeName(fault.mode)}, {"ms", static_cast<int>(fault.delay.count())}});
    return answer ? Status() : Status(answer.error());
}

Status faultProcess(const fs::path& dir, const std::string& process, const std::string& act) {
    const Result<LabState> lab = readLab(dir);
    if (!lab) {
        return lab.error();
    }
    const LabProcess* found = findProcess(*lab, process);
    if (found == nullptr) {
        return noSuch(*lab, process);
    }
    const int signal = act == "kill" ? SIGKILL : act == "stop" ? SIGSTOP : act == "continue" ? SIGCONT : 0;
    if (signal == 0) {
        return Error{Error::Kind::Invalid, fmt::format("A process knows no act \"{}\".", act), "Allowed are kill, stop and continue.", {}};
    }
    if (!isAlive(*found)) {
        return Error{Error::Kind::Unavailable,
                     fmt::format("{} (pid {}) has ended already.", process, found->pid),
                     fmt::format("Start it again with: tealctl lab start --dir {} {}", lab->options.dir.string(), process),
                     {}};
    }
    signalWithChildren(found->pid, signal);
    const Deadline deadline(Millis(5000));
    while (signal == SIGKILL && isAlive(*found) && !deadline.passed()) {
        ::poll(nullptr, 0, 5);
    }
    return {};
}

Status faultDisk(const fs::path& dir, const std::string& act) {
    const Result<LabState> lab = readLab(dir);
    if (!lab) {
        return lab.error();
    }
    if (act != "fill" && act != "free") {
        return Error{Error::Kind::Invalid, fmt::format("The disk knows no act \"{}\".", act), "Allowed are fill and free.", {}};
    }
    const fs::path folder = lab->path("engine");
    if (!isDiskOfItsOwn(folder)) {
        return Error{Error::Kind::Invalid,
                     fmt::format("{} has no disk of its own, and yours is not filled.", folder.string()),
                     "Start the lab as root with --engine-disk 16.",
                     {}};
    }
    if (act == "fill") {
        return fillDisk(folder / FILLER);
    }
    std::error_code failure;
    fs::remove(folder / FILLER, failure);
    return failure ? Status(Error{Error::Kind::Unavailable, failure.message(), {}, {}}) : Status();
}

Status applyFault(const fs::path& dir, const std::string& what, const std::string& how, int ms) {
    const Result<LabState> lab = readLab(dir);
    if (!lab) {
        return lab.error();
    }
    if (hasLink(*lab, what)) {
        const Result<Fault> fault = parseFault(how, ms);
        return fault ? faultLink(dir, what, *fault) : Status(fault.error());
    }
    if (ms != 0) {
        return Error{Error::Kind::Invalid, "--ms: only a link can be delayed.", "Leave it out.", {}};
    }
    return what == "disk" ? faultDisk(dir, how) : faultProcess(dir, what, how);
}

Json activeFaults(const LabState& state) {
    Json faults = Json::array();
    for (const LabProcess& process : state.processes) {
        if (isAlive(process) && stateAndParent(std::to_string(process.pid)).first == 'T') {
            faults.push_back({{"name", process.name}, {"fault", "stopped"}});
        }
    }
    const Result<Json> answer = state.links.empty() ? Result<Json>(Json::object()) : askFaultProxy(state.proxySocket(), Json::object());
    for (const Json& link : answer ? member<Json>(*answer, "links", Json::array()) : Json::array()) {
        const std::string mode = member<std::string>(link, "mode", "");
        if (mode != faultModeName(FaultMode::Pass)) {
            const int ms = member<int>(link, "ms", 0);
            faults.push_back(
                {{"name", member<std::string>(link, "name", "")}, {"fault", ms == 0 ? mode : fmt::format("{} {} ms", mode, ms)}});
        }
    }
    if (std::error_code none; fs::exists(state.path("engine") / FILLER, none)) {
        faults.push_back({{"name", "disk"}, {"fault", "full"}});
    }
    return faults;
}

Status mountEngineDisk(const LabState& state) {
    if (state.options.engineDiskMib == 0) {
        return {};
    }
    const std::string folder = state.path("engine").string();
    const std::string options = fmt::format("size={}m,mode=0700", state.options.engineDiskMib);
    if (::mount("tealdeck-lab", folder.c_str(), "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, options.c_str()) == 0) {
        return {};
    }
    return Error{Error::Kind::Unavailable,
                 fmt::format("Cannot mount a disk of {} MiB on {}: {}.", state.options.engineDiskMib, folder, systemReason(errno)),
                 "Leave --engine-disk out.",
                 {}};
}

void unmountEngineDisk(const LabState& state) {
    const fs::path folder = state.path("engine");
    if (state.options.engineDiskMib != 0 && isDiskOfItsOwn(folder)) {
        ::umount2(folder.c_str(), MNT_DETACH);
    }
}

Error runFaultProxy(const fs::path& dir) {
    const Result<LabState> lab = readLab(dir);
    if (!lab) {
        return lab.error();
    }
    auto proxy = FaultProxy::start(lab->links, lab->proxySocket());
    if (!proxy) {
        return proxy.error();
    }
    for (;;) {
        (*proxy)->serve(Millis(1000));
    }
}

} // namespace tealdeck
