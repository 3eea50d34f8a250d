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

/// The lower one; an unknown (NaN) gives way to the other. As std::fmin, which is a call for each sample.
double lower(double a, double b) {
    return b < a || std::isnan(a) ? b : a;
}
double higher(double a, double b) {
    return b > a || std::isnan(a) ? b : a;
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
        Extremes all{0, NAN, NAN};
        for (std::size_t i = 0; i < FAN_OUT; ++i) {
            if (level == 0) {
                const Sample& one = m_samples[m_samples.size() - FAN_OUT + i];
                all = {i == 0 ? one.timeUs : all.firstUs, lower(all.low, one.value), higher(all.high, one.value)};
            } else {
                const std::vector<Extremes>& below = m_levels[level - 1];
                const Extremes& one = below[below.size() - FAN_OUT + i];
                all = {i == 0 ? one.firstUs : all.firstUs, lower(all.low, one.low), higher(all.high, one.high)};
            }
        }
        if (m_levels.size() == level) {
            m_levels.emplace_back();
        }
        m_levels[level].push_back(all);
    }
}

Series::Extremes Series::extremes(std::size_t from, std::size_t to) const {
    Extremes all{0, NAN, NAN};
    while (from < to) {
        // Climb to the largest block that begins here and ends inside the span.
        std::size_t size = 1;
        std::size_t level = 0;
        while (level < m_levels.size() && (from & (size * FAN_OUT - 1)) == 0 && from + size * FAN_OUT <= to) {
            size *= FAN_OUT;
            ++level;
        }
        const Extremes one = level == 0 ? Extremes{0, m_samples[from].value, m_samples[from].value} : m_levels[level - 1][from / size];
        all = {0, lower(all.low, one.low), higher(all.high, one.high)};
        from += size;
    }
    return all;
}

/// Takes samples, or whole blocks of them, in the order of time and makes columns of them.
struct Series::Filler {
    std::int64_t fromUs;
    std::uint64_t width;
    std::uint64_t wanted;
    std::vector<SeriesColumn>& drawn;
    std::uint64_t border = 0; ///< distance at which the next column begins
    bool isLast = false;      ///< what is left belongs to this column

    void add(std::int64_t timeUs, double low, double high) {
        const std::uint64_t behind = distance(fromUs, timeUs);
        if (drawn.empty() || (!isLast && behind >= border)) {
            const std::uint64_t column = std::min(behind / width, wanted - 1);
            isLast = column + 1 == wanted;
            border = (column + 1) * width;
            drawn.push_back({timeUs, low, high});
        } else {
            drawn.back().low = lower(drawn.back().low, low);
            drawn.back().high = higher(drawn.back().high, high);
        }
    }
};

/// One walk through memory that lies together, instead of a search for the border of each column. A block that is not narrow, because
/// samples were missing, is taken apart.
void Series::fillByBlocks(Filler& into, std::size_t from, std::size_t to, std::size_t level) const {
    const std::uint64_t narrow = into.width / 8;
    while (from < to) {
        std::size_t size = 1;
        std::size_t climbed = 0;
        while (climbed < level && (from & (size * FAN_OUT - 1)) == 0 && from + size * FAN_OUT <= to) {
            size *= FAN_OUT;
            ++climbed;
        }
        for (; climbed > 0; size /= FAN_OUT, --climbed) {
            const std::vector<Extremes>& blocks = m_levels[climbed - 1];
            const std::size_t block = from / size;
            const std::int64_t lastUs = block + 1 < blocks.size() ? blocks[block + 1].firstUs : m_samples[from + size - 1].timeUs;
            if (distance(blocks[block].firstUs, lastUs) <= narrow) {
                into.add(blocks[block].firstUs, blocks[block].low, blocks[block].high);
                break;
            }
        }
        if (climbed == 0) {
            into.add(m_samples[from].timeUs, m_samples[from].value, m_samples[from].value);
        }
        from += size;
    }
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
    // Blocks of which a column has eight or more.
    std::size_t level = 0;
    for (std::uint64_t size = FAN_OUT * 8; level < m_levels.size() && size <= static_cast<std::uint64_t>(end - begin) / wanted;
         size *= FAN_OUT) {
        ++level;
    }
    if (level > 0) {
        Filler filler{fromUs, width, wanted, drawn};
        fillByBlocks(filler, static_cast<std::size_t>(begin - m_samples.begin()), static_cast<std::size_t>(end - m_samples.begin()), level);
        return drawn;
    }
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
