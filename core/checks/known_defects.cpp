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

constexpr const char* PARTIAL_TRANSACTION = "decoding that begins anew may send only a part of a transaction";
constexpr const char* SLOT_BACKWARDS =
    "a slot's restart position may go backwards, to WAL that is gone already: the feed then cannot begin again";
constexpr const char* DUMP_RACE = "while a schema is dumped, who may create tables can have code run as the dumping role (CVE-2024-7348)";
constexpr const char* REFRESH_INJECTION =
    "who may create tables on the subscriber can have statements run on the publisher at REFRESH PUBLICATION (CVE-2026-6638)";

/// From the release notes of 14.4, 8 August 2024 (12.20, 13.16, 14.13, 15.8, 16.4), 21 November 2024 (13.18, 14.15, 15.10, 16.6, 17.2),
/// 8 May 2025 (13.21, 14.18, 15.13, 16.9, 17.5) and May 2026 (16.14, 17.10, 18.4).
constexpr Defect DEFECTS[] = {
    {13, 21, STALE_CATALOG},
    {14, 18, STALE_CATALOG},
    {15, 13, STALE_CATALOG},
    {16, 9, STALE_CATALOG},
    {17, 5, STALE_CATALOG},
    {16, 9, ORIGIN_RESET},
    {17, 5, ORIGIN_RESET},
    {14, 4, CONCURRENT_INDEX},
    {12, 20, PARTIAL_TRANSACTION},
    {13, 16, PARTIAL_TRANSACTION},
    {14, 13, PARTIAL_TRANSACTION},
    {15, 8, PARTIAL_TRANSACTION},
    {16, 4, PARTIAL_TRANSACTION},
    {13, 18, SLOT_BACKWARDS},
    {14, 15, SLOT_BACKWARDS},
    {15, 10, SLOT_BACKWARDS},
    {16, 6, SLOT_BACKWARDS},
    {17, 2, SLOT_BACKWARDS},
    {12, 20, DUMP_RACE},
    {13, 16, DUMP_RACE},
    {14, 13, DUMP_RACE},
    {15, 8, DUMP_RACE},
    {16, 4, DUMP_RACE},
    {16, 14, REFRESH_INJECTION},
    {17, 10, REFRESH_INJECTION},
    {18, 4, REFRESH_INJECTION},
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
