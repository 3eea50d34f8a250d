// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <string>

namespace tealdeck {

/// Bytes as people read them: "512 bytes", "1.3 kB", "2.0 GB"; powers of 1000.
std::string sizeText(double bytes);

} // namespace tealdeck
