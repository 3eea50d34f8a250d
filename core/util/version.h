// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

namespace tealdeck {
/// Version of the programs, as in CMakeLists.txt and CHANGELOG.md.
inline constexpr const char* VERSION = "0.1.0";
} // namespace tealdeck
