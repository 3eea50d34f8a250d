// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/lab/lab.h"

#include "app/lab/faults.h"
#include "app/lab/lab_cluster.h"
#include "app/lab/lab_files.h"
#include "app/lab/lab_processes.h"
#include "app/lab/lab_schema.h"
#include "core/util/files.h"

#include <fmt/format.h>
#include <thread>

namespace tealdeck {
namespace {

namespace fs = std::filesystem;

Status findPrograms(LabState& state, const LabProgress& progress) {
    for (const int major : {state.options.blueMajor, state.options.greenMajor}) {
        Result<std::string> bin = findPostgres(major, progress);
        if (!bin) {
            return bin.error();
        }
        if (state.uid != 0 && !enterableByAll(*bin)) {
            return Error{Error::Kind::Invalid,
                         fmt::format("The servers' user {} cannot enter {}.", state.user, *bin),
                         "Set TEALDECK_CACHE to a folder that everyone may enter.",
                         {}};
        }
        for (LabServer& server : state.servers) {
            if (server.major == major) {
                server.bin = *bin;
            }
        }
    }
    return {};
}

/// Both sides at once: most of the time goes into initdb and waiting for disks.
Status startSides(LabStart& start, const LabState& state, const LabProgress& progress) {
    Status green;
    std::thread other([&green, &start] { green = start.startSide(Side::Green); });
    Status blue = start.startSide(Side::Blue);
    if (blue) {
        if (progress) {
            progress(fmt::format("filling schema {}", state.options.schema));
        }
        blue = makeLabSchema(state);
    }
    other.join();
    return blue ? green : blue;
}

Status startAll(LabState& state, HeldPorts& ports, const LabProgress& progress) {
    if (Status s = mountEngineDisk(state); !s) {
        return s;
    }
    if (Status s = makeLabCertificates(state); !s) {
        return s;
    }
    Result<std::map<std::string, std::string>> passwords = makeLabPasswords(state);
    if (!passwords) {
        return passwords.error();
    }
    LabStart start(state, ports, *passwords);
    if (progress) {
        progress(fmt::format("starting PostgreSQL {} and {} with {} replica(s) each", state.options.blueMajor, state.options.greenMajor,
                             state.options.replicas));
    }
    if (Status s = startSides(start, state, progress); !s) {
        return s;
    }
    // Readers go to the replicas: these must know the databases.
    if (Status s = start.waitForReplicas(Side::Blue); !s) {
        return s;
    }
    if (Status s = start.startRouters(); !s) {
        return s;
    }
    return writeFileAtomically(state.planFile(), planToml(state), 0600);
}

void removeSocketFolder(const LabState& state) {
    const fs::path folder = state.socketFolder;
    // Only what we made ourselves: the name comes from a file that someone may have edited.
    if (state.socketFolderOutside && folder.parent_path() == "/tmp" && folder.filename().string().rfind("tealdeck-lab-", 0) == 0) {
        std::error_code failure;
        fs::remove_all(folder, failure);
    }
}

} // namespace

Result<LabState> upLab(const LabOptions& options, const LabProgress& progress) {
    LabState state;
    state.options = options;
    if (!options.dir.empty()) {
        std::error_code failure;
        state.options.dir = fs::weakly_canonical(fs::absolute(options.dir), failure);
    }
    if (Status s = checkLabOptions(state.options); !s) {
        return s.error();
    }
    if (Status s = chooseLabUser(state); !s) {
        return s.error();
    }
    HeldPorts ports;
    if (Status s = layOut(state, ports); !s) {
        return s.error();
    }
    if (Status s = findPrograms(state, progress); !s) {
        return s.error();
    }
    if (Status s = makeLabFolders(state); !s) {
        return s.error();
    }
    state.phase = "starting";
    Status started = writeLab(state);
    if (started) {
        started = startAll(state, ports, progress);
    }
    state.phase = started ? "up" : "failed";
    if (!started) {
        const Status ended = endLabProcesses(state.processes);
        removeSocketFolder(state);
        unmountEngineDisk(state);
        Error error = started.error();
        error.remedy += fmt::format("{}The logs are in {}.{}", error.remedy.empty() ? "" : " ", state.path("logs").string(),
                                    ended ? "" : " " + ended.error().message);
        [[maybe_unused]] const Status noted = writeLab(state);
        return error;
    }
    if (Status s = writeLab(state); !s) {
        return s.error();
    }
    return state;
}

Status downLab(const fs::path& dir, bool remove) {
    Result<LabState> state = readLab(dir);
    if (!state) {
        return state.error();
    }
    if (Status s = endLabProcesses(state->processes); !s) {
        return s;
    }
    for (const LabServer& server : state->servers) {
        if (Status s = waitUntilUnused(server.data); !s) {
            return s;
        }
    }
    removeSocketFolder(*state);
    if (remove) {
        unmountEngineDisk(*state);
        std::error_code failure;
        fs::remove_all(state->options.dir, failure);
        return failure
                   ? Status(Error{Error::Kind::Unavailable, fmt::format("Cannot remove {}: {}.", dir.string(), failure.message()), {}, {}})
                   : Status();
    }
    state->phase = "down";
    return writeLab(*state);
}

Status restartLabProcess(const fs::path& dir, const std::string& name) {
    Result<LabState> state = readLab(dir);
    if (!state) {
        return state.error();
    }
    HeldPorts none;
    LabStart start(*state, none, {});
    return start.restart(name);
}

} // namespace tealdeck
