// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include "core/util/result.h"

#include <cstdint>
#include <filesystem>
#include <string>

namespace tealdeck {

struct SalvageReport {
    std::uint64_t records = 0;   ///< saved: the longest part from the beginning that the chain proves
    std::uint64_t unproven = 0;  ///< records that were found behind it and do not follow
    bool complete = false;       ///< it ends with the seal of a finished recording: nothing was lost
    std::int64_t lastWallUs = 0; ///< of the last record saved
    std::string headHash;        ///< of the last record saved
    std::string sourceSha256;
    std::string text; ///< the same in a sentence, as the copy says it of itself
};

/// Copies what can be proven of a truncated or damaged recording, and of its log beside it, into the new file, which then says of
/// itself in its last records what it is and what is missing. The source is only read. Refuses when not even the first record can
/// be proven.
Result<SalvageReport> salvageRecording(const std::filesystem::path& source, const std::filesystem::path& out);

} // namespace tealdeck
