// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/checks/known_defects.h"

#include <fmt/format.h>

namespace tealdeck {
namespace {

struct Defect {
    int major;
    int mendedIn; ///< minor
    const char* what;
};

constexpr const char* STALE_CATALOG =
    "changes may be decoded with a stale view of a table that was altered or published meanwhile, which loses them";
constexpr const char* ORIGIN_RESET = "an error that apply survives resets its position, so that changes may be applied twice";
constexpr const char* CONCURRENT_INDEX = "indexes made CONCURRENTLY may miss rows: build them again after the update";

/// From the release notes of 14.4 and of 8 May 2025 (13.21, 14.18, 15.13, 16.9, 17.5).
constexpr Defect DEFECTS[] = {
    {13, 21, STALE_CATALOG}, {14, 18, STALE_CATALOG}, {15, 13, STALE_CATALOG}, {16, 9, STALE_CATALOG},
    {17, 5, STALE_CATALOG},  {16, 9, ORIGIN_RESET},   {17, 5, ORIGIN_RESET},   {14, 4, CONCURRENT_INDEX},
};

/// The last minor of majors that get no more of them (PostgreSQL versioning policy: five years).
struct Retired {
    int major;
    int last;
};
constexpr Retired RETIRED[] = {{12, 22}, {13, 23}};

} // namespace

std::vector<std::string> knownDefects(int versionNumber) {
    const int major = versionNumber / 10000;
    const int minor = versionNumber % 10000;
    std::vector<std::string> found;
    for (const Defect& defect : DEFECTS) {
        if (defect.major == major && minor < defect.mendedIn) {
            found.push_back(fmt::format("{}.{}: {} (release notes of {}.{})", major, minor, defect.what, major, defect.mendedIn));
        }
    }
    for (const Retired& retired : RETIRED) {
        if (retired.major == major && minor < retired.last) {
            found.push_back(fmt::format("{}.{} is not the last release of {}, {}.{}", major, minor, major, major, retired.last));
        }
    }
    return found;
}

} // namespace tealdeck
