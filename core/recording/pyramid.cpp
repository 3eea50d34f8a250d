// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/recording/bytes.h"
#include "core/recording/decimal.h"
#include "core/recording/index.h"

#include <algorithm>

namespace tealdeck::pyramid {
namespace {

constexpr std::uint64_t NONE = 0; ///< no sample in the bucket
constexpr std::uint64_t UNKNOWN = 1;
constexpr std::uint64_t UNITS = 2;
constexpr std::uint64_t RAW_SCALE = 255; ///< instead of a scale: eight bytes a number

/// The scale that holds all extremes exactly.
std::optional<int> commonScale(const std::vector<Bucket>& buckets) {
    int scale = 0;
    for (const Bucket& bucket : buckets) {
        for (const double value : {bucket.low, bucket.high}) {
            const auto one = std::isnan(value) ? std::optional(scale) : decimal::scaleFor(value, scale);
            if (!one) {
                return std::nullopt;
            }
            scale = *one;
        }
    }
    // What the first one needs the last one may be too large for.
    const bool all = std::all_of(buckets.begin(), buckets.end(), [&](const Bucket& b) {
        return std::isnan(b.low) || (decimal::whole(b.low, scale) && decimal::whole(b.high, scale));
    });
    return all ? std::optional(scale) : std::nullopt;
}

std::int64_t plus(std::int64_t a, std::uint64_t b) {
    return static_cast<std::int64_t>(static_cast<std::uint64_t>(a) + b);
}

} // namespace

void Bucket::add(double value) {
    sampled = true;
    low = std::fmin(low, value);
    high = std::fmax(high, value);
}

bool Bucket::operator==(const Bucket& other) const {
    const auto same = [](double a, double b) { return a == b || (std::isnan(a) && std::isnan(b)); };
    return sampled == other.sampled && same(low, other.low) && same(high, other.high);
}

std::int64_t chunkAt(std::int64_t timeUs) {
    return timeUs >= 0 ? timeUs / CHUNK_US : -((-(timeUs + 1)) / CHUNK_US) - 1;
}

std::size_t bucketAt(std::int64_t timeUs) {
    const std::int64_t inside = timeUs % CHUNK_US;
    return static_cast<std::size_t>((inside < 0 ? inside + CHUNK_US : inside) / BUCKET_US);
}

std::string encode(const std::vector<Bucket>& buckets) {
    const std::optional<int> scale = commonScale(buckets);
    std::string out;
    putVarint(out, scale ? static_cast<std::uint64_t>(*scale) : RAW_SCALE);
    std::int64_t before = 0;
    for (const Bucket& bucket : buckets) {
        if (!bucket.sampled || std::isnan(bucket.low)) {
            putVarint(out, bucket.sampled ? UNKNOWN : NONE);
        } else if (!scale) {
            putVarint(out, UNITS);
            putDouble(out, bucket.low);
            putDouble(out, bucket.high);
        } else {
            const std::int64_t low = *decimal::whole(bucket.low, *scale);
            putVarint(out, UNITS + zigzag(low - before));
            putVarint(out, static_cast<std::uint64_t>(*decimal::whole(bucket.high, *scale) - low));
            before = low;
        }
    }
    return out;
}

std::optional<std::vector<Bucket>> decode(std::string_view bytes) {
    ByteReader in(bytes);
    const auto scale = in.varint();
    if (!scale || (*scale > decimal::MAX_SCALE && *scale != RAW_SCALE)) {
        return std::nullopt;
    }
    std::vector<Bucket> buckets(static_cast<std::size_t>(BUCKETS));
    std::int64_t before = 0;
    for (Bucket& bucket : buckets) {
        const auto code = in.varint();
        if (!code) {
            return std::nullopt;
        }
        bucket.sampled = *code != NONE;
        if (*code < UNITS) {
            continue;
        }
        if (*scale == RAW_SCALE) {
            const auto low = in.number();
            const auto high = in.number();
            if (!low || !high) {
                return std::nullopt;
            }
            bucket.low = *low;
            bucket.high = *high;
            continue;
        }
        const auto span = in.varint();
        if (!span) {
            return std::nullopt;
        }
        before = plus(before, static_cast<std::uint64_t>(unzigzag(*code - UNITS)));
        bucket.low = decimal::back(before, static_cast<int>(*scale));
        bucket.high = decimal::back(plus(before, *span), static_cast<int>(*scale));
    }
    return in.done() ? std::optional(std::move(buckets)) : std::nullopt;
}

} // namespace tealdeck::pyramid
