// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include "core/util/result.h"

#include <filesystem>
#include <optional>
#include <string>

namespace tealdeck {

/// Makes a recording that no program has open read-only (0400), writes its SHA-256 beside it as FILE.sha256 in the form of
/// sha256sum, also 0400, and flushes both and their folder.
Status finishRecordingFile(const std::filesystem::path& file);
/// The folder that the file is in; "." for a bare name.
std::filesystem::path folderOf(const std::filesystem::path& file);
/// Flushes the folder that the file is in: then a new file's name is on disk.
Status syncFolderOf(const std::filesystem::path& file);

/// SHA-256 of a whole file in hexadecimal digits.
Result<std::string> fileDigest(const std::filesystem::path& file);
/// What FILE.sha256 says; nothing when there is none, an error when it says nothing sensible.
Result<std::optional<std::string>> notedDigest(const std::filesystem::path& file);

} // namespace tealdeck
