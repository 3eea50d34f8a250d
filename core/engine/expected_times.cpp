// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/engine/expected_times.h"

#include "core/recording/reader.h"

#include <algorithm>
#include <vector>

namespace tealdeck {
namespace {

constexpr std::size_t MOST_FILES = 5;
constexpr std::uintmax_t LARGEST = std::uintmax_t{64} << 20;

std::vector<std::filesystem::path> newestRecordings(const std::filesystem::path& folder) {
    std::vector<std::pair<std::filesystem::file_time_type, std::filesystem::path>> found;
    std::error_code none;
    for (const auto& entry : std::filesystem::directory_iterator(folder, none)) {
        std::error_code failed;
        if (entry.path().extension() == ".teal" && entry.is_regular_file(failed) && entry.file_size(failed) <= LARGEST) {
            found.emplace_back(entry.last_write_time(failed), entry.path());
        }
    }
    std::sort(found.rbegin(), found.rend());
    std::vector<std::filesystem::path> paths;
    for (std::size_t i = 0; i < std::min(found.size(), MOST_FILES); ++i) {
        paths.push_back(found[i].second);
    }
    return paths;
}

} // namespace

std::map<std::string, double> expectedTimes(const std::filesystem::path& folder, const std::function<bool()>& cancelled) {
    std::map<std::string, std::vector<double>> all;
    for (const std::filesystem::path& path : newestRecordings(folder)) {
        auto reader = RecordingReader::open(path);
        if (!reader) {
            continue;
        }
        static_cast<void>((*reader)->read(1, 0, [&](const Event& event) {
            const double ms = member<double>(event.body, "ms", -1);
            if (event.kind == EventKind::Outcome && ms >= 0 && member<bool>(event.body, "ok", false)) {
                all[member<std::string>(event.body, "step", "")].push_back(ms);
            }
            return !(cancelled && cancelled());
        }));
    }
    std::map<std::string, double> medians;
    for (auto& [step, times] : all) {
        std::sort(times.begin(), times.end());
        medians[step] = times.size() % 2 == 1 ? times[times.size() / 2] : (times[times.size() / 2 - 1] + times[times.size() / 2]) / 2;
    }
    return medians;
}

} // namespace tealdeck
