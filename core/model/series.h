// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include "core/model/event.h"

#include <cmath>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace tealdeck {

/// One drawn column: the extremes of the samples that fall into it.
struct SeriesColumn {
    std::int64_t timeUs = 0;
    double low = NAN; ///< NaN: no known sample here
    double high = NAN;
};

/// A metric over time with a min/max pyramid, so that any span is drawn in time that depends on the pixels, not on the samples.
class Series {
  public:
    struct Sample {
        std::int64_t timeUs;
        double value; ///< NaN: unknown
    };
    /// Times must not fall; an older time is dropped.
    void append(std::int64_t timeUs, double value);
    [[nodiscard]] const std::vector<Sample>& samples() const { return m_samples; }
    /// At most `columns` columns for [fromUs, toUs]; every extreme of the span is in one of them: in that of its time, or, where a column
    /// has very many samples, in the one before when it lies within an eighth of a column behind the border.
    [[nodiscard]] std::vector<SeriesColumn> columns(std::int64_t fromUs, std::int64_t toUs, int columns) const;
    /// The newest sample at or before the time; nullptr when there is none.
    [[nodiscard]] const Sample* at(std::int64_t timeUs) const;

  private:
    struct Extremes {
        std::int64_t firstUs; ///< time of the first sample
        double low;
        double high;
    };
    struct Filler;
    [[nodiscard]] Extremes extremes(std::size_t from, std::size_t to) const;
    void fillByBlocks(Filler& into, std::size_t from, std::size_t to, std::size_t level) const;
    static constexpr std::size_t FAN_OUT = 16; ///< a power of two
    std::vector<Sample> m_samples;
    std::vector<std::vector<Extremes>> m_levels; ///< level k: one entry for each full FAN_OUT^(k+1) samples
};

/// All metrics of a session over time: folded from the same events as the snapshot.
class SeriesStore {
  public:
    void apply(const Event& event);
    /// nullptr when the metric was never sampled.
    [[nodiscard]] const Series* find(const std::string& name) const;
    [[nodiscard]] const std::map<std::string, Series>& all() const { return m_series; }

  private:
    std::map<std::string, Series> m_series;
};

} // namespace tealdeck
