// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <cstdlib>
#include <gtest/gtest.h>

namespace tealdeck::test {

/// True when TEALDECK_TEST_ALL is set: then the longest tests run too, which take whole upgrades or many faults each.
inline bool longTestsToo() {
    return std::getenv("TEALDECK_TEST_ALL") != nullptr;
}

} // namespace tealdeck::test

/// First line of such a test.
#define TEALDECK_LONG_TEST()                                                                                                               \
    if (!tealdeck::test::longTestsToo()) {                                                                                                 \
        GTEST_SKIP() << "a long one: runs with TEALDECK_TEST_ALL=1";                                                                       \
    }                                                                                                                                      \
    static_assert(true)
