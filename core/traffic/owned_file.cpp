// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/traffic/owned_file.h"

#include "core/util/files.h"

#include <cerrno>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

namespace tealdeck {
namespace {

std::filesystem::path withoutLinks(const std::filesystem::path& path) {
    std::error_code failure;
    const std::filesystem::path real = std::filesystem::weakly_canonical(path, failure);
    return failure ? path : real;
}

Error unavailable(const std::string& message) {
    return {Error::Kind::Unavailable, message, "Check the file's folder and owner.", {}};
}

} // namespace

Status writeLikeFile(const std::filesystem::path& path, const std::string& bytes, const std::filesystem::path& like) {
    struct stat model {};
    if (::stat(like.c_str(), &model) != 0) {
        return unavailable(fmt::format("Cannot read {}: {}.", like.string(), systemReason(errno)));
    }
    const std::filesystem::path real = withoutLinks(path);
    const std::filesystem::path beside = real.string() + ".tealdeck-new";
    // Owner and mode first, then the name: who reads the file never finds one that it may not read.
    std::error_code none;
    std::filesystem::remove(beside, none);
    if (const Status written = writeFileAtomically(beside, bytes, model.st_mode & 07777); !written) {
        return written;
    }
    struct stat own {};
    const bool same = ::stat(beside.c_str(), &own) == 0 && own.st_uid == model.st_uid && own.st_gid == model.st_gid;
    if ((!same && ::chown(beside.c_str(), model.st_uid, model.st_gid) != 0) || ::chmod(beside.c_str(), model.st_mode & 07777) != 0) {
        const Error error =
            unavailable(fmt::format("Cannot give {} the owner and mode of {}: {}.", beside.string(), like.string(), systemReason(errno)));
        std::filesystem::remove(beside, none);
        return error;
    }
    if (::rename(beside.c_str(), real.c_str()) != 0) {
        return unavailable(fmt::format("Cannot replace {}: {}.", real.string(), systemReason(errno)));
    }
    if (const int fd = ::open(real.parent_path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC); fd >= 0) {
        ::fsync(fd);
        ::close(fd);
    }
    return {};
}

std::string whyNotReplaceable(const std::filesystem::path& path) {
    const std::filesystem::path real = withoutLinks(path);
    struct stat file {};
    if (::stat(real.c_str(), &file) != 0 || ::access(real.c_str(), R_OK | W_OK) != 0) {
        return fmt::format("{} can't be read and written: {}", real.string(), systemReason(errno));
    }
    if (::access(real.parent_path().c_str(), W_OK) != 0) {
        return fmt::format("the folder {} can't be written: {}", real.parent_path().string(), systemReason(errno));
    }
    if (::geteuid() != 0 && file.st_uid != ::geteuid()) {
        return fmt::format("{} belongs to another user, which a new file would not", real.string());
    }
    return {};
}

} // namespace tealdeck
