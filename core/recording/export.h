// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include "core/model/event.h"

#include <string>

namespace tealdeck {

/// One line of JSON with everything the event says, ending in a newline.
std::string ndjsonLine(const Event& event);

/// A text as one quoted field: it does not begin like a formula, and no line break or control character is in it.
std::string csvField(const std::string& text);

/// The names of the columns of csvLine.
std::string csvHeader();
/// One line for spreadsheets: no field begins like a formula, and no line break or control character is in it.
std::string csvLine(const Event& event);

} // namespace tealdeck
