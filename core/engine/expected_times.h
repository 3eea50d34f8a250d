// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <filesystem>
#include <functional>
#include <map>
#include <string>

namespace tealdeck {

/// How long each step took in the newest recordings of a folder: the median in milliseconds, by step. Recordings that cannot be read are
/// passed over; at most 5 files of at most 64 MiB are looked at. cancelled is asked between records.
std::map<std::string, double> expectedTimes(const std::filesystem::path& folder, const std::function<bool()>& cancelled = {});

} // namespace tealdeck
