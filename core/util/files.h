// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include "core/util/result.h"

#include <filesystem>
#include <string>
#include <string_view>

namespace tealdeck {

/// The whole file as bytes; an error with the path and the system's reason. Files above maxBytes are refused.
Result<std::string> readFile(const std::filesystem::path& path, std::size_t maxBytes = std::size_t{64} << 20);

/// Replaces the file in one step: written beside it (O_EXCL, the given mode), fsynced, renamed, folder fsynced.
/// A reader sees the old bytes or the new ones, never a part.
Status writeFileAtomically(const std::filesystem::path& path, std::string_view bytes, unsigned mode = 0600);

/// Makes the folder (and its parents) with mode 0700; fine if it exists.
Status makePrivateFolder(const std::filesystem::path& path);

/// The reason text of errno, thread-safe.
std::string systemReason(int errnoValue);

/// 2*bytes lower-case hexadecimal digits from the system's random source.
std::string randomHex(std::size_t bytes);

/// SHA-256 of the bytes, 64 lower-case hexadecimal digits.
std::string sha256Hex(std::string_view bytes);

} // namespace tealdeck
