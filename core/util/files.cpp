// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/util/files.h"

#include <cerrno>
#include <fcntl.h>
#include <fmt/format.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <stdexcept>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>
#include <vector>

namespace tealdeck {
namespace {

std::string hex(const unsigned char* bytes, std::size_t count) {
    std::string text;
    text.reserve(count * 2);
    for (std::size_t i = 0; i < count; ++i) {
        text += fmt::format("{:02x}", bytes[i]);
    }
    return text;
}

Status writeAll(int fd, std::string_view bytes, const std::string& name) {
    while (!bytes.empty()) {
        const ssize_t n = ::write(fd, bytes.data(), bytes.size());
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n < 0) {
            return Error{Error::Kind::Unavailable,
                         fmt::format("Cannot write {}: {}.", name, systemReason(errno)),
                         "Check the disk and the folder's owner.",
                         {}};
        }
        bytes.remove_prefix(static_cast<std::size_t>(n));
    }
    return {};
}

} // namespace

std::string systemReason(int errnoValue) {
    return std::generic_category().message(errnoValue);
}

Result<std::string> readFile(const std::filesystem::path& path, std::size_t maxBytes) {
    const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return Error{errno == ENOENT ? Error::Kind::Invalid : Error::Kind::Unavailable,
                     fmt::format("Cannot open {}: {}.", path.string(), systemReason(errno)),
                     {},
                     {}};
    }
    std::string bytes;
    std::vector<char> buffer(1 << 16);
    for (;;) {
        const ssize_t n = ::read(fd, buffer.data(), buffer.size());
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n < 0) {
            const int reason = errno;
            ::close(fd);
            return Error{Error::Kind::Unavailable, fmt::format("Cannot read {}: {}.", path.string(), systemReason(reason)), {}, {}};
        }
        if (n == 0) {
            break;
        }
        bytes.append(buffer.data(), static_cast<std::size_t>(n));
        if (bytes.size() > maxBytes) {
            ::close(fd);
            return Error{Error::Kind::Invalid, fmt::format("{} is larger than {} bytes.", path.string(), maxBytes), {}, {}};
        }
    }
    ::close(fd);
    return bytes;
}

Status writeFileAtomically(const std::filesystem::path& path, std::string_view bytes, unsigned mode) {
    const std::filesystem::path folder = path.has_parent_path() ? path.parent_path() : std::filesystem::path(".");
    const std::filesystem::path temporary = folder / fmt::format(".{}.{}", path.filename().string(), randomHex(6));
    const int fd = ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode);
    if (fd < 0) {
        return Error{Error::Kind::Unavailable,
                     fmt::format("Cannot create a file in {}: {}.", folder.string(), systemReason(errno)),
                     "Check the folder's owner and the disk.",
                     {}};
    }
    Status written = writeAll(fd, bytes, temporary.string());
    // An existing file keeps its owner: the pooler may run as another user than the engine.
    struct stat before {};
    if (written && ::stat(path.c_str(), &before) == 0) {
        if (::fchown(fd, before.st_uid, before.st_gid) != 0 && before.st_uid != ::geteuid()) {
            written = Error{
                Error::Kind::Unavailable, fmt::format("Cannot keep the owner of {}: {}.", path.string(), systemReason(errno)), {}, {}};
        }
    }
    if (written && ::fsync(fd) != 0) {
        written = Error{Error::Kind::Unavailable, fmt::format("Cannot flush {}: {}.", temporary.string(), systemReason(errno)), {}, {}};
    }
    ::close(fd);
    if (written && ::rename(temporary.c_str(), path.c_str()) != 0) {
        written = Error{Error::Kind::Unavailable, fmt::format("Cannot replace {}: {}.", path.string(), systemReason(errno)), {}, {}};
    }
    if (!written) {
        ::unlink(temporary.c_str());
        return written;
    }
    const int dir = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (dir >= 0) {
        ::fsync(dir);
        ::close(dir);
    }
    return {};
}

Status makePrivateFolder(const std::filesystem::path& path) {
    std::error_code failure;
    if (std::filesystem::is_directory(path, failure)) {
        return {};
    }
    std::filesystem::create_directories(path, failure);
    if (failure) {
        return Error{Error::Kind::Unavailable, fmt::format("Cannot make the folder {}: {}.", path.string(), failure.message()), {}, {}};
    }
    ::chmod(path.c_str(), 0700);
    return {};
}

std::string randomHex(std::size_t bytes) {
    std::vector<unsigned char> raw(bytes);
    if (RAND_bytes(raw.data(), static_cast<int>(raw.size())) != 1) {
        throw std::runtime_error("the system's random source failed");
    }
    return hex(raw.data(), raw.size());
}

std::string sha256Hex(std::string_view bytes) {
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned int length = 0;
    if (EVP_Digest(bytes.data(), bytes.size(), digest, &length, EVP_sha256(), nullptr) != 1) {
        throw std::runtime_error("SHA-256 failed");
    }
    return hex(digest, length);
}

} // namespace tealdeck
