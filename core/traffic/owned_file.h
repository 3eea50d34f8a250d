// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include "core/util/result.h"

#include <filesystem>
#include <string>

namespace tealdeck {

/// Writes the bytes to `path` in one step, with the mode and the owner of `like`, which is often the same file: a program that runs as
/// another user and could read that one can read this one. A link at `path` is followed and stays.
Status writeLikeFile(const std::filesystem::path& path, const std::string& bytes, const std::filesystem::path& like);

/// What keeps the file from being replaced like that: empty when nothing does.
std::string whyNotReplaceable(const std::filesystem::path& path);

} // namespace tealdeck
