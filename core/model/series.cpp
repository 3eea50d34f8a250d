// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/model/series.h"

#include <algorithm>
#include <limits>

namespace tealdeck {
namespace {

/// Distance in microseconds; unsigned, so that spans of hostile times cannot overflow.
std::uint64_t distance(std::int64_t from, std::int64_t to) {
    return static_cast<std::uint64_t>(to) - static_cast<std::uint64_t>(from);
}

/// The lower one; an unknown (NaN) gives way to the other.
double lower(double a, double b) {
    return std::fmin(a, b);
}
double higher(double a, double b) {
    return std::fmax(a, b);
}

/// The first sample that is at least `behind` later than fromUs. Samples come at an even pace as a rule: the search begins `step` further
/// on, and stays where the memory is already near.
std::vector<Series::Sample>::const_iterator firstBehind(std::vector<Series::Sample>::const_iterator begin,
                                                        std::vector<Series::Sample>::const_iterator end, std::int64_t fromUs,
                                                        std::uint64_t behind, std::ptrdiff_t step) {
    const auto isInside = [&](const Series::Sample& sample) { return distance(fromUs, sample.timeUs) < behind; };
    auto low = begin; // inside, or the begin
    auto high = begin + std::min(step, end - begin);
    for (std::ptrdiff_t reach = 1; high != end && isInside(*high); reach *= 2) {
        low = high;
        high += std::min(reach, end - high);
    }
    if (low == begin) {
        for (std::ptrdiff_t reach = 1; high - begin > reach; reach *= 2) {
            if (isInside(*(high - reach))) {
                low = high - reach;
                break;
            }
            high -= reach;
        }
    }
    return std::partition_point(low, high, isInside);
}

} // namespace

void Series::append(std::int64_t timeUs, double value) {
    if (!m_samples.empty() && timeUs < m_samples.back().timeUs) {
        return;
    }
    m_samples.push_back({timeUs, value});
    std::size_t size = FAN_OUT;
    for (std::size_t level = 0; m_samples.size() % size == 0; ++level, size *= FAN_OUT) {
        Extremes all{NAN, NAN};
        for (std::size_t i = 0; i < FAN_OUT; ++i) {
            if (level == 0) {
                const double v = m_samples[m_samples.size() - FAN_OUT + i].value;
                all = {lower(all.low, v), higher(all.high, v)};
            } else {
                const std::vector<Extremes>& below = m_levels[level - 1];
                const Extremes& one = below[below.size() - FAN_OUT + i];
                all = {lower(all.low, one.low), higher(all.high, one.high)};
            }
        }
        if (m_levels.size() == level) {
            m_levels.emplace_back();
        }
        m_levels[level].push_back(all);
    }
}

Series::Extremes Series::extremes(std::size_t from, std::size_t to) const {
    Extremes all{NAN, NAN};
    while (from < to) {
        // Climb to the largest block that begins here and ends inside the span.
        std::size_t size = 1;
        std::size_t level = 0;
        while (level < m_levels.size() && from % (size * FAN_OUT) == 0 && from + size * FAN_OUT <= to) {
            size *= FAN_OUT;
            ++level;
        }
        const Extremes one = level == 0 ? Extremes{m_samples[from].value, m_samples[from].value} : m_levels[level - 1][from / size];
        all = {lower(all.low, one.low), higher(all.high, one.high)};
        from += size;
    }
    return all;
}

std::vector<SeriesColumn> Series::columns(std::int64_t fromUs, std::int64_t toUs, int columns) const {
    std::vector<SeriesColumn> drawn;
    if (columns <= 0 || toUs < fromUs) {
        return drawn;
    }
    const auto wanted = static_cast<std::uint64_t>(columns);
    const std::uint64_t span = distance(fromUs, toUs);
    const std::uint64_t width = span / wanted == std::numeric_limits<std::uint64_t>::max() ? span : span / wanted + 1;
    const auto isBefore = [](const Sample& sample, std::int64_t time) { return sample.timeUs < time; };
    const auto isAfter = [](std::int64_t time, const Sample& sample) { return time < sample.timeUs; };
    auto begin = std::lower_bound(m_samples.begin(), m_samples.end(), fromUs, isBefore);
    const auto end = std::upper_bound(begin, m_samples.end(), toUs, isAfter);
    drawn.reserve(std::min<std::size_t>(wanted, static_cast<std::size_t>(end - begin)));
    std::ptrdiff_t step = 1;
    while (begin != end) {
        // Columns without any sample are left out: samples rarer than pixels stay one line. Unknown samples make a column of NaN.
        const std::uint64_t column = distance(fromUs, begin->timeUs) / width;
        // What is left belongs to the last column, also where the widest span of all leaves one time over.
        const auto last = column + 1 >= wanted ? end : firstBehind(begin, end, fromUs, (column + 1) * width, step);
        step = last - begin;
        const Extremes found =
            extremes(static_cast<std::size_t>(begin - m_samples.begin()), static_cast<std::size_t>(last - m_samples.begin()));
        drawn.push_back({begin->timeUs, found.low, found.high});
        begin = last;
    }
    return drawn;
}

const Series::Sample* Series::at(std::int64_t timeUs) const {
    const auto after = std::upper_bound(m_samples.begin(), m_samples.end(), timeUs,
                                        [](std::int64_t time, const Sample& sample) { return time < sample.timeUs; });
    return after == m_samples.begin() ? nullptr : &*(after - 1);
}

void SeriesStore::apply(const Event& event) {
    if (event.kind != EventKind::Metrics || !event.body.is_object()) {
        return;
    }
    const auto values = event.body.find("values");
    if (values == event.body.end() || !values->is_object()) {
        return;
    }
    for (const auto& [name, value] : values->items()) {
        m_series[name].append(event.steadyUs, value.is_number() ? value.get<double>() : NAN);
    }
}

const Series* SeriesStore::find(const std::string& name) const {
    const auto it = m_series.find(name);
    return it == m_series.end() ? nullptr : &it->second;
}

} // namespace tealdeck
