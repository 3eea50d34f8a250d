// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/engine/recording_file.h"

#include "core/util/files.h"
#include "core/util/text.h"
#include "core/util/version.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

namespace tealdeck {
namespace {

std::filesystem::path currentFile(const Plan& plan) {
    return plan.engineFolder / "current.json";
}

Error cannotRecordAt(const std::filesystem::path& file, const char* why, const char* remedy) {
    return {Error::Kind::Invalid, fmt::format("{} cannot be the recording: {}.", plainText(file.string(), 200), why), remedy, {}};
}

/// Finished recordings are read-only.
bool isUnfinished(const std::filesystem::path& file) {
    struct stat found {};
    return !file.empty() && ::lstat(file.c_str(), &found) == 0 && S_ISREG(found.st_mode) && (found.st_mode & S_IWUSR) != 0;
}

} // namespace

std::filesystem::path recordingInUse(const Plan& plan) {
    const Result<std::string> text = readFile(currentFile(plan));
    const std::string name = text.ok() ? member<std::string>(parseJson(*text).value_or(Json::object()), "recording", "") : std::string();
    return name.empty() ? std::filesystem::path() : plan.engineFolder / name; // an absolute name stays as it is
}

Status mayRecordAt(const std::filesystem::path& file) {
    if (!file.is_absolute() || file.extension() != ".teal") {
        return cannotRecordAt(file, "it is no absolute path that ends in .teal", "Give one such as /var/lib/tealdeck/shop.teal.");
    }
    struct stat folder {};
    if (::stat(file.parent_path().c_str(), &folder) != 0 || !S_ISDIR(folder.st_mode)) {
        return cannotRecordAt(file, "its folder does not exist", "Make the folder first, with mode 0700.");
    }
    if ((folder.st_uid != ::geteuid() && folder.st_uid != 0) || (folder.st_mode & (S_IWGRP | S_IWOTH)) != 0) {
        return cannotRecordAt(file, "others may change its folder", "Use a folder of your own with mode 0700.");
    }
    struct stat there {};
    if (::lstat(file.c_str(), &there) == 0) {
        return cannotRecordAt(file, "it exists already", "A recording is never written over; choose another name.");
    }
    return {};
}

Status agreesWithRecording(const Plan& plan, const std::filesystem::path& wanted) {
    const std::filesystem::path now = recordingInUse(plan);
    if (wanted.empty() || wanted == now || !isUnfinished(now)) {
        return {};
    }
    return Error{Error::Kind::Refused,
                 fmt::format("This deployment is recorded in {}, which is not finished.", plainText(now.string(), 200)),
                 "Leave --recording away to go on with that file.",
                 {}};
}

Result<std::unique_ptr<RecordingWriter>> openRecording(const Plan& plan, const std::filesystem::path& wanted, bool& goesOn) {
    goesOn = false;
    if (const Status agrees = agreesWithRecording(plan, wanted); !agrees) {
        return agrees.error();
    }
    if (const std::filesystem::path now = recordingInUse(plan); isUnfinished(now)) {
        // A damaged one is left for the reviewer and not written on.
        if (auto again = RecordingWriter::reopen(now)) {
            goesOn = true;
            return again;
        }
    }
    const std::string id = randomHex(8);
    const std::string name = wanted.empty() ? fmt::format("{}-{}.teal", plan.deployment, id) : wanted.string();
    if (const Status may = wanted.empty() ? Status() : mayRecordAt(wanted); !may) {
        return may.error();
    }
    auto fresh = RecordingWriter::create(plan.engineFolder / name, {{"recording_id", id},
                                                                    {"deployment", plan.deployment},
                                                                    {"plan_sha256", plan.sha256},
                                                                    {"tool", std::string("tealdeck ") + VERSION}});
    if (!fresh) {
        return fresh;
    }
    if (const Status written = writeFileAtomically(currentFile(plan), dumpJson({{"recording", name}}) + "\n"); !written) {
        return written.error();
    }
    return fresh;
}

} // namespace tealdeck
