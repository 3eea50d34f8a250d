// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <cstdint>
#include <ctime>

namespace tealdeck {

/// Processor time that the calling thread has used, in microseconds.
inline std::int64_t threadCpuUs() {
    timespec used{};
    ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
    return std::int64_t{used.tv_sec} * 1'000'000 + used.tv_nsec / 1000;
}

} // namespace tealdeck
