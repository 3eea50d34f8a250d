// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/lab/load_run.h"

#include <algorithm>

namespace tealdeck {
namespace {

constexpr double SMALLEST_GAP_MS = 20;

LoadLatency latencyOf(std::vector<float>& values) {
    LoadLatency latency;
    if (values.empty()) {
        return latency;
    }
    std::sort(values.begin(), values.end());
    const auto at = [&values](double share) {
        const std::size_t index = static_cast<std::size_t>(share * static_cast<double>(values.size()));
        return static_cast<double>(values[std::min(index, values.size() - 1)]);
    };
    latency = {at(0.50), at(0.95), at(0.99), static_cast<double>(values.back())};
    return latency;
}

void addCounts(std::map<std::string, std::uint64_t>& into, const std::map<std::string, std::uint64_t>& from) {
    for (const auto& [key, count] : from) {
        into[key] += count;
    }
}

/// From the first acknowledgement to the end of the run: writes that hang until the end are a gap too.
void findGaps(LoadReport& report, std::vector<std::int64_t> times, std::int64_t endNs) {
    if (times.empty()) {
        report.longestGap = {report.startNs, static_cast<double>(endNs - report.startNs) / 1e6};
        return;
    }
    std::sort(times.begin(), times.end());
    times.push_back(std::max(endNs, times.back()));
    for (std::size_t i = 1; i < times.size(); ++i) {
        const LoadGap gap{times[i - 1], static_cast<double>(times[i] - times[i - 1]) / 1e6};
        if (gap.ms > report.longestGap.ms) {
            report.longestGap = gap;
        }
        if (gap.ms > SMALLEST_GAP_MS) {
            report.gaps.push_back(gap);
        }
    }
}

Json latencyJson(const LoadLatency& l) {
    return {{"p50", l.p50}, {"p95", l.p95}, {"p99", l.p99}, {"max", l.max}};
}

} // namespace

std::uint64_t LoadReport::errorCount() const {
    std::uint64_t count = 0;
    for (const auto& [sqlstate, n] : errors) {
        count += n;
    }
    return count;
}

LoadReport mergeTallies(const std::vector<LoadTally>& tallies, std::int64_t startNs, std::int64_t endNs) {
    LoadReport report;
    report.startNs = startNs;
    report.seconds = static_cast<double>(endNs - startNs) / 1e9;
    std::vector<std::int64_t> times;
    std::vector<float> writeMs;
    std::vector<float> readMs;
    for (const LoadTally& tally : tallies) {
        times.insert(times.end(), tally.acknowledgedNs.begin(), tally.acknowledgedNs.end());
        writeMs.insert(writeMs.end(), tally.writeMs.begin(), tally.writeMs.end());
        readMs.insert(readMs.end(), tally.readMs.begin(), tally.readMs.end());
        report.writes += tally.counts.writes;
        report.reads += tally.counts.reads;
        report.failed += tally.counts.failed;
        report.unknown += tally.counts.unknown;
        report.reconnects += tally.counts.reconnects;
        addCounts(report.errors, tally.counts.errors);
        addCounts(report.writesBySide, tally.counts.writesBySide);
        addCounts(report.readsBySide, tally.counts.readsBySide);
        report.examples.insert(tally.counts.examples.begin(), tally.counts.examples.end());
    }
    report.writeLatency = latencyOf(writeMs);
    report.readLatency = latencyOf(readMs);
    findGaps(report, std::move(times), endNs);
    return report;
}

Json LoadReport::toJson() const {
    const auto gapJson = [this](const LoadGap& gap) {
        return Json{{"t_ns", gap.startNs},
                    {"at_s", static_cast<double>(gap.startNs - startNs) / 1e9},
                    {"wall_us", startWallUs + (gap.startNs - startNs) / 1000},
                    {"ms", gap.ms}};
    };
    Json list = Json::array();
    for (const LoadGap& gap : gaps) {
        list.push_back(gapJson(gap));
    }
    return {{"seconds", seconds},
            {"started_wall_us", startWallUs},
            {"started_ns", startNs},
            {"writes", writes},
            {"reads", reads},
            {"tps", seconds > 0 ? static_cast<double>(writes + reads) / seconds : 0},
            {"writes_per_s", seconds > 0 ? static_cast<double>(writes) / seconds : 0},
            {"reads_per_s", seconds > 0 ? static_cast<double>(reads) / seconds : 0},
            {"failed", failed},
            {"unknown", unknown},
            {"reconnects", reconnects},
            {"errors", errors},
            {"error_count", errorCount()},
            {"error_examples", examples},
            {"writes_by_side", writesBySide},
            {"reads_by_side", readsBySide},
            {"write_latency_ms", latencyJson(writeLatency)},
            {"read_latency_ms", latencyJson(readLatency)},
            {"longest_write_gap", gapJson(longestGap)},
            {"longest_write_gap_ms", longestGap.ms},
            {"gaps", list}};
}

} // namespace tealdeck
