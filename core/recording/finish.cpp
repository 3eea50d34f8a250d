// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/recording/finish.h"

#include "core/recording/chain.h"
#include "core/util/files.h"
#include "core/util/text.h"

#include <algorithm>
#include <cerrno>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>
#include <vector>

namespace tealdeck {
namespace {

std::string shown(const std::filesystem::path& path) {
    return plainText(path.string(), 200);
}

std::filesystem::path digestFile(const std::filesystem::path& file) {
    return file.string() + ".sha256";
}

Status syncPath(const std::filesystem::path& path, int flags) {
    const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | flags);
    const bool fine = fd >= 0 && ::fsync(fd) == 0;
    const int reason = errno;
    if (fd >= 0) {
        ::close(fd);
    }
    return fine ? Status()
                : Status(Error{Error::Kind::Unavailable, fmt::format("Cannot flush {}: {}.", shown(path), systemReason(reason)), {}, {}});
}

} // namespace

std::filesystem::path folderOf(const std::filesystem::path& file) {
    return file.has_parent_path() ? file.parent_path() : std::filesystem::path(".");
}

Status syncFolderOf(const std::filesystem::path& file) {
    return syncPath(folderOf(file), O_DIRECTORY);
}

Status finishRecordingFile(const std::filesystem::path& file) {
    if (::chmod(file.c_str(), 0400) != 0) {
        return Error{Error::Kind::Unavailable, fmt::format("Cannot make {} read-only: {}.", shown(file), systemReason(errno)), {}, {}};
    }
    if (Status synced = syncPath(file, 0); !synced) {
        return synced;
    }
    const Result<std::string> digest = fileDigest(file);
    if (!digest) {
        return digest.error();
    }
    // Flushes the folder as well.
    return writeFileAtomically(digestFile(file), fmt::format("{}  {}\n", *digest, file.filename().string()), 0400);
}

Result<std::string> fileDigest(const std::filesystem::path& file) {
    const int fd = ::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    struct stat found {};
    if (fd < 0 || ::fstat(fd, &found) != 0 || !S_ISREG(found.st_mode)) {
        const int reason = errno;
        if (fd >= 0) {
            ::close(fd);
        }
        return Error{
            Error::Kind::Invalid, fmt::format("Cannot read {}: {}.", shown(file), fd < 0 ? systemReason(reason) : "no plain file"), {}, {}};
    }
    chain::FileHash hash;
    std::vector<char> buffer(1 << 18);
    ssize_t n = 0;
    while ((n = ::read(fd, buffer.data(), buffer.size())) > 0 || (n < 0 && errno == EINTR)) {
        hash.add({buffer.data(), static_cast<std::size_t>(std::max<ssize_t>(n, 0))});
    }
    const int reason = errno;
    ::close(fd);
    if (n < 0) {
        return Error{Error::Kind::Unavailable, fmt::format("Cannot read {}: {}.", shown(file), systemReason(reason)), {}, {}};
    }
    return chain::hex(hash.done());
}

Result<std::optional<std::string>> notedDigest(const std::filesystem::path& file) {
    std::error_code ignored;
    if (!std::filesystem::exists(digestFile(file), ignored)) {
        return std::optional<std::string>();
    }
    const Result<std::string> text = readFile(digestFile(file), 10'000);
    const std::string digest = text ? text->substr(0, 64) : "";
    if (digest.size() != 64 || !std::all_of(digest.begin(), digest.end(), [](unsigned char c) { return std::isxdigit(c) != 0; })) {
        return Error{Error::Kind::Invalid, fmt::format("{} holds no SHA-256.", shown(digestFile(file))), {}, {}};
    }
    return std::optional(digest);
}

} // namespace tealdeck
