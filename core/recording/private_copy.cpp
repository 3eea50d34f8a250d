// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/recording/private_copy.h"

#include "core/recording/database.h"
#include "core/recording/schema.h"
#include "core/util/files.h"
#include "core/util/text.h"

#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>
#include <vector>

namespace tealdeck {
namespace {

constexpr int ATTEMPTS = 20;

struct Fd {
    int fd = -1;
    explicit Fd(int opened) : fd(opened) {}
    ~Fd() {
        if (fd >= 0) {
            ::close(fd);
        }
    }
    Fd(const Fd&) = delete;
    Fd& operator=(const Fd&) = delete;
};

Error cannot(const char* what, const std::string& name, int reason) {
    return {reason == ENOENT || reason == ELOOP ? Error::Kind::Invalid : Error::Kind::Unavailable,
            fmt::format("Cannot {} the recording {}: {}.", what, name, systemReason(reason)),
            {},
            {}};
}

/// The bytes that change when a write-ahead log is started anew; empty when there is no log.
std::string logIdentity(const std::filesystem::path& log) {
    const Fd in(::open(log.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
    std::array<char, 32> header{};
    const ssize_t n = in.fd < 0 ? 0 : ::pread(in.fd, header.data(), header.size(), 0);
    return n == static_cast<ssize_t>(header.size()) ? std::string(header.data(), header.size()) : std::string();
}

/// Size and times of a file that no log belongs to.
std::string fileIdentity(const std::filesystem::path& file) {
    struct stat found {};
    if (::stat(file.c_str(), &found) != 0) {
        return {};
    }
    return fmt::format("{} {} {}", found.st_size, found.st_mtim.tv_sec, found.st_mtim.tv_nsec);
}

Result<std::uint64_t> copyBytes(const std::filesystem::path& from, const std::filesystem::path& to, const std::string& name) {
    const Fd in(::open(from.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
    struct stat found {};
    if (in.fd < 0 || ::fstat(in.fd, &found) != 0) {
        return cannot("open", name, errno);
    }
    if (!S_ISREG(found.st_mode) || static_cast<std::uint64_t>(found.st_size) > schema::MAX_FILE) {
        return Error{Error::Kind::Invalid, fmt::format("{} is not a plain file of at most {} GiB.", name, schema::MAX_FILE >> 30), {}, {}};
    }
    const Fd out(::open(to.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600));
    std::vector<char> buffer(1 << 20);
    std::uint64_t copied = 0;
    while (out.fd >= 0) {
        const ssize_t n = ::read(in.fd, buffer.data(), buffer.size());
        if (n == 0) {
            return copied;
        }
        if (n < 0 && errno != EINTR) {
            return cannot("read", name, errno);
        }
        for (ssize_t done = 0; done < n;) {
            const ssize_t wrote = ::write(out.fd, buffer.data() + done, static_cast<std::size_t>(n - done));
            if (wrote < 0) {
                return cannot("copy", name, errno);
            }
            done += wrote;
        }
        copied += n > 0 ? static_cast<std::uint64_t>(n) : 0;
        if (copied > schema::MAX_FILE) {
            return Error{Error::Kind::Invalid, fmt::format("{} grows beyond all bounds.", name), {}, {}};
        }
    }
    return cannot("copy", name, errno);
}

std::uint32_t bigEndian(const std::array<unsigned char, 100>& header, std::size_t at, std::size_t bytes) {
    std::uint32_t value = 0;
    for (std::size_t i = 0; i < bytes; ++i) {
        value = (value << 8) | header[at + i];
    }
    return value;
}

/// The first 100 bytes are those of a recording of ours. SQLite sees nothing else.
Status checkHeader(const std::filesystem::path& file, const std::string& name, bool& isPlain) {
    const Fd in(::open(file.c_str(), O_RDONLY | O_CLOEXEC));
    std::array<unsigned char, 100> header{};
    const ssize_t n = in.fd < 0 ? 0 : ::pread(in.fd, header.data(), header.size(), 0);
    if (n != static_cast<ssize_t>(header.size()) || std::memcmp(header.data(), "SQLite format 3", 16) != 0 ||
        bigEndian(header, 68, 4) != schema::APPLICATION_ID) {
        return Error{Error::Kind::Invalid, fmt::format("{} is not a recording of Tealdeck.", name), "Give a file that ends in .teal.", {}};
    }
    if (const std::uint32_t version = bigEndian(header, 60, 4); version < schema::FIRST_VERSION || version > schema::USER_VERSION) {
        return Error{Error::Kind::Invalid,
                     fmt::format("{} has version {} of the format, this program reads {} to {}.", name, version, schema::FIRST_VERSION,
                                 schema::USER_VERSION),
                     "Use a newer Tealdeck.",
                     {}};
    }
    if (bigEndian(header, 16, 2) != schema::PAGE_SIZE || header[20] != 0) {
        return badRecording(name, "its pages have a wrong size");
    }
    isPlain = header[18] == 1 && header[19] == 1;
    return {};
}

} // namespace

PrivateCopy::~PrivateCopy() {
    forget();
}

void PrivateCopy::forget() {
    if (!folder.empty()) {
        std::error_code ignored;
        std::filesystem::remove_all(folder, ignored);
        folder.clear();
    }
}

PrivateCopy::PrivateCopy(PrivateCopy&& other) noexcept
    : folder(std::move(other.folder)), file(std::move(other.file)), hasLog(other.hasLog), isPlain(other.isPlain),
      sizeBytes(other.sizeBytes), name(std::move(other.name)) {
    other.folder.clear();
}

Result<PrivateCopy> PrivateCopy::make(const std::filesystem::path& original) {
    Result<PrivateCopy> copy = makeUnchecked(original);
    if (!copy) {
        return copy;
    }
    if (Status fine = checkHeader(copy->file, copy->name, copy->isPlain); !fine) {
        return fine.error();
    }
    copy->isPlain = copy->isPlain && !copy->hasLog;
    return copy;
}

Result<PrivateCopy> PrivateCopy::makeUnchecked(const std::filesystem::path& original) {
    PrivateCopy copy;
    copy.name = plainText(original.string(), 200);
    std::error_code failure;
    std::string pattern = (std::filesystem::temp_directory_path(failure) / "tealdeck-XXXXXX").string();
    if (failure || ::mkdtemp(pattern.data()) == nullptr) {
        return Error{Error::Kind::Unavailable,
                     fmt::format("Cannot make a private folder for a copy: {}.", systemReason(errno)),
                     "Check TMPDIR.",
                     {}};
    }
    copy.folder = pattern;
    copy.file = copy.folder / "copy.teal";
    const std::filesystem::path log = original.string() + "-wal";
    const std::filesystem::path logCopy = copy.file.string() + "-wal";
    for (int attempt = 0; attempt < ATTEMPTS; ++attempt) {
        const std::string before = logIdentity(log);
        const std::string fileBefore = fileIdentity(original);
        // The file first: what a checkpoint moves into it meanwhile is still in the log that is copied after it.
        Result<std::uint64_t> bytes = copyBytes(original, copy.file, copy.name);
        if (!bytes) {
            return bytes.error();
        }
        copy.sizeBytes = *bytes;
        copy.hasLog = false;
        std::filesystem::remove(logCopy, failure);
        if (!before.empty()) {
            const Result<std::uint64_t> logBytes = copyBytes(log, logCopy, copy.name);
            copy.hasLog = logBytes.ok();
            copy.sizeBytes += logBytes.valueOr(0);
        }
        const bool steady =
            logIdentity(log) == before && copy.hasLog == !before.empty() && (copy.hasLog || fileIdentity(original) == fileBefore);
        if (steady) {
            return copy;
        }
        ::poll(nullptr, 0, 10);
    }
    return Error{Error::Kind::Unavailable, fmt::format("The recording {} changes too fast to be copied.", copy.name), "Try again.", {}};
}

} // namespace tealdeck
