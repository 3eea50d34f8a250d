// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include "core/util/result.h"

#include <cstdint>
#include <filesystem>
#include <string>

namespace tealdeck {

/// A copy of a recording in a private temporary folder, so that nobody can change the bytes while they are read. Removed with the object.
struct PrivateCopy {
    std::filesystem::path folder;
    std::filesystem::path file;
    bool hasLog = false;  ///< a write-ahead log was copied beside it: the recording is unfinished
    bool isPlain = false; ///< one file without a log, and not marked as if there should be one
    std::uint64_t sizeBytes = 0;
    std::string name; ///< of the original, for people

    PrivateCopy() = default;
    ~PrivateCopy();
    PrivateCopy(PrivateCopy&& other) noexcept;
    PrivateCopy& operator=(PrivateCopy&&) = delete;

    /// Removes the files; who has them open keeps them. So nothing is left over when this process is killed.
    void forget();
    /// Refuses what is no plain file, too large, or does not begin like a recording. A file that is being written is copied
    /// as of one moment: the log must not have been started anew while both were copied.
    static Result<PrivateCopy> make(const std::filesystem::path& original);
    /// The same for a file that may not even begin like a recording.
    static Result<PrivateCopy> makeUnchecked(const std::filesystem::path& original);
};

} // namespace tealdeck
